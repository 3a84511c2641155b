"""Networks, losses and hooks with which an ensemble once went silently wrong, against the loop they must equal."""

import threading

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator
from sparsenn_core.training import (
    SGD,
    Adam,
    Checkpoint,
    EarlyStopping,
    ProximalAdam,
    after_epochs,
    after_steps,
    minimise,
)

F64 = torch.float64
SEEDS = [3, 1, 4]


def samples(n=9, inputs=4, outputs=2):
    source = generator(0, "data")
    return torch.randn(n, inputs, generator=source, dtype=F64), torch.randn(n, outputs, generator=source, dtype=F64)


def ensemble(make, runs=3):
    return Ensemble.of(lambda g: make().to(F64), SEEDS[:runs])


def alone(make, x, y, loss, *, epochs=3, batch_size=4, seed=SEEDS[1]):
    net = ensemble(make)[SEEDS.index(seed)]
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    order = generator(seed, "order")
    for _ in range(epochs):
        batches = [(x, y)]
        if batch_size:
            loader = torch.utils.data.DataLoader(
                torch.utils.data.TensorDataset(x, y), batch_size, shuffle=True, generator=order
            )
            batches = list(loader)
        for bx, by in batches:
            optimizer.zero_grad()
            loss(net(bx), by).backward()
            optimizer.step()
    return dict(net.named_parameters())


class Trunk(nn.Module):
    """A trunk that is evaluated without gradients."""

    def __init__(self):
        super().__init__()
        self.trunk, self.head = nn.Linear(4, 5), nn.Linear(5, 2)

    def forward(self, x):
        with torch.no_grad():
            h = torch.tanh(self.trunk(x))
        return self.head(h)


class Detaching(Trunk):
    """The same, in training mode only."""

    def forward(self, x):
        h = torch.tanh(self.trunk(x))
        return self.head(h.detach() if self.training else h)


class Clamping(Trunk):
    """In training mode large values are cut, which a few samples may not show."""

    def forward(self, x):
        h = self.trunk(x)
        return self.head(h.clamp(max=0.6) if self.training else h)


class Squeezing(nn.Module):
    """Outputs without their last axis, and without the first where there is one sample."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x))).squeeze()


def shared_bias():
    net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    net[2].bias = net[0].bias
    return net


def chain():
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))


X, Y = samples()
CLASSES = (X[:, 0] > 0).long()
SOME_IGNORED = torch.where(torch.arange(9) % 3 == 0, -100, CLASSES)
WEIGHTED = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 100.0], dtype=F64))


@pytest.mark.filterwarnings("ignore:Using a target size")  # PyTorch's own, of the loop
@pytest.mark.parametrize("batch_size", [4, None])
@pytest.mark.parametrize(
    ("make", "x", "y", "loss"),
    [
        (chain, X, CLASSES, WEIGHTED),
        (chain, X, SOME_IGNORED, nn.functional.cross_entropy),
        (Trunk, X, Y, nn.functional.mse_loss),
        (Detaching, X, Y, nn.functional.mse_loss),
        (Clamping, X, Y, nn.functional.mse_loss),
        (Squeezing, X, Y[:, 0], nn.functional.mse_loss),
        (shared_bias, X, Y, nn.functional.mse_loss),
        (chain, X.unsqueeze(1), Y.unsqueeze(1), nn.functional.mse_loss),
        (chain, X.unsqueeze(1).repeat(1, 3, 1), Y.unsqueeze(1).repeat(1, 3, 1), nn.functional.l1_loss),
    ],
    ids=["class weights", "ignored", "no grad", "detach", "clamp", "squeeze", "shared bias", "axis", "axes"],
)  # fmt: skip
def test_equals_the_loop(make, x, y, loss, batch_size):
    options = {"batch_size": batch_size, "order": SEEDS} if batch_size else {}
    found = fit(ensemble(make), Data.shared(x, y), optimizer=SGD(0.1), epochs=3, loss=loss, **options).ensemble
    for name, weight in alone(make, x, y, loss, batch_size=batch_size).items():
        torch.testing.assert_close(found.params[name][1], weight.detach(), rtol=1e-9, atol=1e-11)


def test_hooks_may_exchange_and_transpose_and_replace_whole_dicts():
    def make():
        return nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))

    start, (x, y) = ensemble(make), samples(outputs=4)

    def exchange(moment):
        p = moment.params
        p["0.weight"], p["1.weight"] = p["1.weight"], p["0.weight"].mT

    def replace(moment):
        moment.params = {k: torch.zeros_like(w) for k, w in moment.params.items()}

    options = {"optimizer": SGD(0.0), "epochs": 1}
    found = fit(start, Data.shared(x, y), between=[exchange], **options).ensemble.params
    assert torch.equal(found["0.weight"], start.params["1.weight"])
    assert torch.equal(found["1.weight"], start.params["0.weight"].mT)
    found = fit(start, Data.shared(x, y), between=[after_steps(replace)], **options).ensemble.params
    assert all(not w.any() for w in found.values())


def test_hooks_on_frozen_parameters_leave_the_callers_alone_and_outlive_compaction():
    start = ensemble(chain)
    before = start.params["0.weight"].clone()

    def grow(moment):
        moment.params["0.weight"].add_(1)

    def stop(moment):
        moment.stop((moment.runs < 2) & (moment.epoch == 1))

    found = fit(start, Data.shared(X, Y), optimizer=SGD(0.1), epochs=4, only=["2"], between=[after_epochs(grow)],
                observe=[stop])  # fmt: skip
    assert torch.equal(start.params["0.weight"], before)
    grown = (found.ensemble.params["0.weight"] - before).mean((1, 2))
    torch.testing.assert_close(grown, torch.tensor([1.0, 1.0, 4.0], dtype=F64))


def test_minimise_sees_the_samples_of_its_fold_alone():
    x, y = samples(23, outputs=1)
    train, _ = Data.folds(x, y, [0, 1, 2])
    found = minimise(ensemble(lambda: nn.Linear(4, 1)), train, steps=0).ensemble
    for run in range(3):
        rows = train.rows[run]
        exact = torch.linalg.lstsq(torch.cat([x[rows], torch.ones(len(rows), 1, dtype=F64)], 1), y[rows]).solution
        torch.testing.assert_close(found.params["weight"][run], exact[:4].T, rtol=1e-6, atol=1e-8)


def test_a_fit_whose_runs_have_all_stopped_is_resumed_as_it_ended(tmp_path):
    options = {"optimizer": SGD(5.0), "epochs": 50, "early_stopping": EarlyStopping(2)}
    checkpoint = Checkpoint(tmp_path / "fit.pt", every=1)
    first = fit(ensemble(chain), Data.shared(X, Y), checkpoint=checkpoint, **options)
    again = fit(ensemble(chain), Data.shared(X, Y), checkpoint=checkpoint, **options)
    assert first.status == again.status
    assert all(torch.equal(w, again.ensemble.params[k]) for k, w in first.ensemble.params.items())


def test_sums_of_penalties_are_recognised_by_a_checkpoint(tmp_path):
    penalty = penalties.L1(0.1) + penalties.SquaredL2(0.1)
    checkpoint = Checkpoint(tmp_path / "fit.pt", every=1)
    options = {"optimizer": SGD(0.1), "penalty": penalty}
    for epochs in (1, 2):
        found = fit(ensemble(chain), Data.shared(X, Y), epochs=epochs, checkpoint=checkpoint, **options)
    whole = fit(ensemble(chain), Data.shared(X, Y), epochs=2, **options)
    assert found.epochs.tolist() == [2] * len(found.epochs)
    assert all(torch.equal(found.ensemble.params[k], w) for k, w in whole.ensemble.params.items())


def test_momentum_in_some_runs_only():
    momentum = torch.tensor([0.0, 0.9, 0.5], dtype=F64)
    together = fit(ensemble(chain), Data.shared(X, Y), optimizer=SGD(0.1, momentum=momentum), epochs=5).ensemble
    for run in range(3):
        one = fit(
            ensemble(chain)[run : run + 1], Data.shared(X, Y), optimizer=SGD(0.1, momentum=momentum[run]), epochs=5
        )
        torch.testing.assert_close(one.ensemble.params["0.weight"][0], together.params["0.weight"][run])


def test_a_prox_leaves_frozen_parameters_where_they_are():
    start = ensemble(chain)
    options = {"epochs": 5, "penalty": penalties.L1(0.5), "only": ["2"]}
    found = fit(start, Data.shared(X, Y), optimizer=ProximalAdam(0.1), **options).ensemble
    assert torch.equal(found.params["0.weight"], start.params["0.weight"])
    assert (found.params["2.weight"] == 0).any()
    found = fit(start, Data.shared(X, Y), optimizer=SGD(0.1), epochs=2, penalty=penalties.L1(0.5, only=("0.weight",)),
                only=["2"]).ensemble  # fmt: skip
    assert torch.equal(found.params["0.weight"], start.params["0.weight"])


def test_two_fits_in_two_threads_wait_for_each_other():
    expected = fit(ensemble(chain), Data.shared(X, Y), optimizer=Adam(0.1), epochs=20).ensemble
    found = {}

    def work(number):
        found[number] = fit(ensemble(chain), Data.shared(X, Y), optimizer=Adam(0.1), epochs=20).ensemble

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(found[n].params["0.weight"], expected.params["0.weight"]) for n in range(3))


class Keeping(nn.Module):
    """Keeps an activation."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        self.last = self.linear(x)
        return self.last


class Spoiling(nn.Module):
    """Writes into its inputs."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(x.mul_(0.5))


def test_a_forward_that_keeps_activations_leaves_the_ensemble_usable():
    start = ensemble(Keeping)
    start(X)
    found = fit(start, Data.shared(X, Y), optimizer=SGD(0.1), epochs=2).ensemble
    torch.testing.assert_close(found[0](X), found(X)[0])


def with_gradient_hook():
    net = chain()
    net[0].weight.register_hook(lambda gradient: gradient * 0)
    return net


def with_module_hook():
    net = chain()
    net[0].register_full_backward_hook(lambda module, before, after: None)
    return net


def pruned():
    net = chain()
    prune.random_unstructured(net[0], "weight", 0.5)
    return net


BATCHNORM = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2))


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (with_gradient_hook, {}, "gradient hooks"),
        (with_module_hook, {}, "gradient hooks"),
        (pruned, {}, "pruned"),
        (lambda: nn.Sequential(nn.Embedding(5, 2, padding_idx=0)), {}, "padding_idx"),
        (Spoiling, {}, "writes into its inputs"),
        (lambda: BATCHNORM, {"tile": 3}, "tile cuts batches"),
        (lambda: BATCHNORM, {"arithmetic": torch.float32}, "arithmetic of another type"),
        (chain, {"validation": Data.shared(X, Y[:, 0])}, "outputs are"),
        (chain, {"validation": (X, Y)}, "validation is"),
        (chain, {"early_stopping": 10}, "early_stopping is 10"),
        (chain, {"observe": print}, r"observe is a list, such as \[print\]"),
        (chain, {"between": print}, "between is a list"),
        (chain, {"checkpoint": "x.pt"}, r"give Checkpoint\('x.pt'\)"),
        (chain, {"arithmetic": "float32"}, "arithmetic is 'float32'"),
        (chain, {"batch_size": 3, "order": [0.1, 0.2, 0.3]}, "a seed is a whole number"),
        (chain, {"batch_size": 3, "order": 0}, "order is a list of seeds"),
        (chain, {"compiled": "yes"}, "compiled is 'yes'"),
    ],
)  # fmt: skip
def test_what_would_go_wrong_is_refused(make, options, message):
    with pytest.raises(InputError, match=message) as caught:
        fit(ensemble(make), Data.shared(X, Y), **({"optimizer": SGD(0.1), "epochs": 2} | options))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[None], Y[None], [0, 0]), "of_run must be a tensor"),
        ((X[None], Y[None], torch.tensor([0.0])), "of_run must be a tensor of whole numbers"),
        ((X[None], Y[None], None, torch.tensor([[0, 1]])), "of_run"),
        ((X[None], Y[None], torch.tensor([0]), torch.tensor([[0, 9]])), r"rows names samples outside 0\.\.8"),
    ],
)
def test_indices_of_data_are_checked(arguments, message):
    with pytest.raises(InputError, match=message):
        Data(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"observe": [lambda moment: moment.stop([0, 2])]}, "stop takes True or a mask of the 3 runs"),
        ({"observe": [lambda moment: moment.runs]}, "as a dict, not Tensor"),
        ({"optimizer": SGD(0.1, schedule=lambda step: None)}, "schedule gave None at step 1"),
        ({"optimizer": SGD(0.1, schedule=lambda step: float("nan"))}, "schedule gave nan at step 1"),
    ],
)
def test_slips_of_callbacks_are_one_line(options, message):
    with pytest.raises(InputError, match=message):
        fit(ensemble(chain), Data.shared(X, Y), **({"optimizer": SGD(0.1), "epochs": 2} | options))


def test_an_empty_ensemble_is_refused():
    with pytest.raises(InputError, match="no runs"):
        fit(ensemble(chain)[3:], Data.shared(X, Y), optimizer=SGD(0.1), epochs=1)
    with pytest.raises(InputError, match="no runs"):
        ensemble(chain)[3:](X)
