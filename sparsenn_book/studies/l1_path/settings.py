"""What the parameters of the L1 chapter set, split by what depends on it."""

from __future__ import annotations

from dataclasses import dataclass

from sparsenn_core.errors import unknown

STUDENTS = ("baseline", "multi_channel")
"""Experiment 1 trains the baseline student (7 weights), experiment 2 the multi-channel one (52 weights)."""

ACTIVATIONS = ("relu", "sigmoid", "tanh")
PENALTIES = ("none", "l1", "l2")


@dataclass(frozen=True)
class Objective:
    """What is minimised: mean squared error on `samples` inputs plus `strength` times the penalty, and the student.

    Two of the study's choices are options: `last_activation`, "same" for the study's own (the activation also after
    the last layer, which bounds the output) or "linear"; and `bias`, which the study leaves out.
    """

    samples: int = 5120
    strength: float = 1e-5
    last_activation: str = "same"
    bias: bool = False

    def __post_init__(self) -> None:
        if self.last_activation not in ("same", "linear"):
            raise unknown("last activation", self.last_activation, ("same", "linear"), where="Objective")


@dataclass(frozen=True)
class Schedule:
    """The steps of the study's training, with the values its records show: SGD with momentum, constant learning rate.

    `doubled_l2`: the L2 term counts in the loss and as the optimizer's weight decay, as in the study; its gradient is
    then 3 strength w instead of 2 strength w.
    """

    batch_size: int = 16
    learning_rate: float = 0.01
    momentum: float = 0.9
    doubled_l2: bool = True


@dataclass(frozen=True)
class Length:
    """How long a run may train: `epochs` at most, and no more after `patience` of them without a lower loss."""

    epochs: int = 100_000
    patience: int = 100


@dataclass(frozen=True)
class Grid:
    """The runs of one student and activation: every penalty at every initial scale with seeds 1 to `seeds`."""

    seeds: int = 10
    init_scales: tuple[float, ...] = (0.2, 1.0)


@dataclass(frozen=True)
class MinimiserSettings:
    """Random starts of the minimiser for each penalty, student and activation, and proximal steps of each."""

    starts: int = 4
    minimiser_steps: int = 2000


@dataclass(frozen=True)
class DeadStarts:
    """How many students that are dead before training are trained on, and for how many epochs, without patience."""

    dead_starts: int = 20
    wake_epochs: int = 300


@dataclass(frozen=True)
class FreshInputs:
    """Fresh inputs on which every network is judged."""

    test_samples: int = 50_000
