"""The process of a kernel: IPython's, that ends when the process that started it ends.

ipykernel watches its parent too, but only once it has imported itself, seconds later on a busy machine. A parent that
is killed meanwhile would leave a kernel that nobody knows of, and that may never end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "JPY_PARENT_PID"  # set by Jupyter's launcher
EVERY = 0.25  # seconds
PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """End this process when `parent` ends, or now if it has ended already."""
    if sys.platform == "linux":
        # The system's own way, which works in the midst of a computation that keeps Python's lock.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(EVERY)
    os._exit(1)


if __name__ == "__main__":
    if PARENT in os.environ:
        end_with_parent(int(os.environ[PARENT]))
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()
