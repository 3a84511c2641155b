"""The process that executes one notebook: `python -m sparsenn_book.runner.worker WORK`, in the project's root.

WORK holds `job.json` (source, parameters, output) and gets `error.json` if the notebook fails. One line a cell goes to
standard output. Standard input is a pipe held by the runner: when it closes, be it that the user stopped the runner or
that the runner was killed, the worker stops too and takes its kernel along.
"""

from __future__ import annotations

import os
import resource
import signal
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
STOPPED = 130
GRACE = 5.0  # seconds for the kernel to go; it also watches its parent by itself


def main(work: Path) -> int:
    """Execute the job in `work`; the exit status is 0, `FAILED` or `STOPPED`."""
    job = read_json(work / JOB)
    _isolate(work)
    # A runner that a shell started in the background passes on that Ctrl-C is to be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_stop_with_runner, daemon=True).start()
    cell: list[int] = []
    try:
        _execute(work, job, cell)
    except KeyboardInterrupt:
        return STOPPED
    except Exception as error:
        write_json(work / ERROR, _describe(error) | {"cell": cell[-1] if cell else None})
        return FAILED
    # The kernel is the only child, and it has ended.
    write_json(work / USAGE, {"memory": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024})
    return 0


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
        shutdown_kernel="immediate",
    )


def _describe(error: Exception) -> dict[str, Any]:
    """What went wrong: a cell's error as the notebook saw it, or any other as it stands."""
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        return {"error": error.ename, "message": error.evalue, "traceback": error.traceback}
    return {"error": type(error).__name__, "message": str(error), "traceback": traceback.format_exception(error)}


def _stop_with_runner() -> None:
    # Not through sys.stdin, whose lock a waiting thread would still hold when the interpreter ends.
    while os.read(0, 1):
        pass
    last_resort = threading.Timer(GRACE, os._exit, [STOPPED])
    last_resort.daemon = True
    last_resort.start()
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
