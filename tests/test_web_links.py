"""Two links of one course to the same exercise, as practice and as the exam, over HTTP, on SQLite and on a real PostgreSQL server."""

import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from grader.web.logs import Log
from grader.web.sending import Sender
from grader.web.store import clearing
from grader.web.store.tables import Attempt, Delivery, Person
from tests.lti_site import in_json
from tests.lti_visit import AGS, LTI, SCORE
from tests.test_web_regrade_pages import words
from tests.web import NOTEBOOK, Browser, grade_next
from tests.web_lti import TEACHER, Lms, school

EXERCISE, TITLE = "linear_regression", "Linear regression by gradient descent"
OVER, AHEAD = "2020-01-01T00:00Z", "2099-01-01T00:00Z"


@pytest.fixture
def lms(tmp_path: Path, ready_place: str) -> Iterator[Lms]:
    with school(tmp_path, ready_place) as found:
        yield found


def link(lms: Lms, name: str, title: str = "", **terms: str) -> dict[str, Any]:
    """What a link says, which has a column of its own."""
    return {
        LTI + "resource_link": {"id": name, "title": title or name.title()},
        LTI + "custom": {"exercise": EXERCISE} | terms,
        AGS: {"scope": [SCORE], "lineitem": f"{lms.site.url}/{name}"},
        LTI + "launch_presentation": {"locale": "en"},
    }


@pytest.fixture
def practice(lms: Lms) -> dict[str, Any]:
    return link(lms, "practice", points="10")


@pytest.fixture
def exam(lms: Lms) -> dict[str, Any]:
    return link(lms, "exam", points="20", attempts="2", deadline=AHEAD)


@pytest.fixture
def learner(lms: Lms, practice: dict[str, Any], exam: dict[str, Any]) -> Browser:
    """One who has been led to the practice, assignment 1, and to the exam, assignment 2."""
    browser = lms.pages.browser()
    paths = [lms.comes(browser, one).url.path for one in (practice, exam, practice, exam)]
    assert paths == ["/assignments/1", "/assignments/2"] * 2
    return browser


@pytest.fixture
def teacher(lms: Lms, learner: Browser, exam: dict[str, Any]) -> Browser:
    browser = lms.pages.browser()
    assert lms.comes(browser, exam | TEACHER).url.path == "/assignments/2/class"
    return browser


def hand_in(learner: Browser, assignment: int, number: int = 0) -> int:
    form = {"csrf": learner.csrf("/course")}
    files = {"file": ("a.ipynb", NOTEBOOK + b" " * number)}
    return learner.post(f"/assignments/{assignment}/attempts", data=form, files=files).status_code


def sent(lms: Lms) -> list[tuple[str, object, object]]:
    """Send what is due; to which column each score went, and the scores."""
    came = list[tuple[str, object, object]]()
    lms.site.answers["POST /token"] = lambda _: in_json({"access_token": "t", "expires_in": 3600})
    for name in ("practice", "exam"):

        def take(asked: Any, name: str = name) -> Any:
            came.append((name, asked.json["scoreGiven"], asked.json["scoreMaximum"]))
            return in_json({})

        lms.site.answers[f"POST /{name}/scores"] = take
    sender = Sender(lms.store, lms.pages.service.lti, Log(io.StringIO()), "en")
    while sender.go_round():
        pass
    return came


def decide(teacher: Browser, assignment: int, score: str) -> None:
    (student,) = set(re.findall(r"/students/(\w+)", teacher.get(f"/assignments/{assignment}/class").text))
    page = f"/assignments/{assignment}/students/{student}"
    form = {"csrf": teacher.csrf(page), "score": score, "reason": "shown on paper"}
    assert teacher.post(f"{page}/override", data=form).status_code == 200


# ---- apart --------------------------------------------------------------------------------------


def test_attempts_are_counted_apart(learner: Browser) -> None:
    assert [hand_in(learner, 1, number) for number in range(3)] == [200] * 3
    assert "0 of 2" in learner.get("/assignments/2").text
    assert [hand_in(learner, 2, number) for number in range(3)] == [200, 200, 403]
    assert hand_in(learner, 1, 9) == 200


def test_deadlines_hold_apart_and_follow_their_own_link(
    lms: Lms, learner: Browser, practice: dict[str, Any]
) -> None:
    lms.comes(learner, link(lms, "exam", attempts="2", deadline=OVER))
    assert (hand_in(learner, 1), hand_in(learner, 2)) == (200, 403)
    lms.comes(learner, practice)
    assert "2020-01-01" not in learner.get("/assignments/1").text
    assert "2020-01-01" in learner.get("/assignments/2").text


def test_each_score_goes_to_its_own_column_in_its_own_points(lms: Lms, learner: Browser) -> None:
    for assignment, score in ((1, 9), (2, 4)):
        hand_in(learner, assignment, assignment)
        grade_next(lms.store, score)
    assert sent(lms) == [("practice", 9, 10), ("exam", 8, 20)]


def test_the_same_file_is_an_attempt_at_each(lms: Lms, learner: Browser) -> None:
    assert (hand_in(learner, 1), hand_in(learner, 2)) == (200, 200)
    grade_next(lms.store, 6)
    grade_next(lms.store, 6)
    assert sorted(sent(lms)) == [("exam", 12, 20), ("practice", 6, 10)]


def test_a_score_of_a_teachers_own_counts_where_it_was_given(
    lms: Lms, learner: Browser, teacher: Browser
) -> None:
    for assignment in (1, 2):
        hand_in(learner, assignment)
        grade_next(lms.store, 6)
    sent(lms)
    decide(teacher, 2, "9")
    assert sent(lms) == [("exam", 18, 20)]
    assert "shown on paper" in teacher.get("/assignments/2/class").text
    assert "shown on paper" not in teacher.get("/assignments/1/class").text
    tables = [teacher.get(f"/assignments/{number}/class/grades.csv").text for number in (1, 2)]
    assert ["shown on paper" in table for table in tables] == [False, True]
    assert ["9 points" in learner.get(f"/assignments/{number}").text for number in (1, 2)] == [False, True]
    decide(teacher, 1, "7")
    assert sent(lms) == [("practice", 7, 10)]
    decide(teacher, 2, "")
    assert sent(lms) == [("exam", 12, 20)]
    assert "shown on paper" in teacher.get("/assignments/1/class").text


def test_the_pages_of_the_class_are_apart(lms: Lms, learner: Browser, teacher: Browser) -> None:
    hand_in(learner, 2)
    grade_next(lms.store, 6)
    shown = [words(teacher.get(f"/assignments/{number}/class")) for number in (1, 2)]
    assert ["12 / 20" in one for one in shown] == [False, True]
    for page in ("class", "class/overview", "exports", "reviews", "regrade", "class/grades.csv"):
        assert [teacher.get(f"/assignments/{number}/{page}").status_code for number in (1, 2)] == [200] * 2
    names = [
        teacher.get(f"/assignments/{number}/class/grades.csv").headers["content-disposition"]
        for number in (1, 2)
    ]
    assert names == [f'attachment; filename="{EXERCISE}-{number}.csv"' for number in (1, 2)]
    assert 'value="Exam"' in teacher.get("/assignments/2/exports").text  # the column that is meant


def test_a_regrade_of_one_leaves_the_other(lms: Lms, learner: Browser, teacher: Browser) -> None:
    for assignment in (1, 2):
        hand_in(learner, assignment)
        grade_next(lms.store, 6)
    form = {"csrf": teacher.csrf("/assignments/2/regrade"), "anew": "yes"}
    assert teacher.post("/assignments/2/regrade", data=form).url.path == "/regrades/1"
    assert "/regrades/1" not in teacher.get("/assignments/1/regrade").text
    assert "/regrades/1" in teacher.get("/assignments/2/regrade").text
    grade_next(lms.store, 7)
    form = {"csrf": teacher.csrf("/regrades/1"), "do": "drop"}
    assert teacher.post("/regrades/1", data=form).status_code == 200


def test_who_is_forgotten_is_gone_from_both(lms: Lms, learner: Browser, teacher: Browser) -> None:
    for assignment in (1, 2):
        hand_in(learner, assignment)
        grade_next(lms.store, 6)
        decide(teacher, assignment, "7")
    person = lms.store.read(
        lambda session: session.scalars(select(Person.id).where(Person.role == "learner")).one()
    )
    clearing.forget(lms.store, person)
    assert lms.store.read(lambda session: session.scalars(select(Attempt)).all()) == []
    assert lms.store.read(lambda session: session.scalars(select(Delivery)).all()) == []
    assert sent(lms) == []
    for number in (1, 2):
        assert "/students/" not in teacher.get(f"/assignments/{number}/class").text


def test_a_copy_of_what_is_kept_has_both(lms: Lms, learner: Browser, teacher: Browser) -> None:
    for assignment in (1, 2):
        hand_in(learner, assignment)
        grade_next(lms.store, 6)
    decide(teacher, 2, "9")
    archive = ZipFile(io.BytesIO(learner.get("/own/copy").content))
    folders = [f"{EXERCISE}-{number}/attempt-1" for number in (1, 2)]
    assert {f"{folder}/submission.ipynb" for folder in folders} <= set(archive.namelist())
    kept = json.loads(archive.read("kept.json"))
    assert [(one["folder"], one["title"]) for one in kept["attempts"]] == [
        (folders[0], "Practice"),
        (folders[1], "Exam"),
    ]
    assert [one["assignment"] for one in kept["scores_by_a_teacher"]] == [2]
    assert [one["assignment"] for one in kept["scores_sent"]] == [1, 2]


def test_nobody_elses_may_be_read_at_either(lms: Lms, learner: Browser, exam: dict[str, Any]) -> None:
    hand_in(learner, 1)
    other = lms.pages.browser()
    lms.comes(other, exam | {"sub": "learner-2", "name": "Bo"})
    elsewhere = lms.pages.browser()
    lms.comes(elsewhere, exam | TEACHER | {LTI + "context": {"id": "course-2"}})
    assert other.get("/attempts/1").status_code == 404
    assert [other.get(f"/assignments/{number}").status_code for number in (1, 2)] == [200, 200]
    for number in (1, 2):
        assert elsewhere.get(f"/assignments/{number}/class").status_code == 404
    assert (
        elsewhere.get("/assignments/3/class").status_code == 200
    )  # the same link's id, in a course of its own


# ---- what they are called -----------------------------------------------------------------------


def test_links_are_told_apart_by_what_they_are_called(lms: Lms, learner: Browser) -> None:
    said = words(learner.get("/course"))
    assert f"{TITLE} – Practice" in said
    assert f"{TITLE} – Exam" in said
    assert f"{TITLE} – Exam" in words(learner.get("/assignments/2"))
    lms.comes(learner, link(lms, "exam", "The <b>real</b>\n one" + "!" * 500))
    shown = learner.get("/course").text
    assert "<b>real" not in shown
    assert "The &lt;b&gt;real" in shown
    assert "!" * 81 not in shown


def test_links_that_are_called_the_same_are_numbered(lms: Lms) -> None:
    browser = lms.pages.browser()
    lms.comes(browser, link(lms, "practice", TITLE))
    assert "(2)" not in browser.get("/course").text
    lms.comes(browser, link(lms, "exam", TITLE))
    lms.comes(browser, link(lms, "third", "Again"))
    lms.comes(browser, link(lms, "fourth", "Again"))
    shown = html.unescape(browser.get("/course").text)
    names = re.findall(r'href="/assignments/\d">([^<]*)<', shown)
    assert names == [TITLE, f"{TITLE} (2)", f"{TITLE} – Again", f"{TITLE} – Again (2)"]


def test_one_alone_is_called_by_its_exercise(lms: Lms, practice: dict[str, Any]) -> None:
    browser = lms.pages.browser()
    assert "Practice" not in lms.comes(browser, practice).text
    assert "Practice" not in browser.get("/course").text


# ---- a link that leads elsewhere ----------------------------------------------------------------


def test_a_link_that_was_changed_to_another_exercise_leaves_what_there_was(
    lms: Lms, learner: Browser, teacher: Browser
) -> None:
    hand_in(learner, 2)
    grade_next(lms.store, 6)
    assert sent(lms) == [("exam", 12, 20)]
    changed = link(lms, "exam", exercise="temperature", points="20")
    assert lms.comes(teacher, changed | TEACHER).url.path == "/assignments/3/class"
    assert "12 / 20" in teacher.get("/assignments/2/class").text
    decide(teacher, 2, "9")  # which is no score of what the column is for by now
    assert sent(lms) == []
    assert lms.comes(learner, changed).url.path == "/assignments/3"
    assert "no place for their score" not in teacher.get("/assignments/2/class").text
    assert lms.comes(learner, link(lms, "exam", points="20")).url.path == "/assignments/2"
    assert sent(lms) == [("exam", 18, 20)]
