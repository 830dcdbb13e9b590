"""Work on many submissions at the same time: worker processes, each with a warm parent of its own."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from multiprocessing.util import Finalize
from typing import TypeVar

from grader.kernel.pool import Kernels
from grader.settings import Settings

T = TypeVar("T")
R = TypeVar("R")


class Workers(ProcessPoolExecutor):
    """Processes that do one thing after another with kernels of their own; `None` jobs: one for each core."""

    def __init__(self, settings: Settings, jobs: int | None = None) -> None:
        super().__init__(jobs or usable_cores(), mp_context=get_context("spawn"))
        self._settings = settings

    def __exit__(self, *_: object) -> None:
        """After an error, leave undone what has not begun."""
        self.shutdown(cancel_futures=True)

    def each(self, work: Callable[[Kernels, T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Do `work(kernels, task)` for each task; gives results as they come."""
        waiting = [self.submit(_work, self._settings, work, task) for task in tasks]
        return (done.result() for done in as_completed(waiting))


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _work(settings: Settings, work: Callable[[Kernels, T], R], task: T) -> R:
    return work(_kernels(settings), task)


@cache
def _kernels(settings: Settings) -> Kernels:
    """The kernels of this process, until it ends: before Python ends its threads, which closing takes."""
    kernels = Kernels(settings)
    kernels.__enter__()
    Finalize(None, kernels.__exit__, args=(None, None, None), exitpriority=0)
    return kernels
