"""The real service while things around it fail: a worker is killed, the database or a cluster is away for longer than anybody waits."""

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from grader.gradebook.tables import Result
from grader.kernel.pool import Kernels
from grader.web.store import attempts
from tests.clusters import scheduler_process, worker
from tests.postgres import Server
from tests.test_web_service import REFERENCE, busy, states
from tests.web_running import Place, Running, enter, hand_in, running, until

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def isolated(kernels: Kernels) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")


def all_are_graded_once(place: Place, count: int) -> None:
    until(lambda: states(place) == ["graded"] * count)
    with place.store() as store:
        assert [one.score for one in store.read(attempts.of_person, 1, 1)] == [10.0] * count
        assert store.read(lambda session: session.scalar(select(func.count()).select_from(Result))) == count


def workers(service: Running) -> list[int]:
    """The processes of the service that grade, by what they were started as."""
    found = []
    for number in Path(f"/proc/{service.process.pid}/task").glob("*/children"):
        found += [int(child) for child in number.read_text().split()]
    return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_worker_that_is_killed_costs_nobody_an_attempt(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with running(place, "--jobs", "2") as service:
        busy(place, service, 4)
        os.kill(workers(service)[0], signal.SIGKILL)
        all_are_graded_once(place, 4)
        assert service.end(signal.SIGTERM) == 0


def test_a_database_that_is_away_for_a_while_is_waited_for(tmp_path: Path, postgres: Server) -> None:
    place = Place(tmp_path, postgres.database())
    with running(place, "--jobs", "1") as service:
        busy(place, service, 3)
        postgres.stop(signal.SIGQUIT)
        try:
            with service.browser() as browser:
                away = time.monotonic()
                browser.cookies.set("grader", "somebody")
                answer = browser.get("/course")
                assert (answer.status_code, "cannot reach its database" in answer.text) == (503, True)
                assert browser.get("/readyz").status_code == 503
                assert browser.get("/healthz").status_code == 200
                assert time.monotonic() - away > 15
            # What was under way is still noted as this process's own, which does it no more.
            until(lambda: "jobs-not-given-back" in (place.folder / "log").read_text())
        finally:
            postgres.start()
        all_are_graded_once(place, 3)
        service.ready()
        assert service.end(signal.SIGTERM) == 0


def test_a_cluster_grades_and_is_waited_for_when_it_is_away(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with (
        scheduler_process(tmp_path) as (address, first),
        worker(tmp_path, address) as lost,
        running(place, "--cluster", address, "--unsafe-no-tls") as service,
        service.browser() as browser,
    ):
        busy(place, service, 3)
        os.kill(lost.pid, signal.SIGKILL)
        with worker(tmp_path, address):
            all_are_graded_once(place, 3)
            os.kill(first.pid, signal.SIGKILL)
        until(lambda: browser.get("/readyz").status_code == 503)
        enter(browser, "dl101", "Ben")
        late = hand_in(browser, "late.py", REFERENCE.read_bytes())
        port = address.rpartition(":")[2]
        with scheduler_process(tmp_path, "--port", port) as (again, _), worker(tmp_path, again):
            until(lambda: "10 / 10" in browser.get(late).text)
            assert service.end(signal.SIGTERM) == 0
