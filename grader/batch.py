"""Many submissions over a `concurrent.futures.Executor`: the processes of this machine, or a cluster.

What travels to a worker and back is bytes of MessagePack, so that it is the same for both and no report has to be
pickled. Each worker has a warm parent of its own, which confines what it runs.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from grader import __version__
from grader.conditions import conditions
from grader.errors import GraderError, KernelFault, UnreadableSubmission
from grader.exercise import course_folder, load_exercise
from grader.grade import grade, ungradable
from grader.load import load_content
from grader.model import Report, Text, said_by
from grader.settings import Settings
from grader.workers import kernels_of_this_process

# A worker that ends under a task may have been ended by it: after so many of them the task is given up.
MOST_LOST = 3


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A submission to grade.

    key: what the caller knows it by; path: what messages call it; conditions: those of the grade, as `grader.conditions` has them, which
    a worker has to have too; isolated: whether others' files need a sandbox.
    """

    key: str
    name: str
    path: str
    content: bytes
    exercise: str
    conditions: str
    isolated: bool = True


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task: a report, or the reason why the file cannot be read."""

    key: str
    report: Report | None = None
    problem: Text | None = None


def grade_many(
    tasks: Iterable[Task],
    executor: Executor,
    settings: Settings,
    *,
    at_once: Callable[[], int],
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Graded]:
    """Grade submissions; gives results as they come, in any order.

    At most `at_once()` are under way, so that neither the tasks nor their results pile up; it is asked each time, since workers
    come and go. Once `stopping()` says so, what is under way is finished and no more begun. A task whose worker is lost is done
    again: alone, since it may have been the one that ended it; after `MOST_LOST` workers it is ungradable. Raises KernelFault or
    UsageError if a worker must not grade others' files, or has another exercise or another grader than this process.
    """
    chosen = _portable(settings)
    under_way: dict[Future[bytes], Task] = {}
    lost: dict[str, int] = {}
    suspects: deque[Task] = deque()
    waiting = iter(tasks)

    def begin(task: Task) -> None:
        under_way[executor.submit(grade_packed, chosen, msgspec.msgpack.encode(task))] = task

    while True:
        while not suspects and len(under_way) < at_once() and not stopping():
            if (task := next(waiting, None)) is None:
                break
            begin(task)
        if suspects and not under_way and not stopping():
            begin(suspects.popleft())
        if not under_way:
            return
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            task = under_way.pop(future)
            try:
                yield msgspec.msgpack.decode(future.result(), type=Graded)
            except GraderError:
                raise
            except ImportError as error:  # of the worker's own: a submission imports nothing there
                raise KernelFault("worker-without-grader", reason=str(error), version=__version__) from None
            except Exception as error:  # noqa: BLE001 - whatever befell a worker costs its task alone, and never a zero
                lost[task.key] = lost.get(task.key, 0) + 1
                if lost[task.key] < MOST_LOST:
                    suspects.append(task)
                else:
                    fault = KernelFault("worker-lost", times=MOST_LOST, reason=type(error).__name__)
                    yield Graded(key=task.key, report=ungradable(task.name, "", task.exercise, fault))


def _portable(settings: Settings) -> dict[str, Any]:
    """Settings as another process takes them, whose working folder may be another."""
    course = None if settings.course is None else str(Path(settings.course).absolute())
    return msgspec.structs.asdict(msgspec.structs.replace(settings, course=course))


def grade_packed(settings: dict[str, Any], packed: bytes) -> bytes:
    """What a worker does with one task; it takes plain values, of which every process can make something.

    Raises KernelFault if the exercise or grader is not the same here; KernelFault or UsageError if it must not grade others' files.
    """
    task = msgspec.msgpack.decode(packed, type=Task)
    return msgspec.msgpack.encode(_grade(Settings(**settings), task))


def _grade(settings: Settings, task: Task) -> Graded:
    try:
        submission = load_content(task.name, task.content, task.path)
    except UnreadableSubmission as error:
        return Graded(key=task.key, problem=said_by(error))
    exercise = load_exercise(course_folder(settings.course), task.exercise)
    if conditions(exercise, settings) != task.conditions:
        raise KernelFault("worker-differs", exercise=task.exercise, path=str(exercise.folder))
    with _one_at_a_time():  # checks run in this process, by pytest, which knows only one run
        kernels = kernels_of_this_process(settings, isolated=task.isolated)
        return Graded(key=task.key, report=grade(submission, exercise, settings, kernels))


@cache
def _one_at_a_time() -> threading.Lock:
    return threading.Lock()
