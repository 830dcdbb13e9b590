"""`grader course forget`, `remove` and `expire`, and a service that runs while somebody is forgotten."""

import json
import signal
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.kernel.pool import Kernels
from grader.web.store import forgetting
from grader.web.store.store import Store, open_store
from grader.web.store.tables import Attempt, Course, Person
from tests.command import Outcome, grader
from tests.conftest import CORPUS
from tests.test_web_expiring import older
from tests.web import OTHER, Pages, School, folder_of, grade_next, learner_in
from tests.web_lti import Lms
from tests.web_lti import school as on_a_platform
from tests.web_running import Place, enter, hand_in, running, until


def told(folder: Path, *arguments: str) -> Outcome:
    return grader("course", *arguments, "--database", "service.sqlite", "--files", "files", folder=folder)


def count(store: Store, table: type[Person | Attempt | Course]) -> int:
    return store.read(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.slow
def test_nothing_goes_before_yes_is_said(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "service.sqlite"), tmp_path / "files") as store:
        school = School(store)
        ann, bob = school.learner("Ann"), school.learner("Bob")
        for person in (ann, bob):
            school.receive(person)
        school.receive(ann, OTHER)
        for _ in range(3):
            grade_next(store, 7)
        shown = told(tmp_path, "forget", "dl101", "Ann")
        assert shown.code == 0
        assert shown.out.startswith("Ann: 1 people, 2 attempts, 2 files with their reports (1 of them")
        assert "Nothing has been deleted" in shown.out
        assert count(store, Attempt) == 3
        assert "It has been deleted" in told(tmp_path, "forget", "dl101", "Ann", "--yes").out
        assert (count(store, Person), count(store, Attempt)) == (1, 1)
        unknown = told(tmp_path, "forget", "dl101", "Ann", "--yes")
        assert (unknown.code, unknown.out) == (2, "")
        assert "Nobody in dl101 is called Ann" in unknown.err
        assert "Nothing has been deleted" in told(tmp_path, "remove", "dl101").out
        assert told(tmp_path, "remove", "dl101", "--yes").code == 0
        assert (count(store, Course), count(store, Attempt)) == (0, 0)
        assert folder_of(tmp_path / "files") == ["database"]


def test_a_name_that_moves_the_cursor_is_shown_as_text(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "service.sqlite"), tmp_path / "files") as store:
        School(store).learner("Ann\x1b[2J")
        shown = told(tmp_path, "forget", "dl101", "Ann\x1b[2J")
    assert (shown.code, shown.out.startswith(r"Ann\x1b[2J: 1 people")) == (0, True)


def test_what_is_old_goes_when_it_is_asked_for(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "service.sqlite"), tmp_path / "files") as store:
        school = School(store)
        school.receive(school.learner())
        grade_next(store, 7)
        store.files.put(OTHER)
        older(store)
        store.write(_aged)
    assert told(tmp_path, "expire").code == 2
    done = told(tmp_path, "expire", "--keep-days", "30", "--language", "en")
    assert done.out.startswith("1 attempts and 1 people have been forgotten, and 1 files")


def _aged(session: Session) -> None:
    session.scalars(select(Attempt)).one().received = "2020-01-01T00:00:00.000+00:00"
    session.scalars(select(Person)).one().created = "2020-01-01T00:00:00.000+00:00"


# ---- while the service runs ---------------------------------------------------------------------


def test_who_is_forgotten_is_signed_out(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "service.sqlite"), tmp_path / "files") as store:
        school, pages = School(store), Pages(store)
        browser = learner_in(pages, school, "Ann")
        browser.upload(school.asked)
        token = browser.csrf("/course")
        assert told(tmp_path, "forget", "dl101", "Ann", "--yes").code == 0
        assert browser.get("/attempts/1").url.path == "/"
        assert browser.post("/assignments/1/attempts", data={"csrf": token}).status_code == 401
        assert browser.get("/attempts/1/events").status_code == 401


def test_who_comes_again_by_launch_begins_anew(tmp_path: Path) -> None:
    with on_a_platform(tmp_path) as lms:
        browser = lms.pages.browser()
        lms.comes(browser)
        first = _learner(lms)
        assert told(tmp_path, "forget", lms_code(lms), "Wei Li", "--yes").code == 0
        shown = lms.comes(lms.pages.browser())
        assert (shown.status_code, shown.url.path) == (200, "/assignments/1")
        assert _learner(lms) != first


def lms_code(lms: Lms) -> str:
    return lms.store.read(lambda session: session.scalars(select(Course.code)).one())


def _learner(lms: Lms) -> tuple[int, str]:
    return lms.store.read(lambda session: forgetting.whom(session, lms_code(lms), "Wei Li"))


@pytest.mark.slow
def test_who_is_forgotten_while_being_graded_leaves_all_else_as_it_is(
    tmp_path: Path, kernels: Kernels
) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    place, wrong = Place(tmp_path), CORPUS / "linear_regression" / "s012.py"
    with running(place, "--jobs", "1", "--keep-days", "30") as service:
        service.ready()
        with service.browser() as ann, service.browser() as bob, service.browser() as cy:
            for browser, name in ((ann, "Ann"), (bob, "Bob"), (cy, "Cy")):
                enter(browser, "dl101", name)
            mine = hand_in(ann, "a.py", wrong.read_bytes())
            same, other = (
                hand_in(browser, "b.py", wrong.read_bytes() + more)
                for browser, more in ((bob, b""), (cy, b"\n"))
            )
            with ann.stream("GET", f"{mine}/events", timeout=60) as events:
                lines = events.iter_lines()
                next(lines)
                assert told(tmp_path, "forget", "dl101", "Ann", "--yes").code == 0
                assert "true" not in "".join(lines)
            until(lambda: " / 10" in bob.get(same).text and " / 10" in cy.get(other).text)
            assert ann.get(mine).url.path == "/"
        assert service.end(signal.SIGTERM) == 0
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert not [line for line in log if line["event"].endswith(("failed", "broken")) or "trace" in line]
