"""Grades for platforms that take a file: their table is given back filled in, with what could not be; nothing in it computes."""

import re

import httpx
import pytest
from sqlalchemy import select, update

from grader.web.store import sheets
from grader.web.store.store import Store
from grader.web.store.teaching import Sheet
from tests.test_lms_uploads import CANVAS, MOODLE
from tests.test_web_regrade_pages import words
from tests.web import OTHER, Browser, Pages, School, grade_next, learner_in, teacher_in

EXPORTS = "/assignments/1/exports"


@pytest.fixture
def teacher(store: Store) -> Browser:
    """The teacher of a class: Jane has 7 of 10 points, Ann 9, Zoe, whose name is a formula, none."""
    pages = Pages(store)
    school = School(store)
    for name, content in (("Jane Doe", OTHER), ("Lee, Ann", OTHER + b" ")):
        learner_in(pages, school, name).upload(school.asked, content)
    grade_next(store, 7)
    grade_next(store, 9)
    learner_in(pages, school, "=Zoe()")
    return teacher_in(pages, school)


def send(teacher: Browser, platform: str, table: str | bytes | None, column: str = "") -> httpx.Response:
    content = table.encode() if isinstance(table, str) else table
    return teacher.post(
        EXPORTS,
        data={"csrf": teacher.csrf(EXPORTS), "platform": platform, "column": column},
        files={"file": ("given.csv", content)} if content is not None else {"other": ("", b"")},
    )


def lines(teacher: Browser, page: httpx.Response) -> list[str]:
    """The table that a page gives back."""
    address = re.findall(rf'href="({EXPORTS}/\d+/file)"', page.text)[0]
    answer = teacher.get(address)
    assert answer.headers["content-disposition"].startswith("attachment;")
    return answer.text.lstrip("\ufeff").splitlines()


def test_canvas_gets_its_gradebook_back_with_what_could_not_be_matched(teacher: Browser) -> None:
    page = send(teacher, "canvas", CANVAS, "Fit a line")
    assert page.url.path == f"{EXPORTS}/1"
    said = words(page)
    assert 'Poe, "Ed"' in said
    assert "full marks there are 20, here 10" in said
    found = lines(teacher, page)
    assert found[3] == '"Doe, Jane",101,u1,jane,A,14,4,80'
    assert found[6] == '"Lee, Ann",104,u4,ann,B,18,,50'
    assert found[5] == '"Poe, ""Ed""",103,,ed@x,B,11.5,,60'


def test_moodle_knows_by_their_names_who_has_no_number_here(teacher: Browser) -> None:
    page = send(teacher, "moodle", MOODLE)
    found = lines(teacher, page)
    assert found[1].startswith("Participant 101,Jane Doe,j@x,Submitted,70,100.00")
    assert found[2].startswith("Participant 102,Ann Lee,a@x,Submitted,90,100.00")
    assert "No Body" in words(page)


def test_a_platform_without_a_table_of_its_own_gets_one_that_computes_nothing(teacher: Browser) -> None:
    found = lines(teacher, send(teacher, "nbgrader", None))
    assert len(found) == 4
    assert ",'=Zoe()," in found[1] + found[2] + found[3]


@pytest.mark.parametrize(
    ("platform", "table", "said"),
    [
        ("canvas", None, "needs its own table"),
        ("moodle", None, "needs its own table"),
        ("moodle", "a,b\n1,2\n", "given.csv"),
        ("canvas", "<script>alert(1)</script>,x\n", "given.csv"),
        ("canvas", b"\xff\xfe\x00", "given.csv"),
        ("blackboard", "a,b\n", "blackboard"),
        ("canvas", b"x" * 5_000_001, "larger than 5 MB"),
    ],
)
def test_what_cannot_be_filled_in_is_told(
    teacher: Browser, platform: str, table: str | bytes | None, said: str
) -> None:
    answer = send(teacher, platform, table)
    assert answer.status_code == 422
    assert said in answer.text.partition('role="alert"')[2]
    assert "<script>alert" not in answer.text


def test_a_table_is_kept_for_who_made_it_the_last_one_and_a_day(teacher: Browser, store: Store) -> None:
    send(teacher, "canvas", CANVAS, "Fit a line")
    address = send(teacher, "moodle", MOODLE).url.path
    number = int(address.rpartition("/")[2])
    (person,) = store.read(lambda session: session.scalars(select(Sheet.person)).all())  # the last one alone
    assert store.read(sheets.kept, number, person) is not None
    assert store.read(sheets.kept, number, person + 1) is None
    assert teacher.get(address.replace("assignments/1", "assignments/2")).status_code == 404
    store.write(lambda session: session.execute(update(Sheet).values(made="2020-01-01T00:00:00.000+00:00")))
    gone = teacher.get(address)
    assert (gone.status_code, "not kept any more" in gone.text) == (404, True)
