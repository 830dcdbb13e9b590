"""The files that learning platforms take back: filled in, and nothing else in them changed."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.grades import Grade, HandedIn, Override
from grader.lms.filling import Filled, Task
from grader.lms.roster import read_roster, with_roster
from grader.lms.sheets import neutral, sheet, written_table
from grader.lms.upload import fill, names, platform
from grader.model import Text
from tests.files import worded

TASK = Task(
    exercise="linear_regression", titles=("Fit a line", "拟合直线", "linear_regression"), max_score=10
)
HEAD = "Student,ID,SIS User ID,SIS Login ID,Section"
CANVAS = (
    f"\ufeff{HEAD},Fit a line (77),Essay (78),Final Score\r\n"
    ",,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,20,5,(read only)\r\n"
    '"Doe, Jane",101,u1,jane,A,,4,80\r\n'
    '"Roe, Richard",102,u2,rich,A,EX,"3",70\r\n'
    '"Poe, ""Ed""",103,,ed@x,B,11.5,,60\r\n'
    '"Lee, Ann",104,u4,ann,B,,,50\r\n'
    '"Student, Test",105,,,B,,,\r\n'
)
MOODLE = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 101,Jane Doe,j@x,Submitted,,100.00,Yes,"Monday, 2 March",-,\n'
    'Participant 102,Ann Lee,a@x,Submitted,,100.00,Yes,-,-,"mine, kept"\n'
    "Participant 109,No Body,n@x,No submission,,100.00,Yes,-,-,\n"
)
GERMAN = MOODLE.replace("Participant", "Teilnehmer/in").replace("100.00", '"100,00"').split("\n", 1)[1]
GERMAN_HEAD = "ID,Name,E-Mail,Status,Bewertung,Bestwertung,Änderbar,Abgabe,Zuletzt,Feedback\n"


def scored(student: str, score: float | None, name: str = "") -> Grade:
    handed = HandedIn(file="a.py", path="a.py", sha256="")
    if score is None:
        return Grade(student=student, name=name, handed_in=handed, problem=Text(id="file-empty"))
    override = Override(score=score, reason="by hand & mind", when="")
    return Grade(student=student, name=name, handed_in=handed, override=override)


def filled(system: str, text: str, grades: Sequence[Grade], **task: Any) -> Filled:
    asked = Task(**{name: getattr(TASK, name) for name in TASK.__struct_fields__} | task)
    return fill(system, sheet(text.encode(), "given.csv"), grades, asked)


def noted(done: Filled) -> list[tuple[str, object]]:
    return [(note.id, note.params.get("student")) for note in done.notes]


GRADES = [
    scored("101", 8), scored("u2", 9), scored("ed@x", None), scored("x", 2.5, "leeann"), scored("999", 1, "Who"),
]  # fmt: skip


@pytest.mark.parametrize("separator", [",", ";"])
def test_canvas_is_filled_in_and_nothing_else_changes(separator: str) -> None:
    given = CANVAS if separator == "," else CANVAS.replace('"Doe, Jane"', "“Doe– Jane”").replace(",", ";")
    done = filled("canvas", given, GRADES)
    wanted = given.replace("jane,A,,".replace(",", separator), "jane,A,16,".replace(",", separator))
    wanted = wanted.replace("ann,B,,".replace(",", separator), "ann,B,5,".replace(",", separator))
    assert done.files["canvas.csv"].decode() == wanted
    assert noted(done) == [
        ("upload-scaled", None),
        ("upload-excused", "102"),
        ("upload-row-left", "103"),
        ("upload-row-left", "105"),
        ("upload-no-row", "999"),
    ]
    assert {worded(UsageError(note.id, **note.params))[0] != "" for note in done.notes} == {True}


def test_canvas_columns_are_chosen_by_name_or_number_and_never_guessed() -> None:
    for column in ("Essay", "78", "Essay (78)"):
        assert b"jane,A,,4," in filled("canvas", CANVAS, GRADES[:1]).files["canvas.csv"].replace(b"16", b"")
        assert b"jane,A,,4,80" in filled("canvas", CANVAS, GRADES[:1], column=column).files["canvas.csv"]
    with pytest.raises(UsageError) as caught:
        filled("canvas", CANVAS, (), titles=("Something else",))
    assert "Fit a line (77), Essay (78)" in worded(caught.value)[0]
    twice = CANVAS.replace("Essay (78)", "Fit a line (79)")
    with pytest.raises(UsageError):
        filled("canvas", twice, ())
    with pytest.raises(UsageError, match="canvas-no-header"):
        filled("canvas", MOODLE, ())


def test_two_students_of_one_name_are_not_mixed_up() -> None:
    twins = CANVAS.replace("Roe, Richard", "Lee, Ann")
    assert ("upload-no-row", "x") in noted(filled("canvas", twins, GRADES))


def test_moodle_is_filled_in_and_a_teachers_comment_stays() -> None:
    done = filled(
        "moodle", MOODLE, [scored("101", 8), scored("102", 2.5), scored("7", 1), scored("109", None)]
    )
    wanted = MOODLE.replace("Submitted,,", "Submitted,80,", 1).replace(
        "-,\nParticipant 102", "-,by hand &amp; mind\nParticipant 102"
    )
    assert done.files["moodle.csv"].decode() == wanted.replace("Submitted,,", "Submitted,25,")
    assert noted(done) == [("upload-scaled", None), ("upload-row-left", "109"), ("upload-no-row", "7")]


def test_moodle_in_another_language_is_known_by_what_stands_in_it() -> None:
    done = filled("moodle", GERMAN_HEAD + GERMAN, [scored("102", 2.55)])
    assert 'Teilnehmer/in 102,Ann Lee,a@x,Submitted,"25,5","100,00",' in done.files["moodle.csv"].decode()
    with pytest.raises(UsageError, match="moodle-no-worksheet"):
        filled("moodle", "a,b,c\n1,2,x\n", ())


def test_nbgraders_table_has_its_columns_and_no_zero_for_nothing() -> None:
    done = fill("nbgrader", None, [scored("=1+1", 8, "Doe, Jane"), scored("b", None)], TASK)
    rows = list(csv.DictReader(io.StringIO(done.files["nbgrader.csv"].decode())))
    assert [row["student_id"] for row in rows] == ["'=1+1", "b"]
    assert [(row["last_name"], row["first_name"], row["score"]) for row in rows] == [
        ("Doe", "Jane", "8"),
        ("", "", ""),
    ]


@pytest.mark.parametrize("name", names())
def test_every_platform_is_described(name: str) -> None:
    module = platform(name)
    assert set(module.WORDS) == {"en", "zh"}
    assert module.__doc__
    if module.FROM_TABLE:
        assert fill(name, None, (), TASK) == Filled()


# ---- tables -------------------------------------------------------------------------------------

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=8)
ROWS = st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=5)


@given(rows=ROWS, separator=st.sampled_from([",", ";", "\t"]), data=st.data())
@settings(deadline=None)
def test_a_table_is_read_as_csv_reads_it_and_one_cell_is_changed(
    rows: list[list[str]], separator: str, data: st.DataObject
) -> None:
    head = ["a", "b", "c"]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([head, *rows])
    table = sheet(text.getvalue().encode(), "a.csv")
    assert [[cell.value for cell in row] for row in table.rows] == [head, *rows]
    assert table.filled({}) == text.getvalue().encode()
    row = data.draw(st.integers(1, len(rows)))
    column, value = data.draw(st.integers(0, len(rows[row - 1]) - 1)), data.draw(CELLS)
    again = sheet(table.filled({(row, column): value}), "a.csv")
    rows[row - 1][column] = value
    assert [[cell.value for cell in own] for own in again.rows] == [head, *rows]


@given(rows=st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_table_of_ours_comes_back_with_nothing_to_compute(rows: list[list[str]]) -> None:
    written = written_table([[neutral(cell) for cell in row] for row in rows]).decode("utf-8-sig")
    back = list(csv.reader(io.StringIO(written, newline="")))
    known = [[cell.encode("utf-8", "backslashreplace").decode() for cell in row] for row in rows]
    assert [
        [cell.removeprefix("'") if cell[1:2] and cell[0] == "'" else cell for cell in row] for row in back
    ] == [[cell.removeprefix("'") if cell[1:2] and cell[0] == "'" else cell for cell in row] for row in known]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for row in back for cell in row)


# ---- rosters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("id,name\n101,Jane Doe\n102,Ann\n".encode("utf-8-sig"), [("101", "Jane Doe"), ("102", "Ann")]),
        ("学号;姓名\n101;王小明\n".encode("gb18030"), [("101", "王小明")]),
        (b"First name\tLast name\tEmail address\nJane\tDoe\tjane@x.org\n", [("jane@x.org", "Jane Doe")]),
        ("ann\nbob\n".encode("utf-16"), [("ann", ""), ("bob", "")]),
        (b'name,login\n"Doe, Jane",jdoe\n,\n', [("jdoe", "Doe, Jane")]),
    ],
)  # fmt: skip
def test_a_roster_is_read_however_it_was_saved(
    tmp_path: Path, content: bytes, found: list[tuple[str, str]]
) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    assert [(one.id, one.name) for one in read_roster(path)] == found


def test_a_roster_names_students_and_says_who_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("id,username,name,email\n1,ann,Ann Lee,al@x\n2,bob,Bob Roe,bob@x\n3,cy,Cy Poe,cy@x\n")
    grades = with_roster(
        [scored("ann", 1), scored("99", 2, "roe, bob"), scored("other", 3)], read_roster(path)
    )
    assert [(grade.student, grade.name, grade.handed_in is None) for grade in grades] == [
        ("ann", "Ann Lee", False),
        ("99", "Bob Roe", False),
        ("other", "", False),
        ("3", "Cy Poe", True),
    ]


def test_a_name_as_canvas_shortens_it_is_known_and_one_of_two_is_not(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text("login,name\njd,Jane Mary Doe\nal,Ann Lee\nal2,Ann Lee\n")
    grades = with_roster([scored("7001", 1, "doejanemary"), scored("7002", 2, "leeann")], read_roster(path))
    assert [(grade.student, grade.name, grade.handed_in is None) for grade in grades] == [
        ("7001", "Jane Mary Doe", False),
        ("7002", "leeann", False),
        ("al", "Ann Lee", True),
        ("al2", "Ann Lee", True),
    ]


@pytest.mark.parametrize("content", [b"\x81\x20\xff", b"\xff\xfe\x00", b"\n\n,,\n"])
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_roster(path)
    assert all(str(path) in text for text in worded(caught.value))
