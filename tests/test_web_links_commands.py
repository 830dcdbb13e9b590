"""`grader course` where links ask for an exercise more than once: which is which, and that none is taken for another."""

from pathlib import Path

import pytest

from grader.web.store import courses
from tests.command import Outcome, grader
from tests.test_web_links import EXERCISE, hand_in, link
from tests.web import Browser, grade_next
from tests.web_lti import Lms


@pytest.fixture
def learner(lms: Lms) -> Browser:
    browser = lms.pages.browser()
    lms.comes(browser, link(lms, "practice"))
    lms.comes(browser, link(lms, "exam", "Exam \x1b[31m\nof today", attempts="2"))
    return browser


def course(folder: Path, lms: Lms, *arguments: str) -> Outcome:
    """Call a command of the one course that there is."""
    command, *more = arguments
    code = () if command == "list" else (code_of(lms),)
    return grader("course", command, *code, *more, "--database", "service.sqlite", folder=folder)


def code_of(lms: Lms) -> str:
    ((code, _, _),) = lms.store.read(courses.listed)
    return code


@pytest.mark.usefixtures("learner")
def test_the_list_tells_links_apart_and_moves_no_cursor(lms: Lms, tmp_path: Path) -> None:
    lines = course(tmp_path, lms, "list").out.splitlines()
    assert lines[1:] == [
        f"    {EXERCISE} (assignment 1: Practice), deadline –, attempts –, points –",
        rf"    {EXERCISE} (assignment 2: Exam \x1b[31m\nof today), deadline –, attempts 2, points –",
    ]


@pytest.mark.slow
def test_a_regrade_has_to_say_which_is_meant(lms: Lms, learner: Browser, tmp_path: Path) -> None:
    for assignment in (1, 2):
        hand_in(learner, assignment)
        grade_next(lms.store, 6)
    for unclear in ((), ("--assignment", "9")):
        answer = course(tmp_path, lms, "regrade", EXERCISE, *unclear)
        assert (answer.code, answer.out) == (2, "")
        assert "1 (Practice), 2 (Exam" in answer.err
    begun = course(tmp_path, lms, "regrade", EXERCISE, "--anew", "--assignment", "2")
    assert (begun.code, begun.out.startswith("1 attempts are queued")) == (0, True)
    none = course(tmp_path, lms, "regrade", EXERCISE, "--drop", "--assignment", "1")
    assert (none.code, "no regrade" in none.err) == (2, True)
    assert course(tmp_path, lms, "regrade", EXERCISE, "--drop", "--assignment", "2").code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("learner")
def test_what_a_command_assigns_stands_beside_the_links(lms: Lms, tmp_path: Path) -> None:
    for attempts in ("5", "6"):
        assert course(tmp_path, lms, "assign", EXERCISE, "--attempts", attempts).code == 0
    ((_, _, asked),) = lms.store.read(courses.listed)
    assert [(one.id, one.most) for one in asked] == [(1, None), (2, 2), (3, 6)]
    lms.comes(lms.pages.browser(), link(lms, "practice", attempts="7"))
    ((_, _, asked),) = lms.store.read(courses.listed)
    assert [one.most for one in asked] == [7, 2, 6]
