"""Many submissions over executors: real worker processes, which are killed too."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from grader.batch import Graded, Task, grade_many, warming
from grader.cluster import LOCAL, Cluster, connected
from grader.conditions import conditions
from grader.errors import KernelFault, UsageError
from grader.exercise import course_folder, load_exercise
from grader.settings import Settings
from grader.workers import Workers

RIGHT = """
def f(x): return x**2 + 2*x + 1
def derivative(x): return 2*x + 2
"""
SLEEPS = "import time\ntime.sleep({seconds})\nw = 1.0"
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
HOGS = "hoard = []\nwhile True: hoard.append(bytearray(50_000_000))"
EXERCISE = load_exercise(course_folder(None), "minimise_parabola")
SETTINGS = Settings(cell_seconds=10, memory_mb=700)


def task(key: str, source: str, settings: Settings = SETTINGS) -> Task:
    return Task(
        key=key,
        name=f"{key}.py",
        path=f"in/{key}.py",
        content=source.encode(),
        exercise=EXERCISE.slug,
        conditions=conditions(EXERCISE, settings),
    )


def by_key(results: Iterator[Graded]) -> dict[str, Graded]:
    found: dict[str, Graded] = {}
    for result in results:
        assert result.key not in found
        found[result.key] = result
    return found


def summary(found: dict[str, Graded]) -> dict[str, object]:
    """By key: the status and the kind of error, or why the file cannot be read."""
    return {
        key: one.problem.id
        if one.problem
        else (one.report and one.report.status, one.report and one.report.error and one.report.error.kind)
        for key, one in found.items()
    }


@pytest.fixture
def cluster_of_one() -> Iterator[Cluster]:
    with connected(LOCAL, None, 1) as cluster:
        yield cluster


TASKS = {"right": RIGHT, "dies": DIES, "hogs": HOGS, "empty": "   ", "fails": "1 / 0"}
EXPECTED = {
    "right": ("graded", None),
    "dies": ("graded", "kernel-died"),
    "hogs": ("graded", "memory-limit"),
    "empty": "file-without-code",
    "fails": ("graded", "error"),
}


@pytest.mark.slow
def test_each_costs_its_own_grade_only() -> None:
    with Workers(2) as workers:
        tasks = (task(key, source) for key, source in TASKS.items())
        assert summary(by_key(grade_many(tasks, workers, SETTINGS, at_once=lambda: 4))) == EXPECTED


@pytest.mark.slow
def test_a_cluster_does_the_same() -> None:
    with connected(LOCAL, None, 2) as cluster:
        assert cluster.workers == 2
        tasks = (task(key, source) for key, source in TASKS.items())
        assert summary(by_key(grade_many(tasks, cluster, SETTINGS, at_once=lambda: 4))) == EXPECTED


@pytest.mark.slow
def test_a_cluster_keeps_no_result_that_has_come(cluster_of_one: Cluster) -> None:
    """A worker that is lost would have taken it along, and another would make it again."""
    tasks = (task(str(number), RIGHT) for number in range(3))
    for _ in grade_many(tasks, cluster_of_one, SETTINGS, at_once=lambda: 1):
        deadline = time.monotonic() + 30
        while cluster_of_one._client.futures:  # is told of it in a thread of its own
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.slow
def test_a_worker_is_warm_before_its_first_task(cluster_of_one: Cluster, tmp_path: Path) -> None:
    with cluster_of_one.warmed(Path.write_text, tmp_path / "warm", ""):
        assert (tmp_path / "warm").exists()
        (tmp_path / "warm").unlink()
        cluster_of_one._client.cluster.scale(2)
        cluster_of_one._client.wait_for_workers(2)
        assert (tmp_path / "warm").exists()
    work = warming(EXERCISE, SETTINGS, isolated=True)
    with cluster_of_one.warmed(work.func, *work.args):
        (graded,) = grade_many([task("a", RIGHT)], cluster_of_one, SETTINGS, at_once=lambda: 1)
    assert summary({"a": graded}) == {"a": ("graded", None)}


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_its_task_done_again() -> None:
    with Workers(1) as workers:
        begun = threading.Event()

        def tasks() -> Iterator[Task]:
            yield task("first", RIGHT)
            yield task("slow", SLEEPS.format(seconds=3))
            begun.set()
            yield task("last", RIGHT)

        def kill() -> None:
            begun.wait()
            time.sleep(2)
            os.kill(next(iter(workers._pool._processes)), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = by_key(grade_many(tasks(), workers, SETTINGS, at_once=lambda: 2))
        killer.join()
    assert summary(found) == dict.fromkeys(("first", "slow", "last"), ("graded", None))


@pytest.mark.slow
def test_a_worker_lost_under_several_tasks_is_laid_at_nobodys_door() -> None:
    """Of five that are killed the first has both tasks, and each of the others one of them."""
    with Workers(1) as workers:

        def kill() -> None:
            killed = set[int]()
            while len(killed) < 5:
                for pid in set(workers._pool._processes or ()) - killed:
                    time.sleep(0.5)
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)

        killer = threading.Thread(target=kill)
        killer.start()
        tasks = [task("one", SLEEPS.format(seconds=1)), task("other", RIGHT)]
        found = by_key(grade_many(tasks, workers, SETTINGS, at_once=lambda: 2))
        killer.join()
    assert summary(found) == dict.fromkeys(("one", "other"), ("graded", None))


def test_what_ends_every_worker_is_given_up() -> None:
    with Workers(1) as workers:
        stop = threading.Event()

        def kill() -> None:
            while not stop.wait(0.05):
                for pid in list(workers._pool._processes or ()):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = by_key(grade_many(iter([task("only", RIGHT)]), workers, SETTINGS, at_once=lambda: 2))
        stop.set()
        killer.join()
    report = found["only"].report
    assert report is not None
    assert (report.status, report.score, report.needs_review[0].id) == ("ungradable", None, "worker-lost")


@pytest.mark.slow
def test_it_stops_after_what_is_under_way() -> None:
    begun: list[str] = []

    def tasks() -> Iterator[Task]:
        for number in range(50):
            begun.append(str(number))
            yield task(str(number), "w = 1.0")

    with Workers(1) as workers:
        found: list[Graded] = []
        for result in grade_many(
            tasks(), workers, SETTINGS, at_once=lambda: 2, stopping=lambda: len(found) >= 2
        ):
            found.append(result)
    assert [one.key for one in found] == begun
    assert len(found) < 6


@pytest.mark.slow
def test_what_comes_later_is_begun_while_others_are_under_way() -> None:
    """As a queue has it: at first there is one that takes long, and a second one comes a little later."""

    class Queue(Iterator[Task]):
        asked = 0

        def __next__(self) -> Task:
            self.asked += 1
            if self.asked == 1:
                return task("long", SLEEPS.format(seconds=8))
            if self.asked == 4:
                return task("short", "w = 1.0")
            raise StopIteration

    with Workers(2) as workers:
        found = list(grade_many(Queue(), workers, SETTINGS, at_once=lambda: 2, ask_again=0.2))
    assert [one.key for one in found] == ["short", "long"]


def test_others_files_are_not_graded_where_nothing_isolates() -> None:
    settings = Settings(sandbox="none")
    with Workers(1) as workers, pytest.raises(UsageError, match="others-not-isolated"):
        list(grade_many([task("a", RIGHT, settings)], workers, settings, at_once=lambda: 1))


def test_a_worker_with_another_exercise_or_grader_grades_nothing() -> None:
    elsewhere = msgspec.structs.replace(task("a", RIGHT), conditions="those of another course")
    with Workers(1) as workers, pytest.raises(KernelFault, match="worker-differs"):
        list(grade_many([elsewhere], workers, SETTINGS, at_once=lambda: 1))


def test_a_lost_scheduler_ends_it() -> None:
    with connected(LOCAL, None, 1) as cluster:
        cluster._client.cluster.close()
        with pytest.raises(KernelFault, match="cluster-lost"):
            list(grade_many([task("a", RIGHT)], cluster, SETTINGS, at_once=lambda: 1))


@pytest.mark.slow
def test_nobody_at_the_address() -> None:
    with pytest.raises(UsageError, match="cluster-unreachable"), connected("tcp://127.0.0.1:9", None, None):
        pass
