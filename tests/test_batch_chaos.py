"""A class of which half is hostile, on workers that are killed all the time, into a database that is restarted: each has its grade."""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from signal import SIGQUIT

import pytest

from grader.errors import UnreadableSubmission
from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.classes import EXERCISE, SLUG, table
from tests.command import environment
from tests.dask_cluster import machines
from tests.gradebooks import results
from tests.postgres import Server
from tests.unruly import unruly_class

STUDENTS, WORKERS = 200, 2
KILLED_EVERY, RESTARTED_AFTER, LONGEST = 5.0, 30.0, 900.0
MOST_RUNS, LEAST_KILLED = 3, 10
# A machine on which workers start all the time may hold up a cell for more than a second.
LIMITS = {"cell_seconds": 5.0, "memory_mb": 700, "scratch_mb": 50, "output_bytes": 2_000_000, "processes": 64}

# What grades.csv says of a student: the status and the score.
Line = tuple[str, str]


def graded_alone(folder: Path, kinds: dict[str, str], kernels: Kernels) -> dict[str, Line]:
    """Of each kind what a quiet machine says of the first of it."""
    found: dict[str, Line] = {}
    exercise, settings = load_exercise(course_folder(None), SLUG), Settings(**LIMITS)  # type: ignore[arg-type]
    for path in sorted(folder.iterdir()):
        if (kind := kinds[path.stem]) in found:
            continue
        try:
            report = grade(load(path), exercise, settings, kernels)
            found[kind] = report.status, "" if report.score is None else f"{report.score:g}"
        except UnreadableSubmission:
            found[kind] = "unreadable", ""
    return found


@pytest.mark.slow
def test_each_of_an_unruly_class_has_one_right_result(
    tmp_path: Path, postgres: Server, kernels: Kernels
) -> None:
    kinds = unruly_class(tmp_path / "class", STUDENTS)
    expected = graded_alone(tmp_path / "class", kinds, kernels)
    assert set(expected.values()) == {("graded", "10"), ("graded", "7"), ("graded", "0"), ("unreadable", "")}
    place = postgres.database()
    command = [sys.executable, "-m", "grader", "batch", "class", *EXERCISE, "--output", "grades"]
    variables = {f"GRADER_{name.upper()}": str(value) for name, value in LIMITS.items()}

    def restart() -> None:
        postgres.stop(SIGQUIT)
        postgres.start()

    with machines(tmp_path, WORKERS) as cluster, cluster.one_killed_every(KILLED_EVERY):
        restarting = threading.Timer(RESTARTED_AFTER, restart)
        restarting.start()
        try:
            for _ in range(MOST_RUNS):
                done = subprocess.run(
                    [*command, "--gradebook", place, "--cluster", cluster.address],
                    cwd=tmp_path,
                    env=environment(**variables),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=LONGEST,
                    check=False,
                )
                assert "Traceback" not in done.stderr, done.stderr
                assert done.returncode in (0, 3), done.stderr
                if done.returncode == 0:
                    break
        finally:
            restarting.join()
    assert done.returncode == 0, done.stderr
    assert cluster.killed >= LEAST_KILLED
    found = {student: (row["status"], row["score"]) for student, row in table(tmp_path).items()}
    assert found == {student: expected[kind] for student, kind in kinds.items()}
    twice = Counter(row.sha256 for row in results(place) if row.status == "graded")
    assert set(twice.values()) == {1}
    assert len(twice) == sum(status == "graded" for status, _ in found.values())
