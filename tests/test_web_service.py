"""The real service with real kernels: a learner's whole way, its end, and what a crash leaves behind."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from grader.errors import UsageError
from grader.exercise import course_folder
from grader.gradebook.tables import Result
from grader.kernel.pool import Kernels
from grader.web import serving
from grader.web.serving import require_reachable
from grader.web.store import attempts, jobs
from grader.web.store.tables import Attempt
from tests.command import grader
from tests.conftest import CORPUS
from tests.web_running import Place, Running, enter, hand_in, running, until

WRONG = CORPUS / "linear_regression" / "s012.py"
REFERENCE = course_folder(None) / "reference" / "linear_regression.py"


@pytest.fixture
def place(tmp_path: Path, kernels: Kernels) -> Place:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    return Place(tmp_path)


@pytest.fixture
def service(place: Place) -> Iterator[Running]:
    with running(place, "--jobs", "1") as service:
        yield service


# ---- a learner's and a teacher's way ------------------------------------------------------------


@pytest.mark.slow
def test_a_wrong_notebook_is_explained_and_the_mended_one_has_full_marks(
    place: Place, service: Running, write_notebook: Callable[..., Path]
) -> None:
    notebook = write_notebook(WRONG.read_text("utf-8"))
    with service.browser() as ann, service.browser() as teacher:
        assert "shown only now" in enter(ann, "dl101", "Ann")
        wrong = hand_in(ann, notebook.name, notebook.read_bytes())
        with ann.stream("GET", f"{wrong}/events", timeout=120) as events:
            told = [json.loads(line[6:]) for line in events.iter_lines() if line]
        assert told[-1] == {"words": "Done.", "done": True}
        assert "Being graded now" in told[0]["words"] or "Waiting" in told[0]["words"]
        report = ann.get(f"{wrong}/report").text
        assert 'class="finding confirmed"' in report
        mended = hand_in(ann, "mended.py", REFERENCE.read_bytes())
        until(lambda: "10 / 10" in ann.get(mended).text)
        assert "10 / 10" in ann.get("/course").text
        enter(teacher, place.teacher_code)
        assert "10 / 10" in teacher.get("/assignments/1/class").text
        assert ">Ann<" in teacher.get("/assignments/1/class/overview").text
        assert "grader_attempts_received_total 2.0" in teacher.get("/metrics").text
        through_proxy = {"x-forwarded-for": "192.0.2.1"}
        assert teacher.get("/metrics", headers=through_proxy).status_code == 404
    assert service.end(signal.SIGTERM) == 0
    log = [json.loads(line) for line in (place.folder / "log").read_text().splitlines()]
    assert {"service-begins", "engine-ready", "job-done", "service-ends"} <= {line["event"] for line in log}
    assert not any(line["event"].endswith(("failed", "broken")) for line in log)


@pytest.mark.slow
def test_a_file_that_was_graded_is_not_graded_again(place: Place, service: Running) -> None:
    with service.browser() as ann, service.browser() as bob:
        enter(ann, "dl101", "Ann")
        enter(bob, "dl101", "Bob")
        first, second = (hand_in(one, "a.py", REFERENCE.read_bytes()) for one in (ann, bob))
        until(lambda: "10 / 10" in ann.get(first).text and "10 / 10" in bob.get(second).text)
        third = hand_in(ann, "b.py", REFERENCE.read_bytes())
        until(lambda: "10 / 10" in ann.get(third).text)
        assert "<bdi>b.py</bdi>" in ann.get(f"{third}/report").text
    with place.store() as store:
        assert store.read(lambda session: session.scalar(select(func.count()).select_from(Result))) == 1


# ---- its end ------------------------------------------------------------------------------------


def busy(place: Place, service: Running, files: int) -> None:
    """Hand in so many different files, and wait until the first is being graded."""
    service.ready()
    with service.browser() as browser:
        enter(browser, "dl101", "Ann")
        for number in range(files):
            hand_in(browser, "a.py", REFERENCE.read_bytes() + b"\n# %d" % number)
    with place.store() as store:
        until(lambda: store.read(jobs.waiting)[1] > 0)


def states(place: Place) -> list[str]:
    with place.store() as store:
        return store.read(lambda session: list(session.scalars(select(Attempt.state).order_by(Attempt.id))))


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_what_is_being_graded_is_finished_at_the_end_and_the_rest_the_next_time(
    place: Place, service: Running, how: signal.Signals
) -> None:
    busy(place, service, 6)
    assert service.end(how) == 0
    found = states(place)
    assert "graded" in found
    assert "waiting" in found
    with place.store() as store:
        assert store.read(jobs.waiting) == (found.count("waiting"), 0)
    with running(place) as again:
        until(lambda: states(place) == ["graded"] * 6)
        assert again.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_a_second_signal_ends_it_at_once(place: Place, service: Running) -> None:
    busy(place, service, 3)
    service.process.send_signal(signal.SIGINT)
    until(lambda: not service.answers())
    assert service.end(signal.SIGINT) == 128 + signal.SIGINT
    assert "service-ends" not in (place.folder / "log").read_text()
    assert "waiting" in states(place)


@pytest.mark.slow
def test_what_a_killed_service_held_is_graded_by_the_next_once_each(place: Place, service: Running) -> None:
    busy(place, service, 4)
    service.end(signal.SIGKILL)
    assert "waiting" in states(place)
    with running(place) as again:
        until(lambda: states(place) == ["graded"] * 4)
        assert again.end(signal.SIGTERM) == 0
    with place.store() as store:
        assert store.read(lambda session: session.scalar(select(func.count()).select_from(Result))) == 4
        tried = store.read(attempts.of_person, 1, 1)
    assert [one.score for one in tried] == [10.0] * 4


# ---- what it refuses ----------------------------------------------------------------------------


def test_a_place_that_others_reach_needs_its_address(tmp_path: Path) -> None:
    done = grader("serve", "--host", "0.0.0.0", folder=tmp_path, XDG_DATA_HOME=str(tmp_path))
    assert done.code == 2
    assert done.err.startswith("Others can reach 0.0.0.0, so say under which address they do, with --url")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        *("grader.example.org", "ftp://a.example", "https://", "https://[::1", "https://a.example?b"),
        *(
            "https://a.example/a b",
            "https://a.example/a//b",
            "https://a.example/../b",
            "https://a.example/%61",
        ),
    ],
)
def test_what_is_no_address_of_a_website_is_told(url: str) -> None:
    with pytest.raises(UsageError, match="service-url-malformed"):
        require_reachable(serving.Place("0.0.0.0", 80, url))


def test_who_is_served_by_which_names() -> None:
    require_reachable(serving.Place("::1", 80))
    behind_proxy = serving.Place("127.0.0.1", 80, "https://Grader.example.org/")
    require_reachable(behind_proxy)
    assert behind_proxy.secure
    assert "grader.example.org" in behind_proxy.hosts


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = grader("serve", "--port", port, folder=tmp_path, XDG_DATA_HOME=str(tmp_path))
    assert done.code == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.err


@pytest.mark.slow
def test_where_nothing_isolates_nothing_is_served(tmp_path: Path) -> None:
    done = grader("serve", "--port", "0", folder=tmp_path, XDG_DATA_HOME=str(tmp_path), GRADER_SANDBOX="none")
    assert done.code == 2
    assert "engine-failed" in done.err


@pytest.mark.slow
def test_courses_are_looked_after_from_the_command_line(tmp_path: Path) -> None:
    place = Place(tmp_path)
    done = grader("course", "assign", "dl101", "no_such_exercise", *place.options, folder=tmp_path)
    assert (done.code, "no_such_exercise" in done.err) == (2, True)
    more = ["--deadline", "2026-12-24T18:00+08:00", "--attempts", "3", "--points", "20"]
    assert (
        grader("course", "assign", "dl101", "temperature", *more, *place.options, folder=tmp_path).code == 0
    )
    listed = grader("course", "list", *place.options, folder=tmp_path).out.splitlines()
    assert listed == [
        "dl101: Deep learning",
        "    linear_regression, deadline –, attempts –, points –",
        "    temperature, deadline 2026-12-24T10:00:00.000+00:00, attempts 3, points 20",
    ]
    assert (
        place.teacher_code
        not in grader("course", "teacher-code", "dl101", *place.options, folder=tmp_path).out
    )
