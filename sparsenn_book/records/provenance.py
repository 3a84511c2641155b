"""Where a table comes from: parameters, code, libraries, device, time."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIBRARIES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "cvxpy", "scikit-learn", "plotly")


def provenance(parameters: Mapping[str, Any], seconds: float, device: object = "cpu", **more: Any) -> dict[str, Any]:
    """What a table should carry: resolved parameters, commit, versions of libraries, device, seconds, UTC date, `more`.

    `device` is a torch device or its name. `output_dir` is left out of the parameters: it says where, not what.
    """
    return {
        **more,
        "parameters": {name: value for name, value in parameters.items() if name != "output_dir"},
        "code": code_version(),
        "versions": versions(),
        "device": device_name(device),
        "seconds": round(float(seconds), 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def code_version(folder: Path = HERE) -> dict[str, Any]:
    """The git commit of the checkout around `folder` and whether files differ from it (None: no git)."""
    commit = _git(folder, "rev-parse", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def versions() -> dict[str, str]:
    """Versions of Python and of the numerical libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def device_name(device: object) -> str:
    """The name of a device as people know it, e.g. the model of the GPU or of the processor."""
    if str(device).startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(torch.device(str(device))))
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
