"""Dual certificates: can the L1 penalty keep a teacher's support at all?"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator

import pandas as pd
from torch import nn

from sparsenn_book.studies.l1_phases.settings import CertificateSettings
from sparsenn_book.studies.l1_phases.students import holding, in_channels, inputs
from sparsenn_core.networks import literal_teacher
from sparsenn_core.recovery import SupportCertificate, support_certificate
from sparsenn_core.training import ConvergenceWarning

ACTIVATIONS = ("tanh", "relu", "sigmoid")
CHANNELS, CONNECTED = "four channels", "fully connected"
HEAVY = "multi_channel"
"""118 of 328 weights: seconds each, so at the weakest strength and the most samples alone; with relu its optimum on the
support was not reached in pilot runs."""


def certified(settings: CertificateSettings) -> pd.DataFrame:
    """One row for each teacher, student, activation, number of samples, strength and draw of data: largest slope off
    the support over the strength (of each layer and of all), residual, dropped weights, and `holds`: reached, all
    slopes at most 1, and no weight of the support dropped.
    """
    rows = []
    for teacher, student, activation, samples, strength in _cases(settings):
        for draw in range(settings.certified_draws):
            x = inputs(samples, settings.run_seed("certificates", samples, draw))
            network = holding(teacher, activation) if student == CONNECTED else in_channels(activation)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the residual is in the table
                found = support_certificate(network, x, literal_teacher(teacher, activation)(x).detach(), strength)
            case = (teacher, student, activation, samples, strength, draw)
            names = ("teacher", "student", "activation", "samples", "strength", "draw")
            rows.append(dict(zip(names, case, strict=True)) | _row(network, found))
    return pd.DataFrame(rows)


def _cases(settings: CertificateSettings) -> Iterator[tuple[str, str, str, int, float]]:
    grid = list(itertools.product(settings.certified_samples, settings.certified_strengths))
    for teacher, activation in itertools.product(settings.certified_teachers, ACTIVATIONS):
        if teacher == HEAVY:
            if activation != "relu":
                yield teacher, CONNECTED, activation, max(settings.certified_samples), min(settings.certified_strengths)
            continue
        students = (CONNECTED, CHANNELS) if teacher == "baseline" else (CONNECTED,)
        for student, (samples, strength) in itertools.product(students, grid):
            yield teacher, student, activation, samples, strength


def _row(network: nn.Module, found: SupportCertificate) -> dict[str, object]:
    layers: dict[str, object] = {
        f"layer_{i}": found.largest.get(name, math.nan) for i, name in enumerate(found.slopes, start=1)
    }
    return layers | {
        "largest": max(found.largest.values()),
        "residual": found.residual,
        "reached": found.converged,
        "dropped": found.dropped,
        "weights": sum(p.numel() for p in network.parameters()),
        "support": int(sum((p != 0).sum() for p in network.parameters())),
        "holds": found.holds and not found.dropped,
    }
