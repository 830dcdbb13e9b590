"""What a batch leaves behind, from real reports: nothing is lost, nothing computes, nobody's name is in what a class is shown."""

import csv
import json
import re
import zipfile
from pathlib import Path
from typing import get_args

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.exercise import Exercise, course_folder
from grader.grades import Grade, HandedIn
from grader.kernel.pool import Kernels
from grader.model import Language, Report
from grader.outcome.names import file_name
from grader.outcome.table import grades_table
from grader.outcome.write import Given, Written, try_table, write_all
from grader.report.overview.document import json_schema, render, word
from grader.report.overview.excerpts import blanked, excerpts, names_in
from tests import made_grades
from tests.command import grader
from tests.files import worded
from tests.made_grades import HOSTILE
from tests.pages import addresses, elements, parsed, text_of

pytestmark = pytest.mark.slow  # it grades several files

LANGUAGES: tuple[Language, ...] = get_args(Language)


@pytest.fixture(scope="module")
def reports(kernels: Kernels) -> dict[str, Report]:
    return made_grades.graded(kernels)


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return made_grades.exercise()


@pytest.fixture(scope="module")
def grades(reports: dict[str, Report]) -> list[Grade]:
    found = made_grades.a_class(reports)
    renamed = [
        msgspec.structs.replace(
            cell, source=re.sub(r"\by_pred\b|\by_hat\b", "guess", cell.source) + "\n# mine"
        )
        for cell in reports["s003.py"].notebook
    ]
    report = msgspec.structs.replace(reports["s003.py"], notebook=tuple(renamed), sha256="d" * 64)
    return [*found, made_grades.one("110", "Borrow, Bo", report)]


@pytest.fixture(scope="module")
def written(
    grades: list[Grade], exercise: Exercise, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Written]:
    folder = tmp_path_factory.mktemp("out")
    sheet = folder / "worksheet.csv"
    rows = [f"Participant {number},N,Submitted,,10,Yes,-,-," for number in range(101, 112)]
    head = "Identifier,Full name,Status,Grade,Maximum Grade,Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments"
    sheet.write_text("\n".join([head, *rows]))
    return folder, write_all(folder, grades, exercise, "en", Given(system="moodle", sheet=sheet))


def test_everything_is_written_and_every_link_leads_somewhere(written: tuple[Path, Written]) -> None:
    folder, done = written
    names = {path.relative_to(folder).as_posix() for path in done.files}
    assert names >= {"grades.csv", "class.json", "index.html", "moodle.csv", "moodle-feedback.zip"}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} == names | {"worksheet.csv"}
    tree = parsed((folder / "index.html").read_text("utf-8"))
    linked = {address for _, address in addresses(tree) if not address.startswith("#")}
    assert linked == {name for name in names if name.startswith(("reports/", "similar/"))}
    assert len(linked) == 9


def test_grades_are_taken_once_and_in_any_order(
    grades: list[Grade], exercise: Exercise, tmp_path: Path
) -> None:
    """As a gradebook gives them, a page at a time: a class of thousands does not have to fit into memory."""
    write_all(tmp_path / "one", grades, exercise, "en")
    write_all(tmp_path / "other", iter(grades[::-1]), exercise, "en")
    one, other = (
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")} for name in ("one", "other")
    )
    assert one == other


def test_the_table_has_a_line_for_each_student(written: tuple[Path, Written], grades: list[Grade]) -> None:
    text = (written[0] / "grades.csv").read_text("utf-8-sig")
    rows = {row["student"]: row for row in csv.DictReader(text.splitlines())}
    assert list(rows) == [grade.student for grade in grades]
    assert [row["score"] for row in rows.values()] == ["10", "3", "7.5", "5", "10", "10", "", "", "", "10"]
    assert {row["status"] for row in rows.values()} == {"graded", "ungradable", "unreadable", "missing"}
    assert rows["103"]["override_reason"] == "'-ill"
    assert (rows["104"]["late"], rows["104"]["attempts"]) == ("yes", "3")
    assert rows["102"]["mistakes"].split()[0] in {"gradients-not-zeroed", "leaf-rebound"}
    assert rows["102"]["name"].startswith("'=cmd")
    assert not set("\u202e\x00") & set(text)


def test_the_feedback_is_in_the_folders_that_moodle_gave_out(written: tuple[Path, Written]) -> None:
    with zipfile.ZipFile(written[0] / "moodle-feedback.zip") as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    assert "Doe, Jane_101_assignsubmission_file/report.html" in found
    assert "Participant_104_assignsubmission_file/report.html" in found
    assert len(found) == 8
    assert (
        found["Doe, Jane_101_assignsubmission_file/report.html"]
        == (written[0] / "reports" / "101.html").read_bytes()
    )
    assert {note.id for note in written[1].notes} == {"upload-row-left"}
    assert [note.params["student"] for note in written[1].notes] == ["107", "108", "109", "111"]


def test_the_class_fits_its_schema_and_counts_what_is_there(written: tuple[Path, Written]) -> None:
    found = json.loads((written[0] / "class.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(json_schema()).validate(found)
    assert found["counts"] == {"graded": 7, "ungradable": 1, "unreadable": 1, "missing": 1}
    assert sum(one["count"] for one in found["scores"]["bins"]) == found["scores"]["count"] == 7
    assert found["scores"]["bins"][-1] == {"low": 10.0, "high": 10.0, "count": 4}
    order = [(-made["confirmed"], -made["likely"], -made["possible"]) for made in found["mistakes"]]
    assert order == sorted(order)
    assert [(group["students"], group["identical"]) for group in found["similar"]] == [
        (["101", "105"], True),
        (["106", "110"], False),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_it_all_and_names_nobody_beside_the_code(
    grades: list[Grade], exercise: Exercise, language: Language, tmp_path: Path
) -> None:
    write_all(tmp_path, grades, exercise, language)
    page = (tmp_path / "index.html").read_text("utf-8")
    tree = parsed(page)
    assert not elements(tree, "script")
    assert "default-src 'none'" in page
    everything = text_of(tree.find(".//{*}body"))
    assert all(name in everything for name in ("Missing, Mia", "Broken, Bea", "Unread, Udo", "王小明"))
    assert "<script>alert(1)</script>" in everything
    assert not set("\u202e\x00") & set(page)
    marked = [text_of(one) for one in elements(tree, "mark")]
    assert len(marked) >= 3
    for pair in (tmp_path / "similar").glob("*.html"):
        tree = parsed(pair.read_text("utf-8"))
        assert {row.get("class") for row in elements(tree, "tr")} >= {"same", "renamed", "differs"}


def test_an_excerpt_has_no_name_of_its_student(reports: dict[str, Report]) -> None:
    report = reports["s012.py"]
    line = "loss.backward()  # by Jane\nprint(\"Jane Doe\", f\"{w} Doe\", '''Do\ne''')"
    signed = tuple(
        msgspec.structs.replace(cell, source=cell.source.replace("loss.backward()", line))
        for cell in report.notebook
    )
    grade = made_grades.one("77", "Doe, Jane", msgspec.structs.replace(report, notebook=signed))
    shown = [one for parts in excerpts([grade]).values() for one in parts]
    assert shown
    assert not any(re.search("jane|doe", "\n".join(one.lines), re.IGNORECASE) for one in shown)
    for name, student in (("Learning, Rate", "77"), ("X", "3000"), ("W", "5")):
        grade = made_grades.one(student, name, report)
        for parts in excerpts([grade]).values():
            assert not any(names_in(one.lines, (student, name)) for one in parts)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ('x = "Jane"  # Jane', ['x = "…"  #…']),
        ("s = '''Jane\nDoe'''\ny = 1", ["s = '''…", "…'''", "y = 1"]),
        ('f"{w:.2f} Jane"', ['f"{w:…}…"']),
        ('print("Jane)', ['print("…']),
        ("!echo Jane", None),
        ("x = ''", ["x = ''"]),
    ],
)
def test_what_may_hold_a_name_is_blanked(source: str, shown: list[str] | None) -> None:
    found = blanked(source)
    assert "Jane" not in str(found)
    assert found == shown


def test_names_that_are_no_unicode_cost_nobody_a_grade(
    reports: dict[str, Report], exercise: Exercise, tmp_path: Path
) -> None:
    signs = ("\udcff", "\x00", "/..\\")
    grades = [made_grades.one(str(n), f"a{sign}b", reports["s003.py"]) for n, sign in enumerate(signs)]
    grades.append(made_grades.one("\udcff", "", reports["s003.py"]))
    done = write_all(tmp_path, grades, exercise, "en", Given(system="moodle"))
    assert not done.notes
    with zipfile.ZipFile(tmp_path / "moodle-feedback.zip") as archive:
        assert len(set(archive.namelist())) == 3
        assert all(
            re.fullmatch(r"[^/]+_assignsubmission_file/report.html", name) for name in archive.namelist()
        )
    assert {path.parent.name for path in done.files} == {tmp_path.name, "reports"}
    assert len(list((tmp_path / "reports").iterdir())) == 4
    parsed((tmp_path / "index.html").read_text("utf-8"))


# ---- names --------------------------------------------------------------------------------------


@given(students=st.lists(st.text(max_size=60), unique=True, max_size=6))
@settings(deadline=None)
def test_file_names_are_safe_and_never_meet(students: list[str]) -> None:
    kin = [
        form for student in students for form in (student, student.upper(), file_name(student), f"{student} ")
    ]
    names = {student: file_name(student) for student in kin}
    assert len({name.casefold() for name in names.values()}) == len(names)
    for name in names.values():
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name)
        assert not name.endswith(".")
        assert len(name) <= 64
        assert name.split(".")[0] not in {"con", "nul", "aux", "prn", "com1"}


def test_an_ordinary_id_is_the_name_and_others_tell_of_theirs() -> None:
    assert file_name("jdoe.2") == "jdoe.2"
    assert file_name("Jané Doe").startswith("jan-doe--")
    assert file_name("nul.x").startswith("nul-x--")
    assert file_name("é") != file_name("e\u0301")


@given(name=st.text(max_size=40), student=st.text(max_size=20), reason=st.text(max_size=20))
@settings(deadline=None, max_examples=40)
def test_any_name_is_one_line_of_the_table_and_fits_the_schema(name: str, student: str, reason: str) -> None:
    exercise = made_grades.exercise()
    grade = Grade(student=student, name=name, handed_in=HandedIn(file=reason, path="", sha256=""))
    text = grades_table([grade], exercise, "en").decode("utf-8-sig")
    _, row = csv.reader(text.split("\r\n")[:2])
    assert text.count("\r\n") == 2
    assert len(row) == 13
    assert not any(cell[:1] in {*"=+-@\t"} for cell in row if cell)
    if name.isascii() and name.isprintable() and name[:1] not in {*"=+-@"}:
        assert row[1] == name
    document = word([grade], exercise, "en")
    jsonschema.Draft202012Validator(json_schema()).validate(json.loads(render(document)))


def test_an_empty_class_has_a_page_too(exercise: Exercise, tmp_path: Path) -> None:
    done = write_all(tmp_path, [], exercise, "zh")
    assert {path.name for path in done.files} == {"grades.csv", "class.json", "index.html"}
    parsed((tmp_path / "index.html").read_text("utf-8"))


def test_what_the_platforms_table_lacks_is_known_before_and_said_after(
    exercise: Exercise, tmp_path: Path
) -> None:
    sheet = tmp_path / "a.csv"
    sheet.write_text("Student,ID,Section,Essay (7)\n")
    given = Given(system="canvas", sheet=sheet)
    with pytest.raises(UsageError) as caught:
        try_table(exercise, given)
    assert "Essay (7)" in worded(caught.value)[0]
    assert [note.id for note in write_all(tmp_path / "out", [], exercise, "en", given).notes] == [
        "canvas-column-unknown"
    ]
    with pytest.raises(UsageError, match="file-not-written"):
        write_all(sheet, [], exercise, "en")


def test_the_hostile_name_is_hostile() -> None:
    assert set('=\u202e\x00\n<"') <= set(HOSTILE)


def test_the_schema_of_a_class_is_printed_as_it_is_published(tmp_path: Path) -> None:
    done = grader("schema", "class", folder=tmp_path)
    assert done == (0, (course_folder(None) / "docs" / "class.schema.json").read_text("utf-8"), "")
