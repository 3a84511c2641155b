"""The kernel that notebooks run in: this very interpreter, in the project's root, with the project's own core.

An installed kernelspec called python3 may belong to another environment, so one is written where it is found first.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

NAME = "python3"  # the name that notebooks carry


def write_kernelspec(folder: Path, root: Path) -> Path:
    """Write a kernelspec under `folder` and return what to put into JUPYTER_PATH for it to be found."""
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    spec = {
        "argv": [
            sys.executable,
            "-P",
            "-m",
            "sparsenn_book.runner.kernel_process",
            "-f",
            "{connection_file}",
            f"--IPKernelApp.exec_lines=import os; os.chdir({str(root)!r}); del os",
        ],
        "display_name": "Python 3",
        "language": "python",
        "env": {"PYTHONPATH": os.pathsep.join(path for path in paths if path)},
    }
    path = folder / "kernels" / NAME / "kernel.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(spec, indent=1), encoding="utf-8")
    return folder


if __name__ == "__main__":
    sys.stdout.write(f"{write_kernelspec(Path(sys.argv[1]), Path.cwd()).resolve()}\n")
