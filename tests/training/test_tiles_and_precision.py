"""Full batches cut into tiles, and weights stored in another floating-point type than the arithmetic."""

import pytest
import torch

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, every_epochs

F32, F64 = torch.float32, torch.float64


def start(dtype, runs=3):
    return Ensemble.of(lambda source: MLP((2, 5, 4, 1), "tanh", generator=source), range(runs)).to(dtype=dtype)


def data(dtype, *, own=True, samples=23):
    source = generator(0, "data")
    shape = (3, samples) if own else (1, samples)
    x = torch.rand(*shape, 2, generator=source, dtype=F64)
    y = torch.randn(*shape, 1, generator=source, dtype=F64)
    return Data(x, y, torch.tensor([0, 2, 1]) if own else None).to(dtype=dtype)


def losses():
    return every_epochs(lambda moment: {"loss": moment.epoch_loss})


@pytest.mark.parametrize("own", [True, False], ids=["own data", "shared data"])
@pytest.mark.parametrize("tile", [1, 7, 23, 100])
@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.5), Adam(1e-2)], ids=["sgd", "adam"])
def test_tiles_give_the_step_on_all_samples(own, tile, optimizer):
    penalty = penalties.L1(torch.tensor([0.0, 1e-3, 1e-2]))
    whole, cut = (
        fit(
            start(F64),
            data(F64, own=own),
            optimizer=optimizer,
            epochs=5,
            penalty=penalty,
            tile=size,
            observe=[losses()],
        )
        for size in (None, tile)
    )
    for name, weight in whole.ensemble.params.items():
        torch.testing.assert_close(cut.ensemble.params[name], weight, rtol=1e-12, atol=1e-14)
    a, b = (torch.tensor(f.rows.value.to_numpy())[3:] for f in (whole, cut))
    torch.testing.assert_close(b, a, rtol=1e-12, atol=0)


def test_tiles_are_for_full_batches():
    with pytest.raises(InputError, match="tile=4, batch_size=8"):
        fit(start(F64), data(F64), optimizer=SGD(0.1), epochs=1, batch_size=8, order=[0, 1, 2], tile=4)
    for tile in (0, 2.5, "400", True):
        with pytest.raises(InputError, match=f"whole number of samples, 1 or more, not {tile!r}"):
            fit(start(F64), data(F64), optimizer=SGD(0.1), epochs=1, tile=tile)


def gradient(ensemble, run, x, y, dtype):
    net = ensemble[run].to(dtype)
    loss = torch.nn.functional.mse_loss(net(x.to(dtype)), y.to(dtype))
    return torch.autograd.grad(loss, list(net.parameters()))


@pytest.mark.parametrize(("stored", "computed"), [(F64, F32), (F32, F64), (F32, F32)])
def test_weights_are_kept_and_moved_in_their_own_type(stored, computed):
    rate, before = 1e-3, start(stored)
    sets = data(F64)
    after = fit(before, sets, optimizer=SGD(rate), epochs=1, arithmetic=computed).ensemble
    for run, chosen in enumerate([0, 2, 1]):
        grads = gradient(before, run, sets.inputs[chosen], sets.targets[chosen], computed)
        for old, new, g in zip(before[run].parameters(), after[run].parameters(), grads, strict=True):
            assert new.dtype == stored
            expected = old - torch.tensor(rate, dtype=stored) * g.to(stored)
            # the gradients of one network and of a stack differ in the last bits of the arithmetic
            slack = rate * 1e-5 if computed == F32 else 0.0
            torch.testing.assert_close(new, expected, rtol=torch.finfo(stored).eps, atol=slack * g.abs().max().item())


def test_small_steps_are_lost_by_float32_weights_alone():
    """Of steps far below half a unit in the last place, float32 weights keep nothing and float64 weights everything."""
    sets = data(F32)
    moved = {}
    for stored, computed in [(F32, F32), (F64, F32), (F32, F64)]:
        before = start(F32).to(dtype=stored)
        after = fit(before, sets, optimizer=SGD(1e-12), epochs=3, arithmetic=computed).ensemble
        weights = [(after.params[k] != before.params[k]) for k in before.params]
        moved[stored, computed] = torch.cat([w.flatten() for w in weights]).double().mean().item()
    assert moved[F32, F32] < 0.05
    assert moved[F32, F64] < 0.05
    assert moved[F64, F32] > 0.95
