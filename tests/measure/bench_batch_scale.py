"""How the cost of a submission and the memory grow with a class, and with workers: rounds with a stand-in for the grading."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.measure.bench_batch_class import SAMPLE, SLUG, varied
from tests.measure.bench_batch_round import Spent

BUSY, WAITING = 0.010, 0.200


class Rounds(NamedTuple):
    """Medians over rounds of one class; see `Spent`."""

    students: int
    grading: float
    writing: float
    grading_kb: int
    peak_kb: int

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.grading + self.writing

    def each(self, seconds: float) -> float:
        """For one submission."""
        return seconds / self.students


def few_and_many(few: int, many: int, times: int) -> tuple[Rounds, Rounds]:
    """A small class before and after a large one; the large one once, since it is long enough to be its own median."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as name:
        folder = Path(name)
        canned = _canned(folder)
        small, large = varied(folder / "few", few), varied(folder / "many", many)
        half = (times + 1) // 2
        before = [_round(folder, small, canned, BUSY) for _ in range(half)]
        middle = [_round(folder, large, canned, BUSY)]
        after = [_round(folder, small, canned, BUSY) for _ in range(half)]
    return _medians([*before, *after]), _medians(middle)


def on_a_cluster(count: int, times: int) -> tuple[float, float]:
    """Seconds for a submission that waits, with one worker of a local Dask cluster and with two."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as name:
        folder = Path(name)
        canned, submissions = _canned(folder), varied(folder / "class", count)
        seen: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(times):
            for workers, taken in seen.items():
                how = ("--cluster", "--sleeps", "--jobs", str(workers))
                taken.append(_round(folder, submissions, canned, WAITING, *how).grading / count)
    return statistics.median(seen[1]), statistics.median(seen[2])


def _canned(folder: Path) -> Path:
    """A file with a report on the sample."""
    with Kernels(Settings()) as kernels:
        report = grade(load(SAMPLE), load_exercise(course_folder(None), SLUG), Settings(), kernels)
    path = folder / "canned"
    path.write_bytes(msgspec.msgpack.encode(report))
    return path


def _round(folder: Path, submissions: Path, canned: Path, seconds: float, *how: str) -> Spent:
    """A round in a process of its own, so that its memory is its own too."""
    program = [sys.executable, "-m", "tests.measure.bench_batch_round"]
    with tempfile.TemporaryDirectory(dir=folder) as output:
        what = [str(submissions), f"{output}/grades", "--canned", str(canned), "--seconds", str(seconds)]
        done = subprocess.run([*program, *what, *how], check=True, stdout=subprocess.PIPE, text=True)
    return msgspec.json.decode(done.stdout, type=Spent)


def _medians(rounds: Sequence[Spent]) -> Rounds:
    return Rounds(
        rounds[0].count,
        statistics.median(one.grading for one in rounds),
        statistics.median(one.writing for one in rounds),
        max(one.grading_kb for one in rounds),
        max(one.peak_kb for one in rounds),
    )
