"""PAC-Bayes bounds of one network: with a prior at the initial weights, and with one trained on half of the data."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
from torch import Tensor, nn

from sparsenn_book.studies.bounds.images import Split, images
from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.schedules import schedule
from sparsenn_book.studies.bounds.settings import PosteriorSettings
from sparsenn_book.studies.bounds.training import error, train
from sparsenn_core.bounds import PacBayes, clopper_pearson, pac_bayes
from sparsenn_core.randomness import generator

PRIORS = ("initial weights", "half of the data")


def posteriors(settings: PosteriorSettings) -> pd.DataFrame:
    """One row a prior: prior, n (samples the bound is taken on), drawn (the posterior's error on them), divergence in
    nats, total, and the network's own train_error and test_error with the held_out bound of the test samples.
    """
    data = images(settings.dataset, settings.samples, settings.seed)
    start = conv_net(
        2, settings.posterior_width, tuple(data.x.shape[1:]), 10, generator(settings.seed, "posterior"), normed=False
    )
    half = len(data.y) // 2
    first = Split(data.x[:half], data.y[:half], data.test_x, data.test_y)
    rows = []
    for prior, learned in zip(PRIORS, (data, first), strict=True):
        network = train(
            copy.deepcopy(start), learned, schedule("readme"), settings.posterior_epochs, settings.seed
        ).eval()
        if prior == PRIORS[0]:
            found = _found(network, start, data.x, data.y, settings)
        else:
            found = _found(network, network, data.x[half:], data.y[half:], settings)
        rows.append({"prior": prior} | found | _own(network, learned, settings.delta))
    return pd.DataFrame(rows)


def _found(network: nn.Module, prior: nn.Module, x: Tensor, y: Tensor, settings: PosteriorSettings) -> dict[str, Any]:
    how = PacBayes(steps=settings.posterior_steps, draws=settings.posterior_draws, seed=settings.seed)
    found = pac_bayes(network, x, y, margin=settings.margin, delta=settings.delta, reference=prior, how=how)
    return {"n": len(y), "drawn": found.drawn, "divergence": found.divergence, "total": found.total}


def _own(network: nn.Module, data: Split, delta: float) -> dict[str, Any]:
    test_error = error(network, data.test_x, data.test_y)
    above = clopper_pearson(round(test_error * len(data.test_y)), len(data.test_y), delta)
    return {"train_error": error(network, data.x, data.y), "test_error": test_error, "held_out": above}
