"""The loop: stopping, observing, refusing."""

import math

import pytest
import torch
from small_fit import SEEDS, SETTINGS, data, ensemble, loss_rows
from torch import nn

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import (
    SGD,
    Adam,
    BatchOrder,
    Checkpoint,
    EarlyStopping,
    ProximalSGD,
    at_steps,
    cosine,
    every_epochs,
)


def test_early_stopping_is_the_rule_written_as_a_loop():
    result = fit(ensemble(), data(), epochs=40, observe=[every_epochs(loss_rows)], **SETTINGS)
    for r in SEEDS:
        losses = result.rows.query("run == @r and epoch > 0").sort_values("epoch")["value"].tolist()
        best, best_epoch, waited, epoch = math.inf, 0, 0, 0
        for epoch, loss in enumerate(losses, start=1):
            if loss < best:
                best, best_epoch, waited = loss, epoch, 0
            else:
                waited += 1
            if waited == 3:
                break
        assert epoch == len(losses) == result.epochs[r]
        assert best == result.best_loss[r]
        assert best_epoch == result.best_epoch[r]


def test_a_diverging_run_is_named_and_stops_alone():
    rates = torch.tensor([0.01, 1e6, 0.01, 0.01, 0.01, 0.01])
    linear = Ensemble.of(lambda g: MLP([12, 4, 1], "relu", generator=g).double(), SEEDS)
    result = fit(linear, data(), optimizer=SGD(rates), epochs=30, early_stopping=EarlyStopping(100))
    assert [s == "diverged" for s in result.status] == [False, True, False, False, False, False]
    assert all(torch.isfinite(w[[0, 2, 3, 4, 5]]).all() for w in result.ensemble.params.values())


def test_observers_see_the_step_they_asked_for():
    seen = []

    def look(moment):
        seen.append((moment.step, moment.epoch, len(moment.ensemble)))
        return {"weight": moment.ensemble.params["layers.0.weight"][:, 0, 0, 0]}

    result = fit(
        ensemble(), data(), optimizer=SGD(0.05), epochs=4, batch_size=16, order=SEEDS,
        observe=[at_steps(look, [0, 2, 7])],
    )  # fmt: skip
    assert [s[0] for s in seen] == [0, 2, 7]  # three steps an epoch
    assert result.rows.columns.tolist() == ["run", "epoch", "step", "name", "value"]
    start = result.rows.query("step == 0")["value"].to_numpy()
    assert (start == ensemble().params["layers.0.weight"][:, 0, 0, 0].numpy()).all()
    two = fit(ensemble(), data(), optimizer=SGD(0.05), epochs=1, batch_size=16, order=SEEDS)
    after_two = result.rows.query("step == 2")["value"].to_numpy()
    after_three = two.ensemble.params["layers.0.weight"][:, 0, 0, 0].numpy()
    assert not (after_two == after_three).any()


def test_proximal_steps_make_exact_zeros_and_plain_ones_do_not():
    settings = {"epochs": 60, "penalty": penalties.L1(0.02)}
    plain = fit(ensemble(), data(), optimizer=SGD(0.05), **settings).ensemble.params
    proximal = fit(ensemble(), data(), optimizer=ProximalSGD(0.05), **settings).ensemble.params
    assert all((w != 0).all() for w in plain.values())
    assert any((w == 0).any() for w in proximal.values())


def test_schedule_multiplies_the_learning_rate():
    frozen = fit(ensemble(), data(), optimizer=Adam(0.1, schedule=lambda step: 0.0 if step > 3 else 1.0), epochs=9)
    three = fit(ensemble(), data(), optimizer=Adam(0.1), epochs=3)
    for k, w in three.ensemble.params.items():
        assert torch.equal(frozen.ensemble.params[k], w)
    factors = [cosine(10, 0.1)(step) for step in (1, 6, 11, 50)]
    assert factors == pytest.approx([1.0, 0.55, 0.1, 0.1])


def test_ensembles_are_values():
    original = ensemble()
    copies = {k: v.clone() for k, v in original.params.items()}
    fit(original, data(), optimizer=SGD(0.1), epochs=3)
    assert all(torch.equal(original.params[k], v) for k, v in copies.items())
    one = original[2]
    assert isinstance(one, nn.Module)
    x = data().inputs[0]
    torch.testing.assert_close(one(x), original(x)[2])
    torch.testing.assert_close(original.each(x.expand(6, -1, -1)), original(x))
    assert len(original.select([4, 1])) == 2
    torch.testing.assert_close(original.select([4, 1])(x)[0], original(x)[4])
    rebuilt = Ensemble.stack(list(original))
    assert all(torch.equal(rebuilt.params[k], v) for k, v in original.params.items())


def test_batches_are_those_of_a_dataloader_for_several_epochs():
    samples = torch.arange(10)
    order = BatchOrder([7], 10, 4)
    loader = torch.utils.data.DataLoader(samples, batch_size=4, shuffle=True, generator=generator(7, "order"))
    for _ in range(3):
        assert [b[0].tolist() for b in order.epoch([0])] == [b.tolist() for b in loader]


def test_training_leaves_the_global_generators_alone():
    before = torch.random.get_rng_state()
    fit(ensemble(), data(), epochs=3, **SETTINGS)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be 1 or more"),
        ({"batch_size": 41}, "batch_size must be from 1 to the number of samples, 40, not 41"),
        ({"order": None}, "give both batch_size and order"),
        ({"order": [1, 2]}, "order has 2 seeds for 6 runs"),
        ({"penalty": penalties.L1(torch.ones(4))}, "4 strengths for 6 runs"),
        ({"optimizer": SGD(torch.ones(4))}, "learning_rate of SGD has 4 values for 6 runs"),
    ],
)
def test_refusals_before_any_work(change, message):
    with pytest.raises(InputError, match=message):
        fit(ensemble(), data(), **({"epochs": 2} | SETTINGS | change))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-0.1), "learning_rate of SGD must not be negative"),
        (lambda: Adam(0.1, beta1=1.0), "beta1 of Adam must not be negative and below 1"),
        (lambda: EarlyStopping(0), "patience must be 1 or more"),
        (lambda: Checkpoint("no/such/folder/x.pt"), "does not exist"),
        (lambda: Ensemble.of(lambda g: MLP([2, 1], "relu", generator=g), []), "at least one module"),
        (
            lambda: Ensemble.stack(
                [MLP([2, 1], "relu", generator=torch.Generator()), MLP([2, 2], "relu", generator=torch.Generator())]
            ),
            "module 1 differs",
        ),
        (lambda: Data.shared(torch.ones(3, 2), torch.ones(2, 1)), "differ in sets or samples"),
        (lambda: Data.shared(torch.full((3, 2), torch.nan), torch.ones(3, 1)), "NaN"),
        (lambda: Data(torch.ones(2, 3, 2), torch.ones(2, 3, 1)), "need `of_run`"),
        (lambda: Data(torch.ones(2, 3, 2), torch.ones(2, 3, 1), torch.tensor([0, 2])), "outside 0..1"),
        (lambda: at_steps(loss_rows, []), "non-empty"),
    ],
)
def test_refusals_of_settings(make, message):
    with pytest.raises(InputError, match=message):
        make()
