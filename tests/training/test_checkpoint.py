"""An interrupted fit goes on as if nothing had happened; what belongs to another fit, or is damaged, is refused."""

import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import killed_fit
import pandas as pd
import pytest
import torch
from small_fit import SEEDS, SETTINGS, data, ensemble, loss_rows
from torch import nn

from sparsenn_core import Data, Ensemble, fit, penalties
from sparsenn_core.errors import InputError
from sparsenn_core.networks import MLP
from sparsenn_core.randomness import generator
from sparsenn_core.training import SGD, Adam, Checkpoint, EarlyStopping, cosine, every_epochs, named, on_stop

HERE = Path(__file__).parent


class Killed(Exception):
    pass


@pytest.mark.parametrize("kill_at", [4, 9, 15])
def test_interrupted_equals_uninterrupted_bit_for_bit(tmp_path, kill_at):
    """Killed in any epoch, also after runs have stopped and left, the fit goes on as if nothing had happened."""

    def killer(moment):
        if moment.epoch == kill_at:
            raise Killed
        return {}

    watch = [every_epochs(loss_rows), on_stop(loss_rows)]
    whole = fit(ensemble(), data(), epochs=25, observe=watch, **SETTINGS)
    assert len(set(whole.epochs.tolist())) > 2
    checkpoint = Checkpoint(tmp_path / "fit.pt", every=2)
    killed, spared = (every_epochs(named("killer", measure)) for measure in (killer, lambda moment: {}))
    with pytest.raises(Killed):
        fit(ensemble(), data(), epochs=25, observe=[*watch, killed], checkpoint=checkpoint, **SETTINGS)
    resumed = fit(ensemble(), data(), epochs=25, observe=[*watch, spared], checkpoint=checkpoint, **SETTINGS)
    for kind in ("ensemble", "best"):
        for k, w in getattr(whole, kind).params.items():
            assert torch.equal(w, getattr(resumed, kind).params[k])
    assert resumed.status == whole.status
    assert torch.equal(resumed.best_loss, whole.best_loss)
    pd.testing.assert_frame_equal(resumed.rows, whole.rows)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_is_carried_on_by_another(tmp_path):
    """Another process has other addresses and other orders of sets; the lock of the dead one is free."""

    path = tmp_path / "fit.pt"
    program = [sys.executable, str(HERE / "killed_fit.py"), str(path), "7"]
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    assert subprocess.run(program, env=environment, timeout=120).returncode == -signal.SIGKILL
    assert {p.name for p in tmp_path.iterdir()} == {"fit.pt", "fit.pt.lock"}
    resumed = killed_fit.train(Checkpoint(path), None)
    whole = killed_fit.train(None, None)
    assert all(torch.equal(resumed.ensemble.params[k], w) for k, w in whole.ensemble.params.items())
    pd.testing.assert_frame_equal(resumed.rows, whole.rows)
    assert [p.name for p in tmp_path.iterdir()] == ["fit.pt"]


def test_a_finished_fit_is_not_trained_again_but_may_be_made_longer(tmp_path):
    checkpoint = Checkpoint(tmp_path / "fit.pt")
    settings = {"optimizer": SGD(0.01), "batch_size": 8, "order": SEEDS, "observe": [on_stop(loss_rows)]}
    first = fit(ensemble(), data(), epochs=4, checkpoint=checkpoint, **settings)
    again = fit(ensemble(), data(), epochs=4, checkpoint=checkpoint, **settings)
    longer = fit(ensemble(), data(), epochs=9, checkpoint=checkpoint, **settings)
    straight = fit(ensemble(), data(), epochs=9, **settings)
    for k, w in straight.ensemble.params.items():
        assert torch.equal(again.ensemble.params[k], first.ensemble.params[k])
        assert torch.equal(longer.ensemble.params[k], w)
    pd.testing.assert_frame_equal(longer.rows, straight.rows)
    with pytest.raises(InputError, match=r"fit\.pt is at epoch 9, and 4 were asked for"):
        fit(ensemble(), data(), epochs=4, checkpoint=checkpoint, **settings)


def two_sets(of_run, offset=0.0):
    x = torch.randn(2, 8, 3, generator=generator(0, "data"), dtype=torch.float64)
    return Data(x, x.sum(2, keepdim=True) + offset, torch.tensor(of_run))


def shallow(activation="tanh", seeds=(0, 1)):
    return Ensemble.of(lambda source: MLP((3, 4, 1), activation, generator=source).double(), seeds)


def chain(*between):
    return Ensemble.stack([nn.Sequential(nn.Linear(3, 4), *between, nn.Linear(4, 1)).double()] * 2)


def rescaled(scale):
    torch.manual_seed(0)
    return chain(nn.BatchNorm1d(4, track_running_stats=False, eps=scale))


def scaled(factor):
    return lambda outputs, targets: factor * (outputs - targets).square().mean()


def quiet(moment, name="loss"):
    return {name: moment.epoch_loss}


BASE = {"ensemble": shallow, "data": lambda: two_sets([0, 1]), "optimizer": lambda: Adam(0.1)}
MINI = {"batch_size": lambda: 4, "order": lambda: [0, 1]}

# each: what the message names, and how each of two fits differs from the base
OTHERS = {
    "activation": ("another network", {}, {"ensemble": lambda: shallow("sigmoid")}),
    "seeds": ("other starting weights", {}, {"ensemble": lambda: shallow(seeds=(0, 2))}),
    "a constant": ("another network", {"ensemble": lambda: rescaled(1e-5)}, {"ensemble": lambda: rescaled(1e-1)}),
    "sets of runs": ("other sets of runs", {}, {"data": lambda: two_sets([1, 0])}),
    "targets": ("other targets", {}, {"data": lambda: two_sets([0, 1], offset=1.0)}),
    "rate": (r"another optimizer's learning_rate \(0\.1, this is 0\.2\)", {}, {"optimizer": lambda: Adam(0.2)}),
    "rates of runs": (
        "another optimizer's learning_rate",
        {"optimizer": lambda: Adam(torch.tensor([0.1, 0.2]))},
        {"optimizer": lambda: Adam(torch.tensor([0.1, 0.3]))},
    ),
    "rule": ("another optimizer", {}, {"optimizer": lambda: SGD(0.1)}),
    "schedule": (
        r"another schedule's length \(20, this is 1000\)",
        {"optimizer": lambda: Adam(0.1, cosine(20))},
        {"optimizer": lambda: Adam(0.1, cosine(1000))},
    ),
    "loss module": (
        "another loss",
        {"loss": lambda: nn.HuberLoss(delta=1.0)},
        {"loss": lambda: nn.HuberLoss(delta=5.0)},
    ),
    "loss closure": ("another loss", {"loss": lambda: scaled(1)}, {"loss": lambda: scaled(2)}),
    "loss lambda": (
        "another loss",
        {"loss": lambda: lambda outputs, targets: (outputs - targets).abs().mean()},
        {"loss": lambda: lambda outputs, targets: (outputs - targets).square().mean()},
    ),
    "loss partial": (
        "another loss",
        {"loss": lambda: functools.partial(nn.functional.huber_loss, delta=1.0)},
        {"loss": lambda: functools.partial(nn.functional.huber_loss, delta=5.0)},
    ),
    "penalty": ("another penalty", {}, {"penalty": lambda: penalties.L1(0.1)}),
    "strength": (
        r"another penalty's strength \(0\.1, this is 0\.2\)",
        {"penalty": lambda: penalties.L1(0.1)},
        {"penalty": lambda: penalties.L1(0.2)},
    ),
    "batch size": ("another batch size", MINI, MINI | {"batch_size": lambda: 2}),
    "order": (r"another order \(seeds\)", MINI, MINI | {"order": lambda: [0, 2]}),
    "order of generators": (
        r"another order \(seeds\)",
        MINI | {"order": lambda: [generator(i, "mine") for i in (0, 1)]},
        MINI | {"order": lambda: [generator(i, "mine") for i in (0, 2)]},
    ),
    "early stopping": ("another early stopping", {}, {"early_stopping": lambda: EarlyStopping(3)}),
    "observers": ("other observers", {}, {"observe": lambda: [every_epochs(quiet)]}),
    "observed": (
        "other observers",
        {"observe": lambda: [every_epochs(functools.partial(quiet, name="a"))]},
        {"observe": lambda: [every_epochs(functools.partial(quiet, name="b"))]},
    ),
    "tile": ("another tile", {}, {"tile": lambda: 4}),
    "arithmetic": ("other inputs, other targets, another arithmetic", {}, {"arithmetic": lambda: torch.float32}),
}


def trained(path, changes, epochs=2):
    return fit(**{name: make() for name, make in (BASE | changes).items()}, epochs=epochs, checkpoint=Checkpoint(path))


@pytest.mark.parametrize(("named", "one", "other"), OTHERS.values(), ids=OTHERS)
def test_another_fit_is_refused_by_what_differs_and_the_same_goes_on(tmp_path, named, one, other):
    path = tmp_path / "ck.pt"
    first = trained(path, one)
    before = path.read_bytes()
    with pytest.raises(InputError, match=rf"^\S*ck\.pt was made by a fit with {named}; move it away$"):
        trained(path, other)
    assert path.read_bytes() == before
    again = trained(path, one)
    assert all(torch.equal(first.ensemble.params[k], w) for k, w in again.ensemble.params.items())
    assert path.read_bytes() == before


def test_another_python_is_refused_where_functions_count(tmp_path, monkeypatch):
    trained(tmp_path / "ck.pt", {})
    monkeypatch.setattr("sparsenn_core.training.identity.python", lambda: "3.99")
    with pytest.raises(InputError, match=r"another Python \(3\.\d+, this is 3\.99\), whose bytecode"):
        trained(tmp_path / "ck.pt", {})


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path):
    path = tmp_path / "ck.pt"
    trained(path, {})
    whole = path.read_bytes()
    damaged = []
    for place in [*range(100), *range(100, len(whole), len(whole) // 100), len(whole) - 1]:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        damaged.append(bytes(flipped))
    damaged += [b"", whole[:50], whole[:-1], whole + b"\0", b"not a checkpoint"]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"ck\.pt is not a readable checkpoint"):
            Checkpoint(path).load({}, 9)


def test_what_would_run_code_is_not_read(tmp_path):
    """A digest only shows that nothing broke; whoever writes a file can write its digest too."""
    Checkpoint(tmp_path / "ck.pt").save({}, {"epoch": 0, "program": print})
    with pytest.raises(InputError, match="not a readable checkpoint"):
        Checkpoint(tmp_path / "ck.pt").load({}, 9)


def test_two_fits_do_not_share_a_file(tmp_path):
    path = tmp_path / "ck.pt"
    (tmp_path / "link.pt").symlink_to(path)
    with Checkpoint(path).held():
        for other in (path, tmp_path / "link.pt"):
            with pytest.raises(InputError, match=r"^\S*ck\.pt is in use by another fit; [^\n]*$"):
                trained(other, {})
    trained(path, {})
    assert not (tmp_path / "ck.pt.lock").exists()


def test_a_fit_within_a_fit_takes_another_file(tmp_path):
    def nested(moment):
        trained(tmp_path / "ck.pt", {})
        return {}

    with pytest.raises(InputError, match="in use by another fit"):
        trained(tmp_path / "ck.pt", {"observe": lambda: [every_epochs(named("nested", nested))]})


def test_a_save_that_fails_leaves_the_older_file_alone(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "ck.pt")
    checkpoint.save({}, {"epoch": 1})

    def full(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        checkpoint.save({}, {"epoch": 2})
    assert checkpoint.load({}, 9)["epoch"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["ck.pt"]


def test_what_a_killed_save_left_is_removed_and_nothing_else(tmp_path):
    for name in ("ck.pt.0123456789abcdef.partial", "ck.pt.mine.partial", "ck.pt.pt.0123456789abcdef.partial"):
        (tmp_path / name).touch()
    with Checkpoint(tmp_path / "ck.pt").held():
        pass
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_stays_where_it_is_when_the_working_folder_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = Checkpoint("ck.pt")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    checkpoint.save({}, {"epoch": 1})
    assert (tmp_path / "ck.pt").exists()


@pytest.mark.parametrize("every", [0, -1, 2.0, True, "50"])
def test_epochs_between_saves_are_checked(tmp_path, every):
    with pytest.raises(InputError, match=f"every {every!r} epochs"):
        Checkpoint(tmp_path / "ck.pt", every)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "is a folder; name a file, such as .*fit.pt"),
        ("none/ck.pt", "folder .*none/ck.pt does not exist"),
        (3, "not 3"),
    ],
)
def test_paths_are_checked(tmp_path, path, says):
    with pytest.raises(InputError, match=says):
        Checkpoint(path if isinstance(path, int) else tmp_path / path)
