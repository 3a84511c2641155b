"""Stock PyTorch networks trained as one equal each of them trained alone by torch.optim; what cannot be is refused."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, AdamW, by_epoch, cosine

SEEDS = [3, 1, 4]
SAMPLES = 22
F64 = torch.float64


class Residual(nn.Module):
    """A residual block between two layers: no chain."""

    def __init__(self):
        super().__init__()
        self.first, self.inner, self.last = nn.Linear(6, 5), nn.Linear(5, 5), nn.Linear(5, 2)

    def forward(self, x):
        h = self.first(x)
        return self.last(h + torch.relu(self.inner(h)))


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.last(torch.tanh(self.second(torch.tanh(self.first(x)))))


class Attention(nn.Module):
    """Six tokens of one number."""

    def __init__(self):
        super().__init__()
        self.embed, self.last = nn.Linear(1, 4), nn.Linear(4, 2)
        self.attend = nn.MultiheadAttention(4, 2, bias=False, batch_first=True)

    def forward(self, x):
        h = self.embed(x.unsqueeze(-1))
        return self.last(self.attend(h, h, h, need_weights=False)[0].mean(1))


class Counting(nn.Module):
    """A buffer that forward replaces by a new tensor, and that the output depends on."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 2)
        self.register_buffer("calls", torch.zeros((), dtype=F64))

    def forward(self, x):
        if self.training:
            self.calls = self.calls + 1
        return self.linear(x) / (1 + 0.1 * self.calls)


def chain():
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))


def convolutions():
    return nn.Sequential(
        nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(3, 2, 2),
        nn.ReLU(), nn.Flatten(), nn.Linear(4, 2),
    )  # fmt: skip


def normalised():
    return nn.Sequential(nn.Linear(6, 5, bias=False), nn.BatchNorm1d(5), nn.ReLU(), nn.LayerNorm(5), nn.Linear(5, 2))


class Recurrence(nn.Module):
    """A recurrence written as a loop over six tokens."""

    def __init__(self):
        super().__init__()
        self.enter, self.stay, self.last = nn.Linear(1, 3), nn.Linear(3, 3, bias=False), nn.Linear(3, 2)

    def forward(self, x):
        h = torch.tanh(self.enter(x[:, :1]))
        for token in x[:, 1:].unsqueeze(-1).unbind(1):
            h = torch.tanh(self.enter(token) + self.stay(h))
        return self.last(h)


def frozen():
    net = chain()
    net[0].weight.requires_grad_(False)
    return net


NETWORKS = {
    "chain": chain, "convolutions": convolutions, "normalised": normalised, "residual": Residual, "tied": Tied,
    "attention": Attention, "recurrence": Recurrence, "counting": Counting, "frozen": frozen,
    "one layer": lambda: nn.Linear(6, 2),
}  # fmt: skip

OPTIMIZERS = {
    "sgd": (lambda: SGD(0.05), lambda p: torch.optim.SGD(p, lr=0.05)),
    "nesterov": (
        lambda: SGD(0.05, momentum=0.9, weight_decay=0.01, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01, nesterov=True),
    ),
    "adam": (lambda: Adam(0.01, weight_decay=0.01), lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.01)),
    "adamw": (lambda: AdamW(0.01, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
}


def build(kind):
    return lambda source: NETWORKS[kind]().to(F64)


def samples(targets=2):
    source = generator(0, "data")
    x = torch.randn(SAMPLES, 6, generator=source, dtype=F64)
    return x, torch.randn(SAMPLES, targets, generator=source, dtype=F64)


def train_alone(net, x, y, optimizer, *, epochs, batch_size, seed, loss, clip=None, schedule=None, drop_last=False):
    """The loop as research code writes it."""
    order = generator(seed, "order")
    batches = [(x, y)]
    if batch_size:
        batches = DataLoader(TensorDataset(x, y), batch_size, shuffle=True, generator=order, drop_last=drop_last)
    for _ in range(epochs):
        for bx, by in batches:
            optimizer.zero_grad()
            loss(net(bx), by).backward()
            if clip:
                torch.nn.utils.clip_grad_norm_([p for p in net.parameters() if p.requires_grad], clip)
            optimizer.step()
        if schedule:
            schedule.step()


def assert_equal(result, kind, train):
    for r, seed in enumerate(SEEDS):
        net = Ensemble.of(build(kind), [seed])[0]
        train(net, seed)
        for name, tensor in (*net.named_parameters(), *net.named_buffers()):
            found = (result.params | result.buffers)[name][r]
            torch.testing.assert_close(found, tensor.detach(), rtol=1e-8, atol=1e-10, msg=f"{kind}: {name}")


@pytest.mark.parametrize("batch_size", [8, None])
@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize("kind", list(NETWORKS))
def test_twelve_steps_equal_the_serial_loop(kind, name, batch_size):
    ours, theirs = OPTIMIZERS[name]
    x, y = samples()
    epochs = 4 if batch_size else 12
    order = SEEDS if batch_size else None
    trained = fit(
        Ensemble.of(build(kind), SEEDS), Data.shared(x, y), optimizer=ours(), epochs=epochs, batch_size=batch_size,
        order=order,
    )  # fmt: skip

    def train(net, seed):
        trainable = [p for p in net.parameters() if p.requires_grad]
        options = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "loss": nn.functional.mse_loss}
        train_alone(net, x, y, theirs(trainable), **options)

    assert_equal(trained.ensemble, kind, train)


@pytest.mark.parametrize("loss", [nn.functional.cross_entropy, nn.CrossEntropyLoss(label_smoothing=0.1)])
def test_clipping_schedules_by_epoch_and_classification(loss):
    x, _ = samples()
    y = (x[:, 0] > 0).long()
    optimizer = SGD(0.5, momentum=0.5, clip_norm=0.3, schedule=by_epoch(cosine(6)))
    trained = fit(
        Ensemble.of(build("chain"), SEEDS), Data.shared(x, y), optimizer=optimizer, epochs=6, batch_size=8,
        order=SEEDS, loss=loss, drop_last=True,
    )  # fmt: skip

    def train(net, seed):
        theirs = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.5)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 6)
        options = {"epochs": 6, "batch_size": 8, "seed": seed, "loss": loss, "drop_last": True}
        train_alone(net, x, y, theirs, clip=0.3, schedule=schedule, **options)

    assert_equal(trained.ensemble, "chain", train)


def test_settings_of_each_run_hold_for_each_run():
    x, y = samples()
    rates, clips = torch.tensor([0.1, 0.02, 0.05], dtype=F64), torch.tensor([0.1, float("inf"), 0.5], dtype=F64)
    trained = fit(
        Ensemble.of(build("chain"), SEEDS), Data.shared(x, y), epochs=9,
        optimizer=AdamW(rates, clip_norm=clips, weight_decay=0.1),
    )  # fmt: skip

    def train(net, seed):
        r = SEEDS.index(seed)
        theirs = torch.optim.AdamW(net.parameters(), lr=float(rates[r]), weight_decay=0.1)
        clip = float(clips[r]) if clips[r] < 1 else None
        train_alone(net, x, y, theirs, epochs=9, batch_size=None, seed=seed, loss=nn.functional.mse_loss, clip=clip)

    assert_equal(trained.ensemble, "chain", train)


@pytest.mark.parametrize("only", [["2"], ["0.weight", "4"], "2.bias"])
def test_only_what_is_named_is_trained(only):
    start = Ensemble.of(build("chain"), SEEDS)
    trained = fit(start, Data.shared(*samples()), optimizer=Adam(0.1, weight_decay=0.1), epochs=3, only=only).ensemble
    names = [only] if isinstance(only, str) else only
    for name, weight in trained.params.items():
        named = any(name == one or name.startswith(f"{one}.") for one in names)
        assert torch.equal(weight, start.params[name]) != named


def test_forward_hooks_are_obeyed_on_full_batches_as_on_minibatches():
    def doubled(source):
        net = nn.Sequential(nn.Linear(6, 2)).to(F64)
        net[0].register_forward_hook(double)
        return net

    def double(module, inputs, out):
        return 2 * out

    x, y = samples()
    for options in ({}, {"batch_size": 8, "order": SEEDS}):
        trained = fit(Ensemble.of(doubled, SEEDS), Data.shared(x, y), optimizer=SGD(0.05), epochs=3, **options)
        for r, seed in enumerate(SEEDS):
            net = Ensemble.of(doubled, [seed])[0]
            theirs = torch.optim.SGD(net.parameters(), lr=0.05)
            size = options.get("batch_size")
            train_alone(net, x, y, theirs, epochs=3, batch_size=size, seed=seed, loss=nn.functional.mse_loss)
            torch.testing.assert_close(trained.ensemble.params["0.weight"][r], net[0].weight.detach())


class Pair(nn.Module):
    """Returns a tuple."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 2)

    def forward(self, x):
        return self.linear(x), x


class Noisy(nn.Module):
    """Draws noise in forward."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 2)

    def forward(self, x):
        return self.linear(x + torch.randn_like(x))


class Recurrent(nn.Module):
    """An LSTM over six tokens."""

    def __init__(self):
        super().__init__()
        self.lstm, self.last = nn.LSTM(1, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, x):
        return self.last(self.lstm(x.unsqueeze(-1))[0][:, -1])


X, Y = (t.float() for t in samples())


@pytest.mark.parametrize(
    ("make", "data", "options", "message"),
    [
        (lambda: nn.Linear(6, 1), (X, Y[:, 0]), {}, r"outputs are \['n', 1\], the targets \['n'\]"),
        (lambda: nn.Linear(6, 2), (X.double(), Y.double()), {}, r"data are float64, the weights of Linear float32"),
        (lambda: nn.Linear(5, 2), (X, Y), {}, r"Linear: it cannot be evaluated on inputs \['n', 6\]: "),
        (Pair, (X, Y), {}, "Pair returns tuple, and one tensor is needed"),
        (Noisy, (X, Y), {}, "randn_like|draws random numbers"),
        (Recurrent, (X, Y), {}, "with nn.Linear in a loop, or train them one by one with torch.optim"),
        (lambda: nn.Sequential(nn.Linear(6, 2), nn.Dropout(0.5)), (X, Y), {},
         "dropout draws random numbers: give order"),
        (lambda: nn.Linear(6, 2), (X, Y), {"loss": nn.functional.cross_entropy, "data": (X, Y[:, 0] > 0)},
         "loss cannot be evaluated on outputs"),
        (lambda: nn.Linear(6, 2), (X, Y), {"loss": nn.MSELoss(reduction="none")}, "one number for a batch"),
        (lambda: nn.Linear(6, 2), (X, Y), {"only": ["weigth"]}, "'weigth'.*weight"),
        (lambda: nn.Linear(6, 2).requires_grad_(False), (X, Y), {}, "every parameter is frozen"),
        (lambda: nn.Linear(6, 2), (X, Y), {"optimizer": torch.optim.SGD}, "optimizer is .*, not Optimizer"),
        (lambda: nn.Linear(6, 2), (X, Y), {"drop_last": True}, "drop_last is about minibatches"),
        (lambda: nn.Linear(6, 2), (X, Y), {"epochs": 2.5}, "epochs must be 1 or more, not 2.5"),
        (lambda: nn.Linear(6, 2), (X, Y), {"observe": [3]}, "an observer is a function"),
        (lambda: nn.Linear(6, 2), (X, Y), {"observe": [lambda moment: 3]}, "as a dict, not int"),
        (lambda: nn.Linear(6, 2), (X, Y), {"observe": [lambda moment: {"a": "x"}]}, "'a' as str, which is no number"),
        (lambda: nn.Linear(6, 2), (X, Y), {"between": [3]}, "a hook is a function"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_one_line(make, data, options, message):
    options = dict(options)
    x, y = options.pop("data", data)
    settings = {"optimizer": SGD(0.1), "epochs": 2} | options
    with pytest.raises(InputError, match=message) as caught:
        fit(Ensemble.of(lambda g: make(), 3), Data.shared(x, y), **settings)
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class Whole(penalties.Penalty):
    """One number for all runs."""

    def value(self, params):
        return sum(w.abs().sum() for w in params.values())


@dataclass(frozen=True)
class Misspelt(penalties.Penalty):
    """Names a parameter that is not there."""

    def value(self, params):
        return params["wieght"].flatten(1).sum(1)


@pytest.mark.parametrize(
    ("penalty", "message"),
    [(Whole(0.1), r"value of Whole must be one number a run, \[2\] for 2 runs, not \[\]"), (Misspelt(0.1), "wieght")],
)
def test_penalties_that_do_not_give_one_number_a_run_are_refused(penalty, message):
    with pytest.raises(InputError, match=message):
        fit(Ensemble.of(lambda g: nn.Linear(6, 2), 3), Data.shared(X, Y), optimizer=SGD(0.1), epochs=1, penalty=penalty)


def test_arrays_are_refused_by_name():
    with pytest.raises(InputError, match="inputs are ndarray, not a tensor"):
        Data.shared(X.numpy(), Y)
