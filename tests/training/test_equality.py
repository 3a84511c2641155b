"""R runs trained as one equal R runs trained one after the other by torch.optim, minibatch order included."""

import pytest
import torch
from serial import train

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.networks import MLP, baseline_cnn, initialize_study_, literal_teacher, multi_channel_cnn
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, EarlyStopping, ProximalAdam, ProximalSGD

SEEDS = [3, 1, 4, 15, 9]
RATES = torch.tensor([0.01, 0.012, 0.005, 0.002, 0.008], dtype=torch.float64)
L1 = torch.tensor([0.0, 1e-3, 1e-2, 1e-4, 1e-3], dtype=torch.float64)
L2 = torch.tensor([1e-3, 0.0, 1e-3, 1e-2, 0.0], dtype=torch.float64)
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}


def build(kind, dtype):
    def make(source):
        if kind == "mlp":
            return MLP([12, 9, 1], "tanh", generator=source).to(dtype)
        maker = baseline_cnn if kind == "baseline" else multi_channel_cnn
        return initialize_study_(maker("tanh", generator=source), "tanh", 1.0, source).to(dtype)

    return make


def data_sets(dtype, samples=70):
    """One data set a run, as each study's seed draws its own."""
    teacher = literal_teacher("baseline", "tanh", dtype=dtype)
    x = torch.stack([torch.randn(samples, 12, generator=generator(s, "data"), dtype=dtype) for s in SEEDS])
    return Data(x, torch.stack([teacher(one) for one in x]), torch.arange(len(SEEDS)))


OPTIMIZERS = {
    "sgd": lambda: SGD(RATES, momentum=0.9, weight_decay=L2),
    # Adam divides by the root of the squared gradient: where a gradient passes through zero, its rounding error is
    # blown up to the size of a step, so float32 runs agree within 1e-6 only at steps of Adam's usual size, 1e-3
    "adam": lambda: Adam(RATES / 5, weight_decay=L2),
    "proximal sgd": lambda: ProximalSGD(RATES, momentum=0.5),
    "proximal adam": lambda: ProximalAdam(RATES / 5),
}


def serial_runs(kind, dtype, name, steps, batch_size, use_l1, use_l2):
    data = data_sets(dtype)
    weights = []
    for r, seed in enumerate(SEEDS[:3]):
        module = build(kind, dtype)(generator(seed, "init"))
        settings = {"momentum": 0.9 if name == "sgd" else 0.5 if name == "proximal sgd" else 0.0}
        rate = RATES[r].item() / (5 if "adam" in name else 1)
        settings["weight_decay"] = 0.0 if "proximal" in name else L2[r].item()
        train(
            module,
            data.inputs[r],
            data.targets[r],
            kind=name.split()[-1],
            lr=rate,
            steps=steps,
            seed=seed,
            batch_size=batch_size,
            l1=L1[r].item() * use_l1,
            l2=L2[r].item() * use_l2,
            proximal="proximal" in name,
            **settings,
        )
        weights.append({k: v.detach() for k, v in module.named_parameters()})
    return weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize(("use_l1", "use_l2"), [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize(("kind", "batch_size"), [("baseline", 16), ("multi", 16), ("mlp", None)])
def test_forty_steps_equal_the_serial_loop(dtype, name, use_l1, use_l2, kind, batch_size):
    steps = 40
    per_epoch = 1 if batch_size is None else 5  # 70 samples: four batches of 16 and one of 6
    penalty = {
        (0, 0): None,
        (1, 0): penalties.L1(L1),
        (0, 1): penalties.SquaredL2(L2),
        (1, 1): penalties.L1(L1) + penalties.SquaredL2(L2),
    }[use_l1, use_l2]
    result = fit(
        Ensemble.of(build(kind, dtype), SEEDS),
        data_sets(dtype),
        optimizer=OPTIMIZERS[name](),
        penalty=penalty,
        epochs=steps // per_epoch,
        batch_size=batch_size,
        order=SEEDS if batch_size else None,
    )
    for r, weights in enumerate(serial_runs(kind, dtype, name, steps, batch_size, use_l1, use_l2)):
        for k, w in weights.items():
            assert (result.ensemble.params[k][r] - w).abs().max() < TOLERANCE[dtype]


@pytest.mark.parametrize("batch_size", [16, None])
def test_a_run_does_not_depend_on_its_neighbours(batch_size):
    ensemble, data = Ensemble.of(build("multi", torch.float64), SEEDS), data_sets(torch.float64)
    settings = {"epochs": 8, "batch_size": batch_size}

    def train_these(runs):
        index = torch.tensor(runs)
        return fit(
            ensemble.select(index),
            data.select(index),
            optimizer=Adam(RATES[index]),
            penalty=penalties.L1(L1[index]),
            order=[SEEDS[r] for r in runs] if batch_size else None,
            **settings,
        ).ensemble.params

    together = train_these([0, 1, 2, 3, 4])
    for runs in ([2, 0], [4, 3, 1]):
        few = train_these(runs)
        for k, w in few.items():
            assert torch.equal(w, together[k][runs])
    # a product of one matrix is summed in another order than that of several
    for k, w in train_these([1]).items():
        torch.testing.assert_close(w, together[k][[1]], rtol=0, atol=1e-14)


def test_a_stopped_run_leaves_the_others_untouched():
    """Early stopping compacts the stack; the runs that go on do what they do without early stopping."""
    ensemble, data = Ensemble.of(build("baseline", torch.float64), SEEDS), data_sets(torch.float64)
    settings = {
        "optimizer": SGD(torch.tensor([0.2, 0.01, 1.5, 0.01, 0.3]), momentum=0.9),
        "batch_size": 16,
        "order": SEEDS,
    }
    stopped = fit(ensemble, data, epochs=60, early_stopping=EarlyStopping(4), **settings)
    assert len(set(stopped.epochs.tolist())) > 2
    for r, epochs in enumerate(stopped.epochs.tolist()):
        whole = fit(ensemble, data, epochs=epochs, **settings)
        for k, w in whole.ensemble.params.items():
            assert torch.equal(w[r], stopped.ensemble.params[k][r])
