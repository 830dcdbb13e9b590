"""`grader push moodle`, to a Moodle on the loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Outcome, grader
from tests.fake_moodle import CMID, COURSE, EDITOR, FUNCTIONS, FakeMoodle, user
from tests.fake_platform import TOKEN, Trouble
from tests.gradebooks import EXERCISE
from tests.pushing import fill, handed_in, report

CLASS = (
    (handed_in("501", "Jane Doe", "all.zip: Jane Doe_501_assignsubmission_file/a.ipynb"), report("501", 10)),
    (handed_in("502", "Wei Li", "all/Wei Li_502_assignsubmission_file_/a.ipynb"), report("502", 7)),
)
USERS = (
    user(31, "Jane Doe", idnumber="s1", email="jane@example.org"),
    user(32, "Wei Li", idnumber="501", username="wei"),
    user(33, "Wei Li", idnumber="s3", username="wei2"),
)


@pytest.fixture
def moodle() -> Iterator[FakeMoodle]:
    with FakeMoodle(*USERS) as fake:
        fake.numbers = {31: 501, 33: 502}
        yield fake


def push(fake: FakeMoodle, folder: Path, *options: str, **variables: str) -> Outcome:
    place = ("--gradebook", "grades.db", "--url", fake.url, "--unsafe-no-tls")
    to = ("--exercise", EXERCISE, "--course-id", str(COURSE), "--assignment", str(CMID))
    return grader(
        "push", "moodle", *place, *to, *options, folder=folder, **({"MOODLE_TOKEN": TOKEN} | variables)
    )


def test_the_number_of_the_worksheet_finds_the_student(moodle: FakeMoodle, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    moodle.troubles += [Trouble(503, {"Retry-After": "0"}), Trouble(429, {"Retry-After": "0"})]
    done = push(moodle, tmp_path)
    assert (done.code, set(moodle.saved)) == (0, {31, 33}), done.err
    own = moodle.saved[33]
    assert (own["grade"], own["attemptnumber"], own["applytoall"]) == ("7", "-1", "0")
    assert own[f"{EDITOR}[text]"] == "7 of 10 points.<br>Not passed: w is the slope."
    assert own[f"{EDITOR}[format]"] == "1"
    assert all("wstoken" not in asked.path for asked in moodle.asked)
    moodle.saved.clear()
    again = push(moodle, tmp_path, "--assignment", "task 1")
    assert (again.code, moodle.saved) == (0, {})
    assert "2 sent before" in again.err


@pytest.mark.slow
def test_without_the_numbers_a_name_that_two_have_is_nobodys(moodle: FakeMoodle, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    moodle.functions = [name for name in FUNCTIONS if name != "mod_assign_get_user_mappings"]
    moodle.locked.add(31)
    done = push(moodle, tmp_path)
    assert (done.code, moodle.saved) == (3, {})
    assert "Wei Li (502) was not found" in done.err
    assert "Jane Doe (501) was refused: You do not currently have permissions" in done.err


@pytest.mark.slow
def test_without_feedback_comments_and_with_a_workflow(tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    with FakeMoodle(*USERS, comments="0", most=100.0) as fake:
        fake.numbers, fake.workflow = {31: 501, 33: 502}, 1
        done = push(fake, tmp_path)
        assert done.code == 0, done.err
        assert fake.saved[33]["grade"] == "70"
        assert fake.saved[33]["workflowstate"] == "readyforrelease"
    assert "takes no feedback comments" in done.err


@pytest.mark.slow
def test_a_grade_is_kept_where_the_platform_does_not_come_back(moodle: FakeMoodle, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    moodle.troubles += [Trouble(500, {"Retry-After": "0"})] * 6
    done = push(moodle, tmp_path)
    assert (done.code, moodle.saved) == (3, {})
    assert done.err.count("was not delivered: the platform does not answer (HTTP 500)") == 2
    assert push(moodle, tmp_path).code == 0
    assert len(moodle.saved) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        ((), {"MOODLE_TOKEN": "another"}, "does not accept the token"),
        (("--assignment", "Task 3"), {}, "There are: Task 1 (88), Task 2 (90)"),
        (("--assignment", "12"), {}, "There are: Task 1 (88), Task 2 (90)"),
        (("--course-id", "9"), {}, "There are: –"),
    ],
    ids=range(4),
)
def test_what_cannot_be_done_is_said(
    options: tuple[str, ...], variables: dict[str, str], said: str, moodle: FakeMoodle, tmp_path: Path
) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    done = push(moodle, tmp_path, *options, **variables)
    assert (done.code, moodle.saved) == (2, {})
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.slow
def test_a_token_that_may_not_do_all_says_what_is_missing(moodle: FakeMoodle, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    moodle.functions = FUNCTIONS[:1]
    done = push(moodle, tmp_path)
    assert done.code == 2
    assert "mod_assign_save_grade" in done.err


@pytest.mark.slow
def test_a_scale_takes_no_points(tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    with FakeMoodle(*USERS, most=-3.0) as fake:
        done = push(fake, tmp_path)
    assert done.code == 2
    assert "is not graded in points" in done.err


@pytest.mark.slow
def test_what_is_no_moodle_is_said(moodle: FakeMoodle, tmp_path: Path) -> None:
    fill(tmp_path / "grades.db", *CLASS)
    done = push(moodle, tmp_path, "--url", f"{moodle.url}/elsewhere")
    assert done.code == 2
    assert "does not speak as the platform does (HTTP 404)" in done.err
