"""All bounds of one trained network in one table."""

from __future__ import annotations

import math
import time
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from sparsenn_core.bounds import counting, covering, norms, products, sparse
from sparsenn_core.bounds.chain import chain
from sparsenn_core.bounds.families import CERTIFICATE, RADII, Bound
from sparsenn_core.bounds.held_out import clopper_pearson
from sparsenn_core.bounds.margins import checked_labels, margins_of
from sparsenn_core.bounds.measured import Measured, measure
from sparsenn_core.bounds.pac_bayes import PacBayes, pac_bayes
from sparsenn_core.bounds.spectral import spectral_lower, spectral_upper

ALL: tuple[Bound, ...] = (*sparse.BOUNDS, *products.BOUNDS, *covering.BOUNDS, *counting.BOUNDS)
"""The bounds that are computed from norms and counts, in the order of the table."""
COLUMNS = ("bound", "value", "log10", "kind", "empirical", "total", "not_covered", "norm", "assumptions", "citation",
           "seconds")  # fmt: skip


@torch.no_grad()
def table(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    margin: float,
    delta: float = 0.001,
    reference: nn.Module | None = None,
    held_out: tuple[Tensor, Tensor] | None = None,
    posterior: PacBayes | None = None,
) -> pd.DataFrame:
    """One row a bound on the error of a trained classifier on new samples; each holds with probability 1 - delta.

    `model` is any chain that `networks.reading` reads (linear layers, convolutions, relu, flattening, pooling, weight
    norm), its last layer linear; `x` [n, ...] are its training samples as it sees them, `y` [n] their classes (with one
    output 0 and 1, or -1 and 1). `margin` > 0 was chosen before training. `reference` is the network as it was
    initialized, from which some bounds take distances; without it they are taken from zero. `held_out` samples and
    labels fill the held-out row, `posterior` the PAC-Bayes row, which trains and is therefore asked for.

    Columns: `bound`; `value`, on the gap between the error on new samples and `empirical`, and its `log10`; `kind` (see
    `KINDS`); `empirical`, the share of training margins below `margin`; `total` =
    empirical + value, a bound on the error itself, of certificates and with a-priori radii; `not_covered`, why a bound
    says nothing of this network (then value and total are NaN); which `norm` of which matrix; `assumptions`;
    `citation`; `seconds`, where a norm counts for the row that asks for it first.

    `InputError`, in one line: a margin that is not positive, labels of one class or out of range, numbers that are not
    finite, networks that are no chain (residual additions, batch normalisation), a reference of another shape. Biases,
    max pooling and other activations leave rows uncovered. Cost: one pass over x, then norms; see `spectral_upper`.
    """
    start = time.perf_counter()
    measured = measure(model, x, y, margin=margin, delta=delta, reference=reference)
    passed = time.perf_counter() - start
    rows = [_row(bound, measured) for bound in ALL]
    rows.append(_held_out_row(model, held_out, measured))
    rows.append(_posterior_row(model, x, y, measured, reference, posterior))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame.attrs = {"seconds of the pass": passed, "training error": measured.training_error, "n": measured.n}
    return frame


def operator_norms(model: nn.Module, x: Tensor) -> pd.DataFrame:
    """The norms of each layer's map on samples like `x` [n, ...], and of its kernel: one row a layer.

    `spectral_lower` and `spectral_upper` enclose ||A||_2; `reshaped` is the spectral norm of the kernel as a matrix
    [out, rest], often used in its place; `kernel` is the kernel's Frobenius norm.
    """
    rows: list[dict[str, Any]] = []
    for layer in chain(model, x).layers:
        rows.append(
            {
                "layer": layer.name,
                "spectral_lower": spectral_lower(layer),
                "spectral_upper": spectral_upper(layer),
                "reshaped": norms.reshaped_spectral(layer),
                "frobenius": norms.frobenius(layer),
                "rows_l2": norms.rows_l2(layer),
                "one_inf": norms.one_inf(layer),
                "kernel": norms.kernel_frobenius(layer),
            }
        )
    return pd.DataFrame(rows)


def certificates(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that hold for the network as it is, and cover it."""
    return frame[(frame["kind"] == CERTIFICATE) & (frame["not_covered"] == "")]


def _row(bound: Bound, m: Measured) -> dict[str, Any]:
    start = time.perf_counter()
    reason = bound.covers(m)
    logarithm = math.nan if reason else bound.log_value(m)
    seconds = time.perf_counter() - start
    # what bounds nothing is added to nothing
    empirical = m.margin_error if bound.kind in (CERTIFICATE, RADII) else math.nan
    shown = {"norm": bound.norm, "assumptions": bound.assumptions, "citation": bound.citation}
    return _filled(bound.name, bound.kind, logarithm, empirical, reason, seconds, shown)


def _filled(
    name: str,
    kind: str,
    logarithm: float,
    empirical: float,
    reason: str,
    seconds: float,
    shown: dict[str, str],
) -> dict[str, Any]:
    value = math.exp(logarithm) if logarithm < 709 else (math.nan if math.isnan(logarithm) else math.inf)
    found: dict[str, Any] = {"bound": name, "value": value, "log10": logarithm / math.log(10), "kind": kind}
    found |= {"empirical": empirical, "total": empirical + value, "not_covered": reason, "seconds": seconds}
    return found | shown


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _held_out_row(model: nn.Module, held_out: tuple[Tensor, Tensor] | None, m: Measured) -> dict[str, Any]:
    shown = {
        "norm": "none", "assumptions": "samples that training, and every choice before it, has not seen",
        "citation": "Clopper and Pearson (Biometrika 1934)",
    }  # fmt: skip
    start = time.perf_counter()
    if held_out is None:
        return _filled("held-out samples", CERTIFICATE, math.nan, math.nan, "no held_out=(x, y) given", 0.0, shown)
    x, y = held_out
    y = checked_labels(y, m.classes, len(x))
    first = m.network.layers[0].weight
    found = margins_of(m.network.reading, x.to(first.device, first.dtype), y.to(first.device))
    wrong = int((~(found > 0)).sum())
    above = clopper_pearson(wrong, len(x), m.delta) - wrong / len(x)
    seconds = time.perf_counter() - start
    return _filled("held-out samples", CERTIFICATE, _log(above), wrong / len(x), "", seconds, shown)


def _posterior_row(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    m: Measured,
    reference: nn.Module | None,
    how: PacBayes | None,
) -> dict[str, Any]:
    shown = {
        "norm": "KL of Gaussians around network and reference",
        "assumptions": "of a classifier that draws its weights, near the network; reference has not seen the samples",
        "citation": "Dziugaite and Roy (UAI 2017); Maurer (2004); recalled",
    }
    start = time.perf_counter()
    if how is None:
        reason = "no posterior=PacBayes() given; it trains"
        return _filled("PAC-Bayes, optimised", CERTIFICATE, math.nan, math.nan, reason, 0.0, shown)
    first = m.network.layers[0].weight
    found = pac_bayes(
        model, x.to(first.device, first.dtype), y, margin=m.gamma, delta=m.delta, reference=reference, how=how
    )
    seconds = time.perf_counter() - start
    return _filled(
        "PAC-Bayes, optimised", CERTIFICATE, _log(found.total - found.drawn), found.drawn, "", seconds, shown
    )
