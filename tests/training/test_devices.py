"""A device that is not there is refused in one line, wherever it is named."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sparsenn_core.errors import InputError
from sparsenn_core.training import Data, Ensemble
from sparsenn_core.training.devices import usable

ABSENT = [pytest.param("cuda", marks=pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")), "warp"]


@pytest.mark.parametrize("device", [*ABSENT, 3.5])
def test_a_device_that_is_not_there_is_refused_in_one_line(device):
    ensemble = Ensemble.of(lambda source: nn.Linear(2, 1), 2)
    for thing in (ensemble, Data.shared(torch.zeros(4, 2), torch.zeros(4, 1))):
        with pytest.raises(InputError, match="cannot be used here") as caught:
            thing.to(device)
        assert "\n" not in str(caught.value)


def test_what_is_there_is_used():
    assert usable("cpu") == torch.device("cpu")
    assert usable(None) is None
    assert (
        Ensemble.of(lambda source: nn.Linear(2, 1), 2).to("cpu", torch.float64).params["weight"].dtype == torch.float64
    )
