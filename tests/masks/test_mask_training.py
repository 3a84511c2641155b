"""Sparse layers in training: gradients by definition, zeros that stay, counts that hold, runs that resume."""

from __future__ import annotations

import io
import math

import pytest
import torch
from sparse_nets import METHODS, WITH_COUNT, data, mask, net, samples, train
from torch import nn

from sparsenn_core import masks
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, Checkpoint, Ensemble, every_epochs, fit

ORIGINAL = "0.parametrizations.weight.original"
OWN = "0.parametrizations.weight.0.tensors."
STEPS = 16


def loss_gradients(model, x, y):
    """Gradients by name, and that of the effective weight."""
    weights = []
    handle = model[0].register_forward_hook(lambda layer, inputs, out: weights.append(out))
    out = model(x)
    handle.remove()
    loss = (out - y).square().mean()
    (into,) = torch.autograd.grad(loss, weights[0], retain_graph=True)
    named = {k: p for k, p in model.named_parameters() if p.requires_grad}
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return dict(zip(named, found, strict=True)), into.T @ x


@pytest.mark.parametrize("absolute", [True, False])
def test_straight_through_gradient_is_its_definition(absolute):
    model = net(3)
    masks.make_permanent(model)
    score = masks.Learned(absolute=absolute)
    masks.sparsify(model, score, 0.7, layers=["0"], generator=generator(5, "m"))
    found, effective = loss_gradients(model, *samples())
    weight, scores = model[0].parametrizations.weight.original, model[0].parametrizations.weight[0].tensors.scores
    sign = scores.sign() if absolute else 1.0
    torch.testing.assert_close(found[f"{OWN}scores"], effective * weight * sign)
    torch.testing.assert_close(found[ORIGINAL], effective * mask(model))
    assert torch.equal(model[0].weight, weight * mask(model))


def test_scores_that_start_all_equal_keep_the_exact_count():
    model = net(0, "straight-through")
    model[0].parametrizations.weight[0].tensors.scores.data.fill_(1.0)
    masks.step(model, torch.optim.SGD(model.parameters(), 0.1))
    assert int(mask(model).sum()) == 48 - round(0.7 * 48)


def test_edge_popup_freezes_the_weight():
    model = net(1, "edge-popup")
    before = model[0].parametrizations.weight.original.clone()
    first = mask(model)
    train(model, torch.optim.Adam((p for p in model.parameters() if p.requires_grad), 0.05), STEPS)
    assert torch.equal(model[0].parametrizations.weight.original, before)
    assert not torch.equal(mask(model), first)


def test_gradient_of_n_of_m_is_dense_with_decay():
    model = net(2, "2:4")
    found, effective = loss_gradients(model, *samples())
    weight = model[0].parametrizations.weight.original
    torch.testing.assert_close(found[ORIGINAL], effective + 2e-4 * (1 - mask(model)) * weight)


@pytest.mark.parametrize("method", WITH_COUNT)
@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 0.01), lambda p: torch.optim.Adam(p, 0.01)])
def test_counts_hold_at_every_step(method, make):
    model = net(4, method)
    optimizer = make([p for p in model.parameters() if p.requires_grad])
    _score, schedule, structure, sparsity = METHODS[method]
    rows, units = structure.layout((6, 8))
    left = units - structure.kept((6, 8), sparsity)
    for step in range(1, STEPS + 1):
        train(model, optimizer, 1)
        expected = units - round(left * schedule.progress(step))
        groups = mask(model).sum()
        assert int(groups) == rows * expected * (48 // (rows * units))
    assert bool(((model.eval()[0].weight != 0) <= (mask(model) > 0)).all())


@pytest.mark.parametrize("method", ["random", "one-shot", "gradual", "block", "channel", "SET", "RigL"])
@pytest.mark.parametrize("name", ["adam", "momentum", "decay"])
def test_removed_weights_their_gradients_and_moments_stay_zero(method, name):
    model = net(5, method)
    params = [p for p in model.parameters() if p.requires_grad]
    optimizer = {
        "adam": lambda: torch.optim.Adam(params, 0.02),
        "momentum": lambda: torch.optim.SGD(params, 0.01, momentum=0.9),
        "decay": lambda: torch.optim.AdamW(params, 0.02, weight_decay=0.1),
    }[name]()
    weight = model[0].parametrizations.weight.original
    for _ in range(STEPS):
        train(model, optimizer, 1)
        gone = mask(model) == 0
        assert not bool(weight[gone].any())
        for memory in optimizer.state[weight].values():
            if memory.ndim and memory.shape == weight.shape:
                assert not bool(memory[gone].any())
        if method != "RigL":  # which asks for dense gradients, and clears what they did
            found, _ = loss_gradients(model, *samples())
            assert not bool(found[ORIGINAL][gone].any())


@pytest.mark.parametrize("method", ["one-shot", "gradual", "block", "channel"])
def test_pruned_weights_do_not_come_back(method):
    model = net(6, method)
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    before = mask(model)
    for _ in range(STEPS):
        train(model, optimizer, 1)
        assert bool((mask(model) <= before).all())
        before = mask(model)


def test_twice_a_fifth_leaves_sixty_four_of_a_hundred():
    layer = nn.Linear(10, 10, bias=False)
    for left in (80, 64):
        masks.sparsify(layer, masks.Magnitude(), 1 - left / 100)
        assert int((layer.weight != 0).sum()) == left
        masks.make_permanent(layer)


@pytest.mark.parametrize("make", [lambda p: torch.optim.SGD(p, 0.01), lambda p: torch.optim.Adam(p, 0.01),
                                  lambda p: torch.optim.SGD(p, 0.01, momentum=0.9)])  # fmt: skip
def test_rigl_grows_where_the_dense_gradient_is_largest(make):
    model = net(7, "RigL")
    optimizer = make(list(model.parameters()))
    train(model, optimizer, 2)
    before = mask(model)
    x, y = samples()
    # the twin: the gradient of the effective weight at the parameters of the third step
    _, dense = loss_gradients(model, x, y)
    train(model, optimizer, 1)
    after = mask(model)
    share = 0.15 * (1 + math.cos(math.pi * 3 / 12))
    dropped = int(int(before.sum()) * share)
    assert dropped > 0
    grown = ((after > 0) & (before == 0)).flatten().nonzero()[:, 0].tolist()
    inactive = (before == 0).flatten()
    expected = torch.where(inactive, dense.flatten().abs(), -1.0).topk(dropped).indices.tolist()
    assert sorted(grown) == sorted(expected)
    assert not bool(model[0].parametrizations.weight.original.flatten()[grown].any())
    assert int(((after == 0) & (before > 0)).sum()) == dropped


@pytest.mark.parametrize("method", ["SET", "RigL"])
def test_regrowth_takes_no_weight_that_was_just_dropped(method):
    model = net(8, method)
    optimizer = torch.optim.Adam(model.parameters(), 0.05)
    changes = 0
    for _ in range(11):
        before = mask(model)
        train(model, optimizer, 1)
        lost, won = (before > mask(model)).sum(), (mask(model) > before).sum()
        assert lost == won
        changes += int(won)
    assert changes > 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("optimizer", [Adam(0.02), SGD(0.01, momentum=0.9)], ids=["adam", "momentum"])
def test_an_ensemble_does_what_a_loop_of_ones_own_does(method, optimizer):
    x, _y = samples()
    ensemble = Ensemble.of(lambda g: net(int(torch.randint(99, (), generator=g)), method), range(3))
    alone = [ensemble[i] for i in range(3)]
    found = fit(ensemble, data(), optimizer=optimizer, epochs=STEPS, between=[masks.following(ensemble)])
    for i, model in enumerate(alone):
        params = [p for p in model.parameters() if p.requires_grad]
        if isinstance(optimizer, Adam):
            train(model, torch.optim.Adam(params, 0.02), STEPS)
        else:
            train(model, torch.optim.SGD(params, 0.01, momentum=0.9), STEPS)
        one = found.ensemble[i]
        assert torch.equal(mask(one), mask(model))
        torch.testing.assert_close(one.eval()(x), model.eval()(x), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_interrupted_is_uninterrupted(method):
    """A loop of one's own: model and optimizer saved in the middle, loaded into new ones."""
    whole, half = net(13, method), net(13, method)

    def adam(model):
        return torch.optim.Adam((p for p in model.parameters() if p.requires_grad), 0.02)

    train(whole, adam(whole), STEPS)
    optimizer = adam(half)
    train(half, optimizer, 7)
    file = io.BytesIO()
    torch.save([half.state_dict(), optimizer.state_dict()], file)
    file.seek(0)
    saved, memory = torch.load(file, weights_only=True)
    again = net(99, method)
    again.load_state_dict(saved)
    optimizer = adam(again)
    optimizer.load_state_dict(memory)
    train(again, optimizer, STEPS - 7)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


@pytest.mark.parametrize("method", ["RigL", "SET", "soft", "L0", "straight-through"])
def test_a_fit_goes_on_from_its_checkpoint(method, tmp_path):
    ensemble = Ensemble.stack([net(seed, method) for seed in range(3)])

    def trained(epochs, file):
        return fit(
            ensemble, data(), optimizer=Adam(0.02), epochs=epochs, batch_size=6, order=range(3),
            between=[masks.following(ensemble)], checkpoint=Checkpoint(tmp_path / file),
        )  # fmt: skip

    whole = trained(6, "whole.pt")
    trained(3, "half.pt")
    again = trained(6, "half.pt")
    for name, tensor in whole.ensemble.state_dict().items():
        assert torch.equal(tensor, again.ensemble.state_dict()[name]), name


def test_members_of_an_ensemble_may_differ_in_sparsity():
    nets = []
    for sparsity in (0.0, 0.5, 0.95):
        model = nn.Linear(8, 6, dtype=torch.float64)
        nets.append(masks.sparsify(nn.Sequential(model), masks.Learned(), sparsity, generator=generator(0, "m")))
    ensemble = Ensemble.stack(nets)
    watch = every_epochs(lambda m: {"kept": m.ensemble.buffers[f"{OWN}mask"].sum((1, 2))})
    found = fit(
        ensemble, data(), optimizer=Adam(0.02), epochs=4, between=[masks.following(ensemble)], observe=[watch],
        loss=lambda out, target: (out.sum(1, keepdim=True) - target).square().mean(),
    )  # fmt: skip
    assert found.rows.pivot(index="epoch", columns="run", values="value").to_numpy().tolist() == [[48, 24, 2]] * 5
