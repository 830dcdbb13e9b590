"""The pages of grading again: what they offer, how far it is, what would change, and what is decided."""

import html
import re
from pathlib import Path

import httpx
import pytest

from grader.exercise import course_folder, load_exercise
from grader.settings import Settings
from grader.web.identities import identified
from grader.web.store import jobs
from grader.web.store.records import Outcome
from grader.web.store.store import Store
from tests.command import grader
from tests.gradebooks import EXERCISE, graded
from tests.web import OTHER, OWNER, Browser, Pages, School, grade_next, learner_in, teacher_in


def grade_today(store: Store, score: float) -> None:
    """Grade what waits longest under today's conditions, with a report made up."""
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    known = identified(leased.sha256, load_exercise(course_folder(None), EXERCISE), Settings())
    outcome = Outcome(identity=known, report=graded(score, sha256=leased.sha256))
    assert store.write(jobs.finish, leased.job, OWNER, outcome)


def sends(browser: Browser | httpx.Client, page: str, form: int = 0, **changed: str) -> httpx.Response:
    """Press the button of a form of a page."""
    text = browser.get(page).text.partition("<main")[2]
    found = re.findall(r'<form[^>]* action="([^"]+)"[^>]*>(.*?)</form>', text, re.DOTALL)
    action, fields = found[form]
    data = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', fields))
    return browser.post(action, data=data | changed)


def words(answer: httpx.Response) -> str:
    """What a page says, in one line."""
    text = re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])
    return " ".join(html.unescape(text).split())


def test_a_class_is_graded_again_and_nothing_counts_before_it_is_let(pages: Pages, store: Store) -> None:
    school = School(store)
    ann, bob = learner_in(pages, school, "Ann"), learner_in(pages, school, "Bob <b>")
    ann.upload(school.asked)
    bob.upload(school.asked, OTHER)
    grade_next(store, 7)
    grade_next(store, 9)
    teacher = teacher_in(pages, school)
    assert 'href="/assignments/1/regrade"' in teacher.get("/assignments/1/class").text
    offered = words(teacher.get("/assignments/1/regrade"))
    assert "2 attempts were graded by what has changed since." in offered
    begun = sends(teacher, "/assignments/1/regrade")
    assert (begun.status_code, begun.url.path) == (200, "/regrades/1")
    assert "0 of 2 attempts are graded again." in words(begun)
    assert '<noscript><meta http-equiv="refresh"' in begun.text
    assert "Let it count" not in words(begun)
    assert "A regrade waits" in words(teacher.get("/assignments/1/class"))
    grade_today(store, 8)
    grade_today(store, 9)
    shown = teacher.get("/regrades/1")
    assert "2 of 2 attempts" in words(shown)
    assert "refresh" not in shown.text
    assert "Ann 7 / 10 8 / 10 Attempt 1: other points, 7 / 10 → 8 / 10" in words(shown)
    assert "Bob <b> " not in words(shown)  # gets what Bob has
    assert "would be another one for 1 learners" in words(shown)
    assert "<bdi>work.ipynb</bdi>" in teacher.get("/regrades/1/attempts/1/report").text
    assert "7 / 10" in ann.get("/course").text
    counted = sends(teacher, "/regrades/1")
    assert "What this regrade found counts now." in words(counted)
    assert "8 / 10" in ann.get("/course").text
    assert "There is nothing that would change. The exercise (version " in words(
        teacher.get("/assignments/1/regrade")
    )
    assert sends(teacher, "/assignments/1/regrade").url.path == "/regrades/2"  # anew


def test_a_preview_can_be_dropped_and_what_moved_has_to_be_seen(pages: Pages, store: Store) -> None:
    school = School(store)
    ann = learner_in(pages, school, "Ann")
    ann.upload(school.asked)
    grade_next(store, 7)
    teacher = teacher_in(pages, school)
    sends(teacher, "/assignments/1/regrade")
    grade_today(store, 8)
    stale = sends(teacher, "/regrades/1", seen="0" * 64)
    assert stale.status_code == 409
    assert "Something has changed since you saw this page" in words(stale)
    dropped = sends(teacher, "/regrades/1", form=1)
    assert "This regrade was dropped. Nothing has changed." in words(dropped)
    assert "7 / 10" in ann.get("/course").text
    assert teacher.get("/regrades/1/attempts/1/report").status_code == 404
    form = {"csrf": teacher.csrf("/course"), "do": "count"}
    late = teacher.post("/regrades/1", data=form)
    assert (late.status_code, "somebody decided before you" in late.text) == (409, True)
    assert teacher.post("/regrades/1", data=form | {"do": "else"}).status_code == 400


def test_one_that_lay_until_the_exercise_changed_says_so_and_cannot_count(pages: Pages, store: Store) -> None:
    school = School(store)
    learner_in(pages, school).upload(school.asked)
    grade_next(store, 7)
    teacher = teacher_in(pages, school)
    form = {"csrf": teacher.csrf("/course"), "do": "count"}
    sends(teacher, "/assignments/1/regrade")
    assert teacher.post("/regrades/1", data=form).status_code == 409  # it has not come to its end
    grade_next(store, 8)  # under other conditions than today's
    shown = words(teacher.get("/regrades/1"))
    assert "The exercise or a setting has changed since this was graded" in shown
    assert "Let it count" not in shown
    late = teacher.post("/regrades/1", data=form)
    assert (late.status_code, "so it cannot count any more" in late.text) == (409, True)


def test_one_attempt_says_why_nothing_would_change_and_is_graded_anew_all_the_same(
    pages: Pages, store: Store
) -> None:
    school = School(store)
    ann = learner_in(pages, school, "Ann")
    ann.upload(school.asked)
    grade_today(store, 7)
    teacher = teacher_in(pages, school)
    address = re.findall(r'href="(/assignments/1/students/\w+)"', teacher.get("/assignments/1/class").text)[0]
    assert 'href="/attempts/1/regrade"' in teacher.get(address).text
    assert "Nothing would change here." in words(teacher.get("/attempts/1/regrade"))
    sends(teacher, "/attempts/1/regrade")
    grade_today(store, 7)
    assert "Nothing would change: everybody gets the same" in words(teacher.get("/regrades/1"))
    assert "现在有效" not in ann.get("/course").text
    assert "不会有任何变化" in teacher.get("/regrades/1?language=zh").text


@pytest.mark.slow
def test_the_command_line_and_the_pages_share_one_regrade(tmp_path: Path, pages: Pages, store: Store) -> None:
    school = School(store)
    ann = learner_in(pages, school, "Ann")
    ann.upload(school.asked)
    grade_next(store, 7)

    def command(*options: str, code: int = 0) -> str:
        options = ("dl101", EXERCISE, "--database", str(tmp_path / "service.sqlite"), *options)
        done = grader("course", "regrade", *options, folder=tmp_path)
        assert done.code == code, done.err
        return done.out + done.err

    assert "There is no regrade of linear_regression" in command("--count", code=2)
    assert "exclude one another" in command("--count", "--drop", code=2)
    assert "1 attempts are queued to be graded again." in command()
    assert "Not every attempt is graded again yet." in command("--count", code=1)
    grade_today(store, 8)
    assert command().splitlines() == ["1 of 1 attempts are graded again.", "    Ann: 7 → 8"]
    assert "Ann 7 / 10 8 / 10" in words(teacher_in(pages, school).get("/regrades/1"))
    assert command("--count") == "What this regrade found counts now.\n"
    assert "8 / 10" in ann.get("/course").text
    assert command() == "There is nothing that would change.\n"
    assert "1 attempts are queued" in command("--anew")
    assert command("--drop") == "This regrade was dropped. Nothing has changed.\n"
