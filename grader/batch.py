"""Many submissions over a `concurrent.futures.Executor`: the processes of this machine, or a cluster.

What travels to a worker and back is bytes of MessagePack, so that it is the same for both and no report has to be
pickled. Each worker has a warm parent of its own, which confines what it runs.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec

from grader import __version__
from grader.conditions import conditions
from grader.errors import GraderError, KernelFault, UnreadableSubmission
from grader.exercise import Exercise, course_folder, load_exercise
from grader.grade import grade, ungradable
from grader.load import load_content
from grader.model import Report, Text, said_by
from grader.settings import Settings
from grader.workers import kernels_of_this_process

# A worker that ends while it has the only task may have been ended by it: after so many of them the task is given up.
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


def grade_many(  # noqa: PLR0913 - the tasks, and how they are gone through
    tasks: Iterable[Task],
    executor: Executor,
    settings: Settings,
    *,
    at_once: Callable[[], int],
    stopping: Callable[[], bool] = lambda: False,
    ask_again: float | None = None,
) -> Iterator[Graded]:
    """Grade submissions; gives results as they come, in any order.

    At most `at_once()` are under way, so that neither the tasks nor their results pile up; it is asked each time, since workers
    come and go. `ask_again`: the tasks are an iterator that may have more after it had none, so it is asked again after so many
    seconds, though nothing that is under way is done. Once `stopping()` says so, what is under way is finished and no more begun. A task whose worker is lost is done
    again, alone: it may have been the one that ended it, or one that was under way beside that. After `MOST_LOST` workers that
    were lost while it was alone it is ungradable. Raises KernelFault or UsageError if a worker must not grade others' files, or has
    another exercise or another grader than this process.
    """
    chosen = portable(settings)
    under_way: dict[Future[bytes], Task] = {}
    lost_alone: dict[str, int] = {}  # of each that was under way when a worker was lost
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
        done = wait(under_way, ask_again, FIRST_COMPLETED).done
        while done:
            task, packed = under_way.pop(future := done.pop()), _outcome(future)
            del future  # a cluster's worker keeps a result as long as there is who may ask for it, and another makes it again
            if isinstance(packed, bytes):
                yield msgspec.msgpack.decode(packed, type=Graded)
            else:
                lost_alone[task.key] = lost_alone.get(task.key, -1) + 1
                if lost_alone[task.key] < MOST_LOST:
                    suspects.append(task)
                else:
                    fault = KernelFault("worker-lost", times=MOST_LOST, reason=type(packed).__name__)
                    yield Graded(key=task.key, report=ungradable(task.name, "", task.exercise, fault))


def portable(settings: Settings) -> dict[str, Any]:
    """Settings as another process takes them, whose working folder may be another."""
    course = None if settings.course is None else str(Path(settings.course).absolute())
    return msgspec.structs.asdict(msgspec.structs.replace(settings, course=course))


def warming(exercise: Exercise, settings: Settings, *, isolated: bool) -> "partial[bytes]":
    """What makes a worker warm: it grades the reference, or nothing where there is none. Raises as `grade_packed`."""
    known = exercise.reference.is_file()
    task = Task(
        key="",
        name="reference.py",
        path=str(exercise.reference),
        content=exercise.reference.read_bytes() if known else b"pass",
        exercise=exercise.slug,
        conditions=conditions(exercise, settings),
        isolated=isolated,
    )
    return partial(grade_packed, portable(settings), msgspec.msgpack.encode(task))


def _outcome(future: Future[bytes]) -> bytes | Exception:
    """A result, or what befell the worker: that costs its task alone, and never a zero. Raises GraderError."""
    try:
        return future.result()
    except GraderError:
        raise
    except ImportError as error:  # of the worker's own: a submission imports nothing there
        raise KernelFault("worker-without-grader", reason=str(error), version=__version__) from None
    except Exception as error:  # noqa: BLE001 - of pools, of Dask, of the network between
        return error


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
