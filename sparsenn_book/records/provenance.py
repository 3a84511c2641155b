"""Where a table comes from: parameters, code, libraries, device, time."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CORE = Path(__file__).resolve().parent.parent
LIBRARIES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "cvxpy", "scikit-learn", "plotly")
# What drives the notebooks cannot change what they compute.
NOT_SCIENCE = ("runner", "__main__.py")


def provenance(parameters: Mapping[str, Any], seconds: float, device: object = "cpu") -> dict[str, Any]:
    """What a table should carry: resolved parameters, versions of code and libraries, device, seconds, UTC date.

    `device` is a torch device or its name. `output_dir` is left out of the parameters: it says where, not what.
    """
    return {
        "parameters": {name: value for name, value in parameters.items() if name != "output_dir"},
        "code": code_version(),
        "versions": versions(),
        "device": device_name(device),
        "seconds": round(float(seconds), 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def code_version(core: Path = CORE) -> dict[str, Any]:
    """Hash of the library's source, with the git commit and whether the checkout differs from it (None: no git)."""
    commit = _git(core, "rev-parse", "HEAD")
    changes = _git(core, "status", "--porcelain", "--untracked-files=no")
    return {"source": source_hash(core), "commit": commit, "dirty": None if changes is None else bool(changes)}


def source_hash(core: Path) -> str:
    """sha256 over names and bytes of the library's files, without what cannot change a result."""
    return hash_files(core, (path for path in core.rglob("*") if path.relative_to(core).parts[0] not in NOT_SCIENCE))


def hash_files(base: Path, paths: Iterable[Path]) -> str:
    """sha256 over the names (relative to `base`) and bytes of files; folders and compiled Python do not count."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            # The length keeps name and content apart, so that no two sets of files spell the same bytes.
            digest.update(f"{path.relative_to(base).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


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
