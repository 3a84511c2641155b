"""An interrupted fit goes on as if nothing had happened; what belongs to another fit is refused."""

import pandas as pd
import pytest
import torch
from small_fit import SEEDS, SETTINGS, data, ensemble, loss_rows

from sparsenn_core import fit
from sparsenn_core.errors import InputError
from sparsenn_core.training import SGD, Checkpoint, every_epochs, on_stop


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
    with pytest.raises(Killed):
        fit(ensemble(), data(), epochs=25, observe=[*watch, every_epochs(killer)], checkpoint=checkpoint, **SETTINGS)
    resumed = fit(ensemble(), data(), epochs=25, observe=watch, checkpoint=checkpoint, **SETTINGS)
    for kind in ("ensemble", "best"):
        for k, w in getattr(whole, kind).params.items():
            assert torch.equal(w, getattr(resumed, kind).params[k])
    assert resumed.status == whole.status
    assert torch.equal(resumed.best_loss, whole.best_loss)
    pd.testing.assert_frame_equal(resumed.rows, whole.rows)


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


def test_a_checkpoint_of_something_else_is_refused_and_kept(tmp_path):
    path = tmp_path / "fit.pt"
    fit(ensemble(), data(), epochs=2, optimizer=SGD(0.01), checkpoint=Checkpoint(path))
    before = path.read_bytes()
    with pytest.raises(InputError, match="other data, weights or settings"):
        fit(ensemble(), data(), epochs=2, optimizer=SGD(0.02), checkpoint=Checkpoint(path))
    assert path.read_bytes() == before
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        fit(ensemble(), data(), epochs=2, optimizer=SGD(0.01), checkpoint=Checkpoint(path))
