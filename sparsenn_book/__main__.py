"""The command line: `sparsenn list | run NAME | book | sweep NAME | prices` (`python -m sparsenn_book`). It imports no
science, but for a sweep of a table function.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from sparsenn_book.records.words import duration
from sparsenn_book.runner.batch import execute_all
from sparsenn_book.runner.execute import Watch
from sparsenn_book.runner.freshness import EXECUTED
from sparsenn_book.runner.possible import check_possible
from sparsenn_book.runner.prices import gather
from sparsenn_book.runner.tasks import Task, plan, plan_book
from sparsenn_book.runner.terminal import Terminal
from sparsenn_book.sources.notebooks import names, read
from sparsenn_book.sources.prices import read_prices
from sparsenn_book.sources.profiles import profiles
from sparsenn_book.sources.project import Project
from sparsenn_core.errors import InputError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
LONGEST = 290  # characters of a refusal, which with `error: ` are at most 300

profile_option = click.option("--profile", default="laptop", show_default=True, help="A folder of params/.")


@click.group(invoke_without_command=True)
@click.pass_context
def cli(context: click.Context) -> None:
    """Execute the notebooks of the book, and build it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command("list")
def list_notebooks() -> None:
    """Notebooks: title, and for each profile the state of its result and the price."""
    project = Project.find()
    prices = read_prices(project)
    for name in names(project):
        source = read(project, name)
        click.echo(f"{name}  {source.title}")
        for profile in profiles(project):
            price = prices.get(name, {}).get(profile)
            cost = f"{duration(price['seconds'])}, {price['memory'] / 1024:.1f} GB" if price else ""
            click.echo(f"    {profile:<7} {_state(project, name, profile):<36} {cost}".rstrip())


@cli.command()
@click.argument("name")
@profile_option
@click.option("-p", "own", nargs=2, multiple=True, metavar="KEY VALUE", help="A parameter of your own, as YAML.")
@click.option("--force", is_flag=True, help="Run even if the result is fresh, and compute its tables again.")
def run(name: str, profile: str, own: Sequence[tuple[str, str]], force: bool) -> None:
    """Execute notebook NAME (01_l1_path or l1_path). With -p, the result goes to results/custom/."""
    _execute([plan(Project.find(), name, profile, own)], jobs=1, force=force)


@cli.command()
@profile_option
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="Notebooks at once.")
@click.option("--compute", is_flag=True, help="At full: compute the tables that are missing or old (hours).")
def book(profile: str, jobs: int, compute: bool) -> None:
    """Execute all notebooks whose results are not fresh, then build the book in book/_build/html.

    At full the tables that come with the repository are shown, marked where they are old, and none is computed unless
    --compute asks for it.
    """
    project = Project.find()
    stored_only = profile == "full" and not compute
    executed = _execute(plan_book(project, profile, stored_only=stored_only), jobs=jobs, force=False)
    _check_fresh(plan_book(project, profile, stored_only=stored_only))
    from sparsenn_book.runner.book import build

    try:
        page = build(profile, executed, project, say=click.echo)
    except RuntimeError as error:
        _stop(FAILED, str(error))
    click.echo(f"book ({profile}): {project.shown(page)}")


@cli.command("sweep")
@click.argument("name")
@click.option("--on", default="serial", show_default=True, help="serial, local[:N], tcp://HOST:PORT or slurm.")
@click.option("--status", "only_status", is_flag=True, help="Tell what is there, and change nothing.")
@click.option("--retry-failed", is_flag=True, help="Run those again that failed.")
@click.option("--options", type=click.Path(path_type=Path), help="Options of Slurm  [default: params/slurm.yaml]")
def run_sweep(name: str, on: str, only_status: bool, retry_failed: bool, options: Path | None) -> None:
    """Execute the runs of params/sweeps/NAME.yaml that are not there, and gather the rows of all into one table."""
    from sparsenn_book.sweeps.command import status, sweep

    if only_status:
        return status(Project.find(), name, click.echo)
    complaints = sweep(Project.find(), name, on, retry_failed=retry_failed, options=options, say=click.echo)
    if complaints:
        _stop(FAILED, *complaints)


@cli.command()
def prices() -> None:
    """Take what the results at hand cost into params/prices.json, for the heads of the chapters."""
    project = Project.find()
    click.echo(project.shown(gather(project)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exit status: 0; 1 if a notebook, the book or the disk fails; 2 for bad input; 130 for
    Ctrl-C. All but the first come with one line on standard error.
    """
    # Not through cli.main, which answers Ctrl-C with a line of its own.
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        with cli.make_context("python -m sparsenn_book", given) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except InputError as error:
        _stop(BAD_INPUT, _line(error))
    except click.ClickException as error:
        _stop(error.exit_code, _line(error.format_message()))
    except OSError as error:
        _stop(FAILED, _line(error))
    except KeyboardInterrupt:
        _stop(INTERRUPTED, "interrupted; finished results are kept, the next call goes on from there")
    sys.exit(0)


def _execute(tasks: Sequence[Task], *, jobs: int, force: bool) -> dict[str, Path]:
    """Execute tasks and return their executed notebooks by name; leave with status 1 if one fails.
    `InputError`, before any starts, for one that could not run to its end.
    """
    check_possible([task for task in tasks if force or task.state()[0] != "fresh"])
    terminal = Terminal()
    executions = execute_all(tasks, Watch(terminal.say, terminal.progress), jobs=jobs, force=force)
    failures = [execution.message for execution in executions if execution.status == "failed"]
    if failures:
        _stop(FAILED, *failures)
    return {execution.task.source.name: execution.folder / EXECUTED for execution in executions}


def _check_fresh(tasks: Sequence[Task]) -> None:
    """Leave with status 1 if results have become old while others were made: their book would show the old ones."""
    states = [(task, *task.state()) for task in tasks]
    old = [
        f"{task.title}: changed while the book ran ({reason or state})"
        for task, state, reason in states
        if state != "fresh"
    ]
    if old:
        more = f", and {len(old) - 1} more" if len(old) > 1 else ""
        _stop(FAILED, f"{old[0]}{more}; no book is built, the next call runs them")


def _state(project: Project, name: str, profile: str) -> str:
    try:
        task = plan(project, name, profile)
    except InputError as error:
        return f"refused: {_line(error)}"
    task.result.tidy()
    state, reason = task.state()
    return f"{state} ({reason})" if reason else state


def _line(message: object) -> str:
    """A refusal in one line, however long what it quotes."""
    line = " ".join(str(message).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _stop(status: int, *messages: str) -> NoReturn:
    for message in messages:
        click.echo(f"error: {message}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
