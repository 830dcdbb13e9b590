"""A round of grading as `grader batch` goes through it, with a stand-in for the grading: what all else costs, and how that grows.

    python -m tests.measure.bench_batch_round SUBMISSIONS OUTPUT --canned FILE --seconds 0.01 [--sleeps] [--jobs 2] [--cluster]

The stand-in reads the notebook, as a worker does, is busy (or sleeps) for a while, and answers with a report that was made before, in which
the cells are the submission's own. What was used is printed as JSON.
"""

import argparse
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from grader.batch import Graded, Task, grade_packed
from grader.executors import Way, opened
from grader.exercise import Exercise, course_folder, load_exercise
from grader.gradebook.book import open_gradebook
from grader.grades import Grade
from grader.lms.recognise import collect
from grader.load import load_content
from grader.model import Report, Shown, Submission
from grader.outcome.reports import Press
from grader.outcome.write import write_all
from grader.round import Asked, Round
from grader.settings import Settings
from tests.measure.bench_batch_class import SLUG

R = TypeVar("R")
SAMPLE_SECONDS = 0.05


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a round took. grading, writing: seconds by the clock; cpu: of the coordinator, writing among it; peak_kb: its largest memory.

    writing_cpu: CPU seconds of the writing; grading_kb: the largest memory before the writing.
    """

    count: int
    grading: float
    writing: float
    cpu: float
    writing_cpu: float
    peak_kb: int
    grading_kb: int


class StandIn(Executor):
    """An executor whose workers do not grade but take their time. canned: the file of a report; seconds: how long one takes."""

    def __init__(self, executor: Executor, canned: Path, seconds: float, *, sleeps: bool) -> None:
        self._executor, self._fixed = executor, (str(canned), seconds, sleeps)

    def submit(self, work: Callable[..., R], /, *args: Any, **kwargs: Any) -> "Future[R]":
        """Have the stand-in's work done in the place of grader's."""
        return self._executor.submit(stand_in, *self._fixed, *args, **kwargs)  # type: ignore[arg-type]


def stand_in(canned: str, seconds: float, sleeps: bool, _settings: dict[str, Any], packed: bytes) -> bytes:
    """What a worker does with one task in the place of `grader.batch.grade_packed`."""
    task = msgspec.msgpack.decode(packed, type=Task)
    submission = load_content(task.name, task.content, task.path)
    if sleeps:
        time.sleep(seconds)
    else:
        _be_busy(seconds)
    report = msgspec.structs.replace(
        _canned(canned), submission=task.name, sha256=submission.sha256, notebook=_shown(submission)
    )
    return msgspec.msgpack.encode(Graded(key=task.key, report=report))


def _be_busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def _shown(submission: Submission) -> tuple[Shown, ...]:
    return tuple(Shown(number=cell.number, source=cell.source, outputs=()) for cell in submission.original)


@cache
def _canned(path: str) -> Report:
    return msgspec.msgpack.decode(Path(path).read_bytes(), type=Report)


@contextmanager
def watched_memory(largest: list[int]) -> Iterator[None]:
    """Keep the largest memory of this process, in kB with shared pages counted in part, in a list of one."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            largest[0] = max(largest[0], memory_kb())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        largest[0] = max(largest[0], memory_kb())
        ended.set()
        watcher.join()


def memory_kb() -> int:
    """The memory of this process (PSS) in kB."""
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def a_round(chosen: argparse.Namespace) -> Spent:
    """Grade a folder and write everything, as `grader batch` does."""
    exercise, settings = load_exercise(course_folder(None), SLUG), Settings()
    collected = collect(chosen.submissions, SLUG, None)
    chosen.output.mkdir(parents=True)
    largest = [0]
    with open_gradebook(str(chosen.output / "gradebook.sqlite")) as book, watched_memory(largest):
        way = Way(None, unencrypted=False, spoken="en")
        with opened("local" if chosen.cluster else None, way, chosen.jobs, partial(int)) as (
            executor,
            at_once,
        ):
            standing_in = StandIn(executor, chosen.canned, chosen.seconds, sleeps=chosen.sleeps)
            _warm_up(standing_in, chosen.submissions, chosen.jobs)
            _write_one(chosen.canned, exercise)
            began, used = time.perf_counter(), cpu()
            graded = Round(Asked(chosen.submissions, exercise, settings), collected, book, lambda _: None)
            graded.grade(standing_in, at_once, lambda: False)
            grading, grading_kb, used_grading = time.perf_counter() - began, largest[0], cpu()
            writing = time.perf_counter()
            press = Press(executor, at_once(), None)
            write_all(chosen.output, book.each_grade(SLUG, graded.batch), exercise, "en", press=press)
            writing = time.perf_counter() - writing
    return Spent(
        count=len(collected.students),
        grading=grading,
        writing=writing,
        cpu=cpu() - used,
        writing_cpu=cpu() - used_grading,
        peak_kb=largest[0],
        grading_kb=grading_kb,
    )


def _warm_up(executor: Executor, folder: Path, workers: int) -> None:
    """Have every worker import what it needs."""
    path = next(folder.glob("*.ipynb"))
    task = Task(
        key="", name=path.name, path=str(path), content=path.read_bytes(), exercise=SLUG, conditions=""
    )
    packed = msgspec.msgpack.encode(task)
    for done in [executor.submit(grade_packed, {}, packed) for _ in range(4 * workers)]:
        done.result()


def _write_one(canned: Path, exercise: Exercise) -> None:
    """Have this process import what writing needs."""
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder), [Grade(student="a", report=_canned(str(canned)))], exercise, "en")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("submissions", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--canned", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--sleeps", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cluster", action="store_true")
    spent = a_round(parser.parse_args(arguments))
    sys.stdout.write(msgspec.json.encode(spent).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
