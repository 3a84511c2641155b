"""Dropout, batch norm, validation, folds, hooks between steps, observers that stop runs."""

import copy

import pytest
import torch
from torch import nn

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator
from sparsenn_core.training import (
    SGD,
    Adam,
    Checkpoint,
    EarlyStopping,
    after_epochs,
    after_steps,
    at_steps,
    every_epochs,
    streams,
)

F64 = torch.float64
SEEDS = [5, 6, 7, 8]


def net(dropout=None):
    layers = [nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)]
    if dropout is not None:
        layers.insert(2, dropout)
    return nn.Sequential(*layers).to(F64)


def samples(n=30):
    source = generator(0, "data")
    x = torch.randn(n, 6, generator=source, dtype=F64)
    return x, torch.randn(n, 2, generator=source, dtype=F64)


def ensemble(dropout=None, seeds=SEEDS):
    return Ensemble.of(lambda g: net(dropout), seeds)


def same(one, other, atol=0.0):
    return all(torch.allclose(w, other.params[k], rtol=0, atol=atol) for k, w in one.params.items())


# dropout


@pytest.mark.parametrize("batch_size", [10, None])
@pytest.mark.parametrize("dropout", [nn.Dropout(0.4), nn.Dropout(0.4, inplace=True)])
def test_a_run_with_dropout_does_not_depend_on_its_neighbours(dropout, batch_size):
    options = {"optimizer": Adam(0.01), "epochs": 4, "batch_size": batch_size}
    data = Data.shared(*samples())
    together = fit(ensemble(dropout), data, order=SEEDS, **options).ensemble
    for runs in ([0, 2], [3, 1, 0]):
        few = fit(ensemble(dropout).select(runs), data, order=[SEEDS[r] for r in runs], **options).ensemble
        assert same(few, together.select(runs))
    alone = fit(ensemble(dropout).select([2]), data, order=[SEEDS[2]], **options).ensemble
    assert same(alone, together.select([2]), atol=1e-12)
    assert not same(fit(ensemble(dropout), data, order=SEEDS[::-1], **options).ensemble, together, atol=1e-6)


def test_dropout_equals_a_loop_with_the_same_masks():
    x, y = samples()
    dropout, (seed, *_) = nn.Dropout(0.4), SEEDS
    trained = fit(ensemble(dropout), Data.shared(x, y), optimizer=SGD(0.1), epochs=5, order=SEEDS).ensemble
    alone = Ensemble.of(lambda g: net(dropout), [seed])[0]
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1)
    for step in range(1, 6):
        optimizer.zero_grad()
        with streams.Streams(streams.seeds_of([seed])[0], step):
            out = alone(x)
        nn.functional.mse_loss(out, y).backward()
        optimizer.step()
    torch.testing.assert_close(trained.params["0.weight"][0], alone[0].weight.detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("kind", "shape"), [(nn.Dropout, (4000, 9)), (nn.Dropout2d, (400, 9, 5, 5))])
def test_masks_have_the_right_rate_and_are_independent(kind, shape):
    layer, x = kind(0.3), torch.ones(shape, dtype=F64)
    seeds = streams.seeds_of([1, 2])
    masks = []
    for seed in seeds:
        for step in (1, 2):
            with streams.Streams(seed, step):
                masks += [layer(x), layer(x)]
    flat = torch.stack([m.flatten(2).mean(2).flatten() if m.ndim > 2 else m.flatten() for m in masks])
    # whole channels, and scaled so that the mean stays 1
    assert (
        torch.isclose(flat, torch.zeros((), dtype=F64)) | torch.isclose(flat, torch.tensor(1 / 0.7, dtype=F64))
    ).all()
    standardised = ((flat > 0).to(F64) - 0.7) / 0.21**0.5
    n = flat.shape[1]
    correlations = standardised @ standardised.T / n
    assert (standardised.mean(1).abs() < 4.5 / n**0.5).all()
    assert (correlations - torch.eye(len(flat), dtype=F64)).abs().max() < 4.5 / n**0.5
    shifted = (standardised[:, 1:] * standardised[:, :-1]).mean(1)
    assert (shifted.abs() < 4.5 / n**0.5).all()


def test_the_hash_is_that_of_splitmix64():
    """Its first numbers from the state 1234567, computed here in whole numbers; the first is the published one."""
    state, expected = 1234567, []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        expected.append(z ^ (z >> 31))
    assert expected[0] == 6457827717110365317
    states = [(1234567 + k * 0x9E3779B97F4A7C15) % 2**64 for k in (1, 2, 3)]
    signed = torch.tensor([s - 2**64 if s >= 2**63 else s for s in states])
    assert [int(v) % 2**64 for v in streams.mixed(signed)] == expected


def test_dropout_does_nothing_in_evaluation_mode_and_is_refused_outside_training():
    x, y = samples()
    plain = fit(ensemble(), Data.shared(x, y), optimizer=SGD(0.1), epochs=3).ensemble
    quiet = fit(ensemble(nn.Dropout(0.5)).eval(), Data.shared(x, y), optimizer=SGD(0.1), epochs=3).ensemble
    torch.testing.assert_close(quiet.params["3.weight"], plain.params["2.weight"])
    with pytest.raises(InputError, match=r"eval\(\)"):
        ensemble(nn.Dropout(0.5))(x)


@pytest.mark.parametrize("layer", [nn.AlphaDropout(0.2), nn.RReLU()])
def test_other_noise_is_refused(layer):
    with pytest.raises(InputError, match=r"only .*dropout has a stream for each run|cannot evaluate several"):
        fit(ensemble(layer), Data.shared(*samples()), optimizer=SGD(0.1), epochs=1, order=SEEDS)


# batch norm and checkpoints


def test_interrupted_equals_uninterrupted_with_dropout_batch_norm_and_hooks(tmp_path):
    def build(source):
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2)).to(F64)

    start, data = Ensemble.of(build, SEEDS), Data.shared(*samples())
    options = {"optimizer": Adam(0.01), "batch_size": 10, "order": SEEDS, "between": [after_epochs(halved)]}
    whole = fit(start, data, epochs=6, **options).ensemble
    checkpoint = Checkpoint(tmp_path / "fit.pt", every=1)
    fit(start, data, epochs=2, checkpoint=checkpoint, **options)
    resumed = fit(start, data, epochs=6, checkpoint=checkpoint, **options).ensemble
    for k, v in whole.state_dict().items():
        assert torch.equal(v, resumed.state_dict()[k])


def halved(moment):
    moment.params["0.weight"].mul_(0.5)


# validation


def test_validation_decides_the_best_weights_and_when_to_stop():
    x, y = samples()
    train, held_out = Data.shared(x[:20], y[:20]), Data.shared(x[20:], y[20:])
    losses = {}

    def look(moment):
        losses[moment.epoch] = (moment.runs.clone(), moment.validation_loss.clone(), moment.ensemble)
        return {"validation": moment.validation_loss}

    found = fit(
        ensemble(), train, optimizer=Adam(0.05), epochs=200, validation=held_out, early_stopping=EarlyStopping(5),
        observe=[look], penalty=penalties.L1(1e-3),
    )  # fmt: skip
    assert found.best is not None
    assert set(found.status) == {"stopped early"}
    for r in range(len(SEEDS)):
        own = {e: float(v[runs == r]) for e, (runs, v, _) in losses.items() if e and bool((runs == r).any())}
        best = min(own, key=own.get)
        assert (best, own[best]) == (int(found.best_epoch[r]), float(found.best_loss[r]))
        assert int(found.epochs[r]) == best + 5
        exact = nn.functional.mse_loss(found.best[r](x[20:]), y[20:])  # without the penalty
        assert exact.item() == pytest.approx(own[best], rel=1e-12)


def test_validation_is_taken_in_evaluation_mode_and_changes_nothing():
    x, y = samples()

    def build(source):
        return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)).to(F64)

    options = {"optimizer": SGD(0.05), "epochs": 4, "batch_size": 10, "order": SEEDS}
    start, data = Ensemble.of(build, SEEDS), Data.shared(x, y)
    with_it = fit(start, data, validation=data, **options)
    without = fit(start, data, **options)
    for k, v in without.ensemble.state_dict().items():
        assert torch.equal(v, with_it.ensemble.state_dict()[k])
    last = with_it.ensemble.eval()
    exact = (last(x) - y).square().mean((1, 2))
    if int(with_it.best_epoch[0]) == 4:
        assert float(with_it.best_loss[0]) == pytest.approx(float(exact[0]), rel=1e-12)
    best = with_it.best.eval()
    torch.testing.assert_close((best(x) - y).square().mean((1, 2)), with_it.best_loss, rtol=1e-10, atol=0)


def test_folds_are_those_of_separate_data_and_share_the_samples():
    x, y = samples(23)
    of_run = [0, 1, 2, 0]
    train, held_out = Data.folds(x, y, of_run, seed=3)
    assert train.inputs.data_ptr() == x.data_ptr()
    assert (train.samples, held_out.samples) == (16, 7)
    left = [set(held_out.rows[f].tolist()) for f in range(3)]
    assert all(left[i].isdisjoint(left[j]) for i in range(3) for j in range(i))
    for f in range(3):
        assert set(train.rows[f].tolist()) | left[f] == set(range(23))
    for size in (4, None):
        options = {"optimizer": SGD(0.1), "epochs": 3, "batch_size": size, "order": SEEDS if size else None}
        found = fit(ensemble(), train, validation=held_out, **options)
        copies = Data(torch.stack([x[train.rows[f]] for f in of_run]), torch.stack([y[train.rows[f]] for f in of_run]),
                      torch.arange(4))  # fmt: skip
        assert same(fit(ensemble(), copies, **options).ensemble, found.ensemble)


# hooks between steps


def test_a_projection_between_steps_equals_the_loop_that_projects():
    x, y = samples()

    def project(moment):
        moment.params["0.weight"] = moment.params["0.weight"].clamp(-0.2, 0.2)  # put into the dict, not written

    trained = fit(ensemble(), Data.shared(x, y), optimizer=Adam(0.05), epochs=7, between=[project]).ensemble
    alone = Ensemble.of(lambda g: net(), [SEEDS[1]])[0]
    optimizer = torch.optim.Adam(alone.parameters(), lr=0.05)
    for _ in range(7):
        optimizer.zero_grad()
        nn.functional.mse_loss(alone(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            alone[0].weight.clamp_(-0.2, 0.2)
    torch.testing.assert_close(trained.params["0.weight"][1], alone[0].weight.detach(), rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(trained.params["2.weight"][1], alone[2].weight.detach(), rtol=1e-8, atol=1e-10)


def test_hooks_are_called_when_they_ask_and_see_every_run_once():
    seen = []

    def record(moment):
        seen.extend((moment.step, int(r)) for r in moment.runs)

    options = {"optimizer": SGD(0.1), "epochs": 2, "batch_size": 10, "order": SEEDS}
    fit(ensemble(), Data.shared(*samples()), between=[after_steps(record, 2)], **options)
    assert sorted(seen) == [(step, r) for step in (2, 4, 6) for r in range(4)]
    seen.clear()
    fit(ensemble(), Data.shared(*samples()), between=[after_epochs(record, 2)], **options)
    assert sorted(seen) == [(6, r) for r in range(4)]


def test_masked_weights_their_gradients_and_moments_stay_zero():
    mask = (torch.rand(4, 8, 6, generator=generator(1, "mask")) > 0.5).to(F64)

    def masked(moment):
        own = mask[moment.runs]
        moment.params["0.weight"].mul_(own)
        for part in moment.state.values():
            part["0.weight"].mul_(own)

    start = ensemble()
    start = start.with_params(start.params | {"0.weight": start.params["0.weight"] * mask})
    trained = fit(start, Data.shared(*samples()), optimizer=Adam(0.05), epochs=9, between=[masked]).ensemble
    assert (trained.params["0.weight"][mask == 0] == 0).all()
    assert (trained.params["0.weight"][mask == 1] != 0).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.params.pop("0.weight"), "not add or remove any"),
        (
            lambda m: m.params.update({"0.weight": torch.zeros(4, 2)}),
            r"'0.weight' as \[4, 2\], not as a tensor",
        ),
    ],
)
def test_hooks_that_change_the_shape_of_things_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        fit(ensemble(), Data.shared(*samples()), optimizer=SGD(0.1), epochs=2, between=[change])


# observers


def test_observers_stop_runs_and_return_what_is_at_hand():
    def look(moment):
        moment.stop((moment.runs == 2) & (moment.epoch >= 3))
        return {"one": 1.0, "list": moment.runs.tolist(), "array": moment.runs.numpy() * 2.0, "epoch": moment.epoch}

    found = fit(ensemble(), Data.shared(*samples()), optimizer=SGD(0.1), epochs=5, observe=[look])
    assert found.epochs.tolist() == [5, 5, 3, 5]
    assert found.status == ["all epochs used", "all epochs used", "stopped by an observer", "all epochs used"]
    three = fit(ensemble(), Data.shared(*samples()), optimizer=SGD(0.1), epochs=3).ensemble
    assert torch.equal(found.ensemble.params["0.weight"][2], three.params["0.weight"][2])
    last = found.rows.query("epoch == 5").pivot(index="run", columns="name", values="value")
    assert last.index.tolist() == [0, 1, 3]
    assert last["array"].tolist() == [0.0, 2.0, 6.0]
    assert last["one"].tolist() == [1.0] * 3


def test_an_observer_within_an_epoch_may_stop_a_run_at_its_end():
    def stop(moment):
        moment.stop(moment.runs < 2)

    found = fit(
        ensemble(), Data.shared(*samples()), optimizer=SGD(0.1), epochs=4, batch_size=10, order=SEEDS,
        observe=[at_steps(stop, [4])],
    )  # fmt: skip
    assert found.epochs.tolist() == [2, 2, 4, 4]


def test_all_runs_stopped_ends_training():
    found = fit(ensemble(), Data.shared(*samples()), optimizer=SGD(0.1), epochs=9,
                observe=[every_epochs(lambda m: m.stop(m.epoch == 2) or {})])  # fmt: skip
    assert found.epochs.tolist() == [2] * 4


# groups and threads


@pytest.mark.parametrize("batch_size", [10, None])
@pytest.mark.parametrize("dropout", [None, nn.Dropout(0.3)])
def test_groups_and_threads_change_no_bit(monkeypatch, batch_size, dropout):
    options = {"optimizer": Adam(0.01), "epochs": 3, "batch_size": batch_size, "order": SEEDS * 2}
    start, data = ensemble(dropout, SEEDS * 2), Data.shared(*samples())
    loss = nn.functional.l1_loss
    whole = fit(start, data, loss=loss, **options).ensemble
    monkeypatch.setattr("sparsenn_core.training.groups.CACHE", 2000)
    monkeypatch.setattr("sparsenn_core.training.groups.GATHERED", 2000)
    grouped = fit(start, data, loss=loss, **options).ensemble
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    threaded = fit(start, data, loss=loss, **options).ensemble
    assert same(grouped, whole)
    assert same(threaded, whole)


def test_fitting_leaves_network_and_caller_as_they_were():
    start = ensemble(nn.Dropout(0.3))
    template, threads = copy.deepcopy(start.template), torch.get_num_threads()
    before = {k: v.clone() for k, v in start.state_dict().items()}
    torch.manual_seed(1)
    state = torch.get_rng_state()
    fit(start, Data.shared(*samples()), optimizer=SGD(0.1), epochs=2, order=SEEDS)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert str(template) == str(start.template)
    assert start.template.training
    assert all(torch.equal(before[k], v) for k, v in start.state_dict().items())
