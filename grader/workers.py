"""Work on many submissions at the same time: worker processes, each with a warm parent of its own."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from typing import Any, TypeVar

from grader.isolation import demand_isolation, send_canary
from grader.kernel.pool import Kernels
from grader.settings import Settings
from grader.text import spoken_in

T = TypeVar("T")
R = TypeVar("R")


class Workers(Executor):
    """Processes that do one thing after another, with kernels of their own; `None` jobs: one for each core.

    Where one of them is lost, what was under way fails with BrokenExecutor, and all are replaced for what comes next.
    """

    def __init__(self, jobs: int | None = None) -> None:
        """Prepare; a process is started when there is something to do."""
        self.jobs = jobs or usable_cores()
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn"), initializer=_begin_worker)

    def submit(self, work: Callable[..., R], /, *args: Any, **kwargs: Any) -> "Future[R]":
        """Have something done."""
        try:
            return self._pool.submit(work, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(cancel_futures=True)
            self._pool = self._started()
            return self._pool.submit(work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def __exit__(self, *_: object) -> None:
        """After an error, leave undone what has not begun."""
        self.shutdown(cancel_futures=True)

    def each(self, settings: Settings, work: Callable[[Kernels, T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Do `work(kernels, task)` for each task; gives results as they come."""
        waiting = [self.submit(_work, settings, work, task) for task in tasks]
        return (done.result() for done in as_completed(waiting))


def usable_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def kernels_of_this_process(settings: Settings, *, isolated: bool) -> Kernels:
    """The kernels of a worker, until it ends. isolated: they are for others' files, so a trial job is sent ahead of the first.

    Raises UsageError where nothing isolates them, and KernelFault if the trial job gets out.
    """
    kernels = _kernels(settings)
    if isolated:
        demand_isolation(kernels)
        _tried(settings)
    return kernels


def _begin_worker() -> None:
    """Leave interrupts to whoever started it, and end with them.

    Ctrl-C reaches all processes of a terminal, but what is under way is to be finished. A worker whose starter was killed would wait for
    work for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_starter, daemon=True).start()


def _end_with_starter() -> None:
    starter = parent_process()
    if starter is not None:
        wait([starter.sentinel])
        os._exit(1)


def _work(settings: Settings, work: Callable[[Kernels, T], R], task: T) -> R:
    return work(_kernels(settings), task)


@cache
def _tried(settings: Settings) -> None:
    send_canary(_kernels(settings), settings, spoken_in(settings.language))


@cache
def _kernels(settings: Settings) -> Kernels:
    """The kernels of this process, until it ends: before Python ends its threads, which closing takes."""
    kernels = Kernels(settings)
    kernels.__enter__()
    Finalize(None, kernels.__exit__, args=(None, None, None), exitpriority=0)
    return kernels
