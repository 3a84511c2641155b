"""`sparsenn sweep`: plan, tell the price, execute what is not there, gather what is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from sparsenn_book.runner.terminal import Terminal
from sparsenn_book.sources.project import Project
from sparsenn_book.sweeps.collect import collect
from sparsenn_book.sweeps.engines import Engine, engine, outcomes
from sparsenn_book.sweeps.planning import plan
from sparsenn_book.sweeps.price import price
from sparsenn_book.sweeps.progress import Progress
from sparsenn_book.sweeps.runs import Run, State
from sparsenn_book.sweeps.slurm import read_options
from sparsenn_book.sweeps.sweep_file import find

Say = Callable[[str], None]


def sweep(project: Project, name: str, on: str, *, retry_failed: bool, options: Path | None, say: Say) -> list[str]:
    """Execute the runs of a sweep that are not there, and gather the rows of all that are; complaints, one line each,
    if any run is missing then. `InputError`, before anything starts, for a sweep or an engine that could not work.
    """
    runs = plan(project, find(project, name))
    states = {run.id: run.state() for run in runs}
    ahead = [run for run in runs if states[run.id] in ("waiting", "damaged") or (retry_failed and _failed(states, run))]
    chosen = engine(on, lambda: read_options(project, options), len(ahead))
    say(_summary(runs, states, retry_failed=retry_failed))
    done = sum(state == "done" for state in states.values())
    progress = Progress(runs[0].sweep, len(runs), done, len(ahead), Terminal())
    complaints = [_work(ahead, chosen, progress, say)] if ahead else []
    states = {run.id: run.state() for run in runs}
    try:
        _gather(runs, states, say)
    except OSError as error:
        complaints.append(f"{runs[0].sweep}: not collected: {error}")
    missing = Counter(state for state in states.values() if state != "done")
    told = ", ".join(f"{count} {state}" for state, count in sorted(missing.items()))
    complaints += [f"{runs[0].sweep}: not all runs are there: {told}"] if missing else []
    return [complaint for complaint in complaints if complaint]


def status(project: Project, name: str, say: Say) -> None:
    """Tell what is there of a sweep; changes nothing."""
    runs = plan(project, find(project, name))
    states = {run.id: run.state() for run in runs}
    say(_summary(runs, states, retry_failed=False))
    for run in runs:
        if states[run.id] in ("failed", "damaged"):
            where = run.failures if states[run.id] == "failed" else run.folder
            why = f" ({run.wrong()})" if states[run.id] == "damaged" else ""
            say(f"{states[run.id]}: {project.shown(where)}{why}")
    space = runs[0].space
    attempts = len(list((space / ".attempts").glob("*")))
    others = [path for path in space.glob("[!.]*") if path.is_dir() and path.name not in states]
    if attempts:
        say(f"{attempts} attempts under way, or left over from a crash: {project.shown(space / '.attempts')}")
    if others:
        say(f"{len(others)} folders of other runs, by older source or another sweep file: {project.shown(space)}")
    waiting = [run for run in runs if states[run.id] in ("waiting", "damaged")]
    if waiting:
        say(price(waiting, 1))


def _work(ahead: Sequence[Run], chosen: Engine, progress: Progress, say: Say) -> str:
    """Execute runs; why it ended before all were tried, empty if it did not."""
    say(price(ahead, chosen.workers))
    progress.begin()
    # By chance, so that the first ones tell how long the others take, and two callers seldom meet at one run.
    order = random.SystemRandom().sample(list(ahead), len(ahead))
    ends = outcomes(order, chosen, progress.say)
    try:
        for outcome in ends:
            if outcome.status == "stop":
                return outcome.message
            progress.take(outcome)
    finally:
        ends.close()
        progress.end()
    return ""


def _gather(runs: Sequence[Run], states: dict[str, State], say: Say) -> None:
    done = {run.id for run in runs if states[run.id] == "done"}
    gathered = collect(runs, done)
    if gathered:
        path, rows = gathered
        say(f"collected: {runs[0].project.shown(path)}, {rows} rows from {len(done)} of {len(runs)} runs")


def _summary(runs: Sequence[Run], states: dict[str, State], *, retry_failed: bool) -> str:
    counts = Counter(states.values())
    what = runs[0].function or runs[0].notebook
    failed = f", {counts['failed']} failed ({'tried again' if retry_failed else '--retry-failed runs them again'})"
    parts = [f"{counts['done']} done", f"{counts['waiting']} to do"]
    parts += [f"{counts['damaged']} damaged"] if counts["damaged"] else []
    many = f"{len(runs)} run{'s' * (len(runs) > 1)}"
    return f"{runs[0].sweep}: {many} of {what}: {', '.join(parts)}{failed if counts['failed'] else ''}"


def _failed(states: dict[str, State], run: Run) -> bool:
    return states[run.id] == "failed"
