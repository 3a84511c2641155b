"""How fast are the rebound study's experiments, beside the loop that its code runs, and in closed form?

Usage: python benchmarks/rebound.py [--quick] [--save FILE.parquet]

One process, one thread, CPU time. Ten runs of 500 epochs on 10,000 samples: a serial loop of `nn.Sequential` and
`torch.optim`, which after every step works out the distance and both losses again, as the study does; and the ensemble
with the same numbers recorded, its gradient written out, as `fit` does it by itself, or by automatic differentiation,
eager and compiled. The ways take turns; a figure is the median over all steps, scaled to 500 epochs. Setting up and
compiling are not counted, the first step's seconds stand beside. The closed form of A, B and C is timed for ten
teachers, with nothing left out. Curves are compared over the steps that were run.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from sparsenn_book.studies import rebound
from sparsenn_book.studies.rebound import TeachersAndStudents
from sparsenn_book.studies.rebound.watching import squared_distances
from sparsenn_core import linearized
from sparsenn_core.training import SGD, Moment, every_epochs, fit
from sparsenn_core.training.backprop import Backprop
from sparsenn_core.training.gradients import Loss
from sparsenn_core.training.stacked_layers import stacked_layers

EPOCHS = 500
CONDITION = rebound.Condition(perturbation=0.1, noise=0.1, num_runs=10)


@dataclass(frozen=True)
class Timed:
    """Squared distances and training losses after each step, [R, steps], and CPU seconds of each step of all runs."""

    distances: Tensor
    losses: Tensor
    seconds: list[float]


def serial(drawn: TeachersAndStudents, steps: int) -> Timed:
    """The study's loop, one network after the other."""
    distances, losses, seconds = [], [], [0.0] * steps
    for run, (student, teacher) in enumerate(zip(drawn.students, drawn.teachers, strict=True)):
        layers = [part for layer in student.layers for part in (layer, nn.Tanh())][:-1]
        net, star = nn.Sequential(*layers), [p.detach() for p in teacher.parameters()]
        optimizer = torch.optim.SGD(net.parameters(), CONDITION.learning_rate)
        x, y = drawn.data.inputs[run], drawn.data.targets[run]
        test_x, test_y = drawn.test[run], drawn.test_targets[run] + drawn.test_noise[run]
        for step in range(steps):
            start = time.process_time()
            optimizer.zero_grad()
            mse_loss(net(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                pairs = zip(net.parameters(), star, strict=True)
                distances.append(sum(((p.double() - s.double()) ** 2).sum() for p, s in pairs).item())
                losses.append(mse_loss(net(x), y).item())
                mse_loss(net(test_x), test_y).item()
            seconds[step] += time.process_time() - start
    shape = (len(drawn.teachers), steps)
    return Timed(torch.tensor(distances).reshape(shape), torch.tensor(losses).reshape(shape), seconds)


def automatic_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """The mean squared error under another name, for which `fit` has no gradient written out."""
    return mse_loss(outputs, targets)


def ensemble(
    drawn: TeachersAndStudents, steps: int, *, tile: int | None = None, loss: Loss = mse_loss, compiled: bool = False
) -> Timed:
    """The same from one fit; the loss after a step is the one that the next step starts from."""
    clock = [time.process_time()]
    test = Backprop(stacked_layers(drawn.students.template) or [], shared=False, tile=tile)
    noisy = drawn.test_targets + drawn.test_noise

    def measure(moment: Moment) -> Mapping[str, Tensor]:
        found = {
            "distance": squared_distances(moment.ensemble, drawn.teachers),
            "loss": moment.epoch_loss,
            "test": test.losses(moment.ensemble.params, drawn.test, noisy),
        }
        clock.append(time.process_time())
        return found

    result = fit(
        drawn.students, drawn.data, optimizer=SGD(CONDITION.learning_rate), epochs=steps,
        observe=[every_epochs(measure)], loss=loss, tile=tile, compiled=compiled,
    )  # fmt: skip
    table = result.rows.pivot_table(index="run", columns=["name", "epoch"], values="value", dropna=False)
    distances, losses = (torch.tensor(table[name].to_numpy()) for name in ("distance", "loss"))
    # the first look is before training
    return Timed(distances[:, 1:], losses[:, 2:], [b - a for a, b in itertools.pairwise(clock[1:])])


def closed_forms() -> float:
    """CPU seconds for the curves of A, B and C of ten teachers at 10,000 samples."""
    drawn = rebound.draw(replace(CONDITION, precision="float64"))
    start = time.process_time()
    for run, teacher in enumerate(drawn.teachers):
        at = linearized.Linearization.at(teacher, drawn.data.inputs[run])
        step = [drawn.students.params[k][run] - w[run] for k, w in drawn.teachers.params.items()]
        at.squared_distance(learning_rate=1e-2, steps=EPOCHS, displacement=step)
        at.squared_distance(learning_rate=1e-2, steps=EPOCHS, noise=drawn.noise[run])
        for i in range(25):
            at.squared_distance(learning_rate=1e-3, steps=100, noise=1.615**i * drawn.noise[run])
    return time.process_time() - start


def main() -> None:
    """Measure, print, and save where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round of few steps instead of three of many")
    parser.add_argument("--save", type=Path, help="also write the rows as parquet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    drawn = rebound.draw(CONDITION)
    rounds, steps = (1, 8) if options.quick else (3, 20)
    ways: dict[str, Callable[[], Timed]] = {"serial": lambda: serial(drawn, steps)}
    ways["written out"] = lambda: ensemble(drawn, steps)
    ways["written out, tile 2000"] = lambda: ensemble(drawn, steps, tile=2000)
    ways["automatic"] = lambda: ensemble(drawn, steps, loss=automatic_loss)
    ways["automatic, compiled"] = lambda: ensemble(drawn, steps, loss=automatic_loss, compiled=True)
    found: dict[str, list[Timed]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    rows = []
    print(f"load {os.getloadavg()[0]:.1f}")
    print(f"{'':24}{'s for 500 epochs':>18}{'ratio':>8}{'first step s':>14}{'distances, losses differ by':>29}")
    for name, timed in found.items():
        median = statistics.median(second for t in timed for second in t.seconds[1:])
        exact, ours = found["serial"][0], timed[0]
        common = ours.losses.shape[1]
        pairs = ((ours.distances, exact.distances), (ours.losses, exact.losses[:, :common]))
        errors = [((a - b).abs() / b).max().item() for a, b in pairs]
        row = {"way": name, "seconds": EPOCHS * median, "first": timed[0].seconds[0],
               "distance_error": errors[0], "loss_error": errors[1]}  # fmt: skip
        rows.append(row)
        ratio = rows[0]["seconds"] / row["seconds"]
        print(f"{name:24}{row['seconds']:18.1f}{ratio:7.2f}x{row['first']:14.1f}{errors[0]:20.1e}{errors[1]:9.1e}")
    closed = closed_forms()
    print(f"closed form of A, B and C, ten teachers: {closed:.1f} s")
    if options.save:
        import pandas as pd

        from sparsenn_book.records import provenance, write_rows

        frame = pd.DataFrame([*rows, {"way": "closed form", "seconds": closed}])
        write_rows(frame, options.save, provenance({"quick": options.quick}, 0.0, "cpu"))


if __name__ == "__main__":
    main()
