"""A fit as a program that may be killed: `killed_fit.py CHECKPOINT EPOCH` dies in that epoch."""

import os
import signal
import sys

from small_fit import SETTINGS, data, ensemble, loss_rows

from sparsenn_core import fit
from sparsenn_core.training import Checkpoint, every_epochs, named


def train(checkpoint, killed_in):
    """The fit with a loss and an observer of its own."""

    def kill(moment):
        if moment.epoch == killed_in:
            os.kill(os.getpid(), signal.SIGKILL)
        return {}

    return fit(
        ensemble(),
        data(),
        epochs=12,
        loss=lambda outputs, targets: (outputs - targets).abs().mean(),
        observe=[every_epochs(loss_rows), every_epochs(named("killer", kill))],
        checkpoint=checkpoint,
        **SETTINGS,
    )


if __name__ == "__main__":
    import killed_fit  # functions of the program itself would be those of another module

    killed_fit.train(Checkpoint(sys.argv[1], every=2), int(sys.argv[2]))
