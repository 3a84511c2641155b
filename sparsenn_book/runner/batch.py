"""Several tasks at once, each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from sparsenn_book.runner.execute import Execution, Watch, execute
from sparsenn_book.runner.result_folder import Interrupted
from sparsenn_book.runner.tasks import Task


def execute_all(tasks: Sequence[Task], watch: Watch, *, jobs: int = 1, force: bool = False) -> list[Execution]:
    """Execute tasks, `jobs` at once, and say how each ended. After a failure no further task starts, and those under
    way come to their end; the executions are those of the tasks that were begun, in the order of the tasks.

    Ctrl-C stops all workers and their kernels before it is raised again.
    """
    waiting = list(tasks)
    running: dict[Future[Execution], Task] = {}
    executions: list[Execution] = []
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            while waiting or running:
                unfinished = {task.source.name for task in [*waiting, *running.values()]}
                for task in [task for task in waiting if not unfinished & set(task.needs)][: jobs - len(running)]:
                    waiting.remove(task)
                    running[pool.submit(execute, task, watch, force=force)] = task
                # With a time limit, as a wait without one would not notice Ctrl-C.
                done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    executions.append(future.result())
                    if executions[-1].status == "failed":
                        waiting.clear()
                    else:
                        watch.say(executions[-1].message)
        except BaseException:
            watch.stop()
            for future in running:
                if not isinstance(future.exception(), Interrupted | None):
                    watch.say(f"{running[future].title}: {future.exception()}")
            raise
    order = [task.result for task in tasks]
    return sorted(executions, key=lambda execution: order.index(execution.task.result))
