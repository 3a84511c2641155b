"""The process of one run: `python -m sparsenn_book.runner.worker WORK`, in the project's root.

WORK holds `job.json` (parameters, output, and the source of a notebook or the name of a table function) and gets
`error.json` if the run fails. Of a notebook, one line a cell goes to standard output. Standard input is a pipe held by
the runner: when it closes, be it that the user stopped the runner or that the runner was killed, the worker ends at
once. Its kernel ends with it (`kernel_process`), and holds the worker's standard output, so that the runner sees from
the end of that pipe that both have gone.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from sparsenn_book.records.files import read_json, write_json
from sparsenn_book.runner.kernel import NAME, write_kernelspec

JOB = "job.json"
ERROR = "error.json"
USAGE = "usage.json"
FAILED = 1
UNWRITTEN = os.EX_IOERR
STOPPED = 130


def main(work: Path) -> int:
    """Do the job in `work`; the exit status is 0, `FAILED`, or `UNWRITTEN` if that could not be told. Ends the process
    when the runner lets go of it.
    """
    threading.Thread(target=_end_with_runner, daemon=True).start()
    job = read_json(work / JOB)
    cell: list[int] = []
    try:
        if "function" in job:
            from sparsenn_book.runner.table_job import compute

            compute(Path.cwd(), job)
        else:
            _isolate(work)
            _execute(work, job, cell)
    except Exception as error:
        return _told(work / ERROR, _describe(error) | {"cell": cell[-1] if cell else None}, FAILED)
    # The kernel is the only child, and it has ended; a function is computed right here.
    who = resource.RUSAGE_SELF if "function" in job else resource.RUSAGE_CHILDREN
    return _told(work / USAGE, {"memory": resource.getrusage(who).ru_maxrss // 1024}, 0)


def _told(path: Path, value: dict[str, Any], status: int) -> int:
    """The exit status once `value` is written, or that of a worker that cannot write."""
    try:
        write_json(path, value)
    except OSError:
        return UNWRITTEN
    return status


def _isolate(work: Path) -> None:
    """Keep the user's Jupyter and IPython settings out, and their folders clean."""
    os.environ["JUPYTER_PATH"] = str(write_kernelspec(work.resolve(), Path.cwd()))
    os.environ["JUPYTER_CONFIG_DIR"] = str(work.resolve() / "config")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(work.resolve() / "runtime")
    os.environ["IPYTHONDIR"] = str(work.resolve() / "ipython")


def _execute(work: Path, job: dict[str, Any], cell: list[int]) -> None:
    """Execute the notebook, and append to `cell` the number of each cell that starts, from 1 as in the source."""
    import jupytext
    import nbformat
    import papermill

    notebook = jupytext.read(work / job["source"], fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": NAME, "display_name": "Python 3", "language": "python"}
    tags = [entry.metadata.get("tags", []) for entry in notebook.cells]
    injected = next(index for index, names in enumerate(tags) if "parameters" in names) + 1
    nbformat.write(notebook, work / "input.ipynb")

    def follow(cell_index: int, **_: object) -> None:
        # papermill adds a cell of its own, which is not in the source.
        cell.append(cell_index + (cell_index < injected))
        sys.stdout.write(f"cell {cell[-1]}/{len(tags)}\n")
        sys.stdout.flush()

    papermill.execute_notebook(
        str(work / "input.ipynb"),
        job["output"],
        job["parameters"],
        kernel_name=NAME,
        language="python",
        progress_bar=False,
        on_cell_start=follow,
        # Writing the notebook anew after every cell took a third of a rendering; every half minute it is written still.
        request_save_on_cell_execute=False,
        shutdown_kernel="immediate",
    )


def _describe(error: Exception) -> dict[str, Any]:
    """What went wrong: a cell's error as the notebook saw it, or any other as it stands."""
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        return {"error": error.ename, "message": error.evalue, "traceback": error.traceback}
    return {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exception(error)}


def _end_with_runner() -> None:
    # Not through sys.stdin, whose lock a waiting thread would still hold when the interpreter ends.
    while os.read(0, 1):
        pass
    # At once, at whatever the rest of the process is: an exception could come amid an import, or be swallowed.
    os._exit(STOPPED)


if __name__ == "__main__":
    status = main(Path(sys.argv[1]))
    sys.stdout.flush()
    # Without the interpreter's tidying up, in which the sockets to a kernel that has died may hang.
    os._exit(status)
