"""Phase diagrams: which students find the teacher's support, by strength, initial scale, samples and width.

The schedule of every run: `phase_steps` proximal Adam steps on mean squared error + strength sum |w|, then half as many
on the weights that are not exactly zero, without penalty. Minibatches of 32, or all samples where there are fewer; the
learning rate falls along half a cosine from 0.01 to a hundredth of it, in each part.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pandas as pd
import torch

from sparsenn_book.studies.l1_phases.settings import PhaseSettings
from sparsenn_book.studies.l1_phases.students import data_of, inputs, tree
from sparsenn_core import recovery
from sparsenn_core.networks import literal_teacher
from sparsenn_core.penalties import L1, FixedSupport, Penalty
from sparsenn_core.training import Data, Ensemble, ProximalAdam, cosine, fit
from sparsenn_core.training.hooks import Change

STRENGTH, SCALE, SAMPLES, CHANNELS = 3e-2, 1.0, 1000, 4
"""What the two axes of a diagram leave fixed: the middle of what the pilot runs recovered, and the study's student."""
RATE, BATCH = 0.01, 32
FRESH = 4000  # inputs on which a run is judged


def phases(settings: PhaseSettings, device: str = "cpu") -> pd.DataFrame:
    """One row a run: diagram, activation, strength, scale, samples, channels, run, weights that are not zero, r2 on
    fresh inputs, whether the support is the teacher's up to symmetry, outcome.

    Runs have data, start and order of minibatches of their own; runs of a cell differ in nothing else.
    """
    wanted = pd.DataFrame(list(_cells(settings)))
    parts = []
    # members of an ensemble share shape and number of samples
    for (activation, channels, samples), cells in wanted.groupby(["activation", "channels", "samples"], sort=False):
        rows = cells.loc[cells.index.repeat(settings.phase_runs)].reset_index(drop=True)
        rows["run"] = rows.groupby(["diagram", "strength", "scale"]).cumcount()
        parts.append(_trained(rows, str(activation), int(channels), int(samples), settings, device))
    return pd.concat(parts, ignore_index=True)


def _cells(settings: PhaseSettings) -> Iterator[dict[str, object]]:
    """Every cell of the three diagrams."""
    fixed = {"strength": STRENGTH, "scale": SCALE, "samples": SAMPLES, "channels": CHANNELS}
    axes = {
        "strength": settings.phase_strengths,
        "scale": settings.phase_scales,
        "samples": settings.phase_samples,
        "channels": settings.phase_channels,
    }
    for activation in settings.phase_activations:
        for x, y in (("strength", "scale"), ("strength", "samples"), ("samples", "channels")):
            for a, b in itertools.product(axes[x], axes[y]):
                yield {"diagram": f"{x} x {y}", "activation": activation, **fixed, x: a, y: b}


def _trained(
    rows: pd.DataFrame, activation: str, channels: int, samples: int, settings: PhaseSettings, device: str
) -> pd.DataFrame:
    names = ["diagram", "activation", "channels", "samples", "strength", "scale", "run"]
    seeds = [settings.run_seed("phases", *map(str, key)) for key in rows[names].itertuples(index=False)]  # type: ignore[arg-type]
    students = [tree(activation, channels, scale, seed) for scale, seed in zip(rows["scale"], seeds, strict=True)]
    data = data_of(activation, samples, seeds)
    strengths = torch.tensor(rows["strength"].to_numpy())
    ensemble = trained(Ensemble.stack(students).to(device), data, L1(strengths), settings.phase_steps, seeds)
    masks = {k: w != 0 for k, w in ensemble.params.items()}
    ensemble = trained(ensemble, data, FixedSupport(masks=masks), settings.phase_steps // 2, seeds)
    return pd.concat([rows, judged(ensemble, activation)], axis=1)


def trained(
    ensemble: Ensemble,
    data: Data,
    penalty: Penalty | None,
    steps: int,
    seeds: list[int],
    between: Sequence[Change] = (),
) -> Ensemble:
    """One part of the schedule, in float32."""
    batch = min(BATCH, data.samples)
    epochs = max(1, round(steps / -(-data.samples // batch)))
    device = next(iter(ensemble.params.values())).device
    return fit(
        ensemble, data.to(device, torch.float32), optimizer=ProximalAdam(RATE, schedule=cosine(steps, 0.01)),
        epochs=epochs, penalty=penalty, batch_size=batch, order=seeds, between=list(between),
    ).ensemble  # fmt: skip


def judged(ensemble: Ensemble, activation: str) -> pd.DataFrame:
    """One row a run: nonzero, r2, exact support, outcome."""
    x, teacher = inputs(FRESH, 0), literal_teacher("baseline", activation)
    ensemble = ensemble.to("cpu", torch.float64)
    with torch.no_grad():
        scored = recovery.scores(ensemble(x), teacher(x))
    found = recovery.aligned(teacher, list(ensemble.params.values()))
    return pd.DataFrame(
        {
            "nonzero": torch.stack([(w != 0).flatten(1).sum(1) for w in ensemble.params.values()]).sum(0).numpy(),
            "r2": scored.r2.numpy(),
            "mse": scored.mse.numpy(),
            "exact": recovery.support_scores(found, [0.0]).exact[:, 0].numpy(),
            "outcome": recovery.outcome(scored, found.relative_shape),
        }
    )
