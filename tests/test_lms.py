"""Who handed in what: folders and zips as learning platforms make them."""

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.archive import OF_A_CLASS
from grader.errors import UnreadableSubmission, UsageError
from grader.lms import trees
from grader.lms.recognise import Collected, collect, names, system
from grader.model import Language
from tests.attacks.bounded import bounded
from tests.attacks.packing import Entry, pack, zeros

Make = Callable[[Path, Mapping[str, str]], Path]
CONTENT = "x = 1"
# Megabytes: a process needs nearly as much to begin with.
LITTLE = 150


def folder(root: Path, files: Mapping[str, str]) -> Path:
    """The files below a folder, each a second younger than the one before."""
    for number, (name, text) in enumerate(files.items()):
        path = root / "handed-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        os.utime(path, (1e9 + number, 1e9 + number))
    return root / "handed-in"


def zipped(root: Path, files: Mapping[str, str]) -> Path:
    """The same in a zip."""
    path = root / "handed-in.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, text) in enumerate(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 29, 18, 0, 2 * number)), text)
    return path


def counted(collected: Collected) -> dict[str, str]:
    """By student, the file that counts."""
    return {student.id: student.turned_in[0].attempt.file for student in collected.students}


CANVAS = {
    "liwei_12_301_line.ipynb": CONTENT,
    "garciaana_LATE_13_302_my_2_fits.py": CONTENT,
    "anon_14_303_fit-2.ipynb": CONTENT,
    "liwei_12_300_helper.py": CONTENT,
    "noteofateacher.py": CONTENT,
}
MOODLE = {
    "Ana García_41_assignsubmission_file_/fit.ipynb": CONTENT,
    "李 伟_7_assignsubmission_file/work/line.ipynb": CONTENT,
    "李 伟_7_assignsubmission_file/data.csv": "1,2",
    "O_2_Neil_8_assignsubmission_file_/a.py": CONTENT,
}
BLACKBOARD = {
    "Fit_a_line_ana_attempt_2026-11-01-10-00-00.txt": "Name: Ana",
    "Fit_a_line_ana_attempt_2026-11-01-10-00-00_line.ipynb": CONTENT,
    "Fit_a_line_ana_attempt_2026-11-02-09-00-00_line.py": CONTENT,
    "Fit_a_line_wei_attempt_2026-11-02-09-00-01_fit_attempt_2.ipynb": CONTENT,
}
NBGRADER = {
    "submitted/ana/line/line.ipynb": CONTENT,
    "submitted/ana/line/timestamp.txt": "2026-11-01 10:00:00 UTC",
    "submitted/ana/other/other.ipynb": CONTENT,
    "submitted/wei/line/line.ipynb": CONTENT,
    "source/line/line.ipynb": CONTENT,
    "autograded/ana/line/line.ipynb": CONTENT,
}
PLAIN = {
    "ana.ipynb": CONTENT,
    "wei/old.ipynb": CONTENT,
    "wei/new.ipynb": CONTENT,
    "wei/newest.py": CONTENT,
    "wei/.ipynb_checkpoints/newest-checkpoint.ipynb": CONTENT,
    "readme.md": CONTENT,
}
SEEN: dict[str, tuple[Mapping[str, str], dict[str, str], int]] = {
    "canvas": (CANVAS, {"12": "line.ipynb", "13": "my_2_fits.py", "14": "fit.ipynb"}, 1),
    "moodle": (MOODLE, {"41": "fit.ipynb", "7": "line.ipynb", "8": "a.py"}, 0),
    "blackboard": (BLACKBOARD, {"ana": "line.py", "wei": "fit_attempt_2.ipynb"}, 0),
    "nbgrader": (NBGRADER, {"ana": "line.ipynb", "wei": "line.ipynb"}, 2),
    "plain": (PLAIN, {"ana": "ana.ipynb", "wei": "new.ipynb"}, 0),
}


@pytest.mark.parametrize("make", [folder, zipped])
@pytest.mark.parametrize("name", names())
def test_each_platform_is_recognised(name: str, make: Make, tmp_path: Path) -> None:
    files, expected, strays = SEEN[name]
    collected = collect(make(tmp_path, files), "line")
    assert (collected.system, counted(collected), len(collected.strays)) == (name, expected, strays)


@pytest.mark.parametrize("name", names())
def test_each_platform_has_a_name(name: str) -> None:
    languages: tuple[Language, ...] = ("en", "zh")
    assert all(system(name).WORDS[language] for language in languages)


def test_all_attempts_are_kept_and_what_the_platform_says_of_them(tmp_path: Path) -> None:
    ana = collect(folder(tmp_path, BLACKBOARD), "line").students[0]
    assert [turned.attempt.file for turned in ana.turned_in] == ["line.py", "line.ipynb"]
    canvas = collect(zipped(tmp_path, CANVAS), "line")
    assert {student.name: student.turned_in[0].attempt.late for student in canvas.students} == {
        "liwei": False,
        "garciaana": True,
        "": False,
    }


@pytest.mark.parametrize("make", [folder, zipped])
@pytest.mark.parametrize("name", ["moodle", "plain", "canvas"])
def test_one_more_folder_around_everything_does_not_matter(name: str, make: Make, tmp_path: Path) -> None:
    files, expected, _ = SEEN[name]
    wrapped = {f"Homework 3/{path}": text for path, text in files.items()}
    collected = collect(make(tmp_path, wrapped), "line")
    assert (collected.system, counted(collected)) == (name, expected)


def test_one_student_is_not_taken_for_a_wrapper(tmp_path: Path) -> None:
    alone = {"ana/line.ipynb": CONTENT, "ana/helper.py": CONTENT}
    assert counted(collect(zipped(tmp_path, alone), "line")) == {"ana": "line.ipynb"}
    moodle = {"Ana_4_assignsubmission_file_/line.ipynb": CONTENT}
    assert collect(folder(tmp_path, moodle), "line").system == "moodle"


def test_the_folder_submitted_itself_may_be_given(tmp_path: Path) -> None:
    root = folder(tmp_path, NBGRADER)
    assert counted(collect(root / "submitted", "line")) == {"ana": "line.ipynb", "wei": "line.ipynb"}


def test_which_assignment_is_asked_where_it_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        collect(folder(tmp_path, NBGRADER), "linear_regression")
    assert (error.value.text, error.value.params["known"]) == ("batch-assignments", "line, other")


def test_a_platform_may_be_chosen(tmp_path: Path) -> None:
    assert set(counted(collect(folder(tmp_path, BLACKBOARD), "line", "plain"))) == {
        name.removesuffix(suffix)
        for name in BLACKBOARD
        for suffix in (".ipynb", ".py")
        if name.endswith(suffix)
    }
    with pytest.raises(UsageError, match="system-unknown"):
        collect(folder(tmp_path, BLACKBOARD), "line", "schoology")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("../../ana_12_301_line.ipynb", "entry-name-unsafe"),
        ("/etc/ana_12_301_line.ipynb", "entry-name-unsafe"),
        ("ana_12_301_li\u202ene.ipynb", "entry-name-unsafe"),
        ("ana_12_301_more.zip", "entry-is-archive"),
    ],
)
def test_what_an_archive_cannot_be_trusted_with_costs_its_own_line(
    entry: str, reason: str, tmp_path: Path
) -> None:
    collected = collect(zipped(tmp_path, CANVAS | {entry: CONTENT}), "line")
    assert counted(collected) == SEEN["canvas"][1]
    assert reason in [stray.text for stray in collected.strays]


def test_a_zip_of_thousands_is_read_one_at_a_time(tmp_path: Path) -> None:
    """Six thousand students with 30 kB each, which together are more than the process may have."""
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for number in range(6_000):
            archive.writestr(f"s{number}_{number}_1_line.py", f"x = {number}\n" + "#" * 30_000)
    assert (tmp_path / "class.zip").stat().st_size > 1_000_000 * LITTLE
    done = bounded(
        "from grader.lms.recognise import collect",
        """
collected = collect(Path("class.zip"), "line")
sizes = [len(student.turned_in[0].leaf.read()) for student in collected.students]
print(collected.system, len(sizes), min(sizes) > 30_000, len(collected.strays))
""",
        tmp_path,
        megabytes=LITTLE,
    )
    assert (done.err, done.out) == ("", "canvas 6000 True 0\n")


def test_a_bomb_in_a_class_costs_its_own_line(tmp_path: Path) -> None:
    bomb = Entry(name="wei_2_1_line.py", body=zeros(1_500), size=5)
    (tmp_path / "class.zip").write_bytes(
        pack(Entry(name="ana_1_1_line.py"), bomb, Entry(name="zoe_3_1_line.py"))
    )
    done = bounded(
        "from grader.lms.recognise import collect",
        """
for student in collect(Path("class.zip"), "line").students:
    print(student.name, getattr(student.turned_in[0].leaf.read(), "text", "read"))
""",
        tmp_path,
        megabytes=LITTLE,
    )
    assert (done.err, done.out.splitlines()) == ("", ["ana read", "wei file-too-large", "zoe read"])


def test_what_a_class_may_unpack_to_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "OF_A_CLASS", OF_A_CLASS._replace(unpacked=40, entries=4))
    content = CONTENT + " " * 20
    names = {f"s{number}_{number}_1_line.py": content for number in range(4)}
    students = collect(zipped(tmp_path, names), "line").students
    read = [student.turned_in[0].leaf.read() for student in students]
    assert [getattr(content, "text", "read") for content in read] == [
        "read",
        "read",
        *["entry-past-limit"] * 2,
    ]
    with pytest.raises(UnreadableSubmission, match="archive-too-many"):
        collect(zipped(tmp_path, names | {"s5_5_1_line.py": content}), "line")


def test_a_class_of_more_than_its_bound_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "class.zip").open("wb") as file:
        file.truncate(OF_A_CLASS.packed + 1)
    with pytest.raises(UnreadableSubmission, match="archive-too-large"):
        collect(tmp_path / "class.zip", "line")


def test_an_archive_that_changes_while_it_is_read_costs_what_is_not_there(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"ana_1_1_line.py": CONTENT, "wei_2_1_line.py": CONTENT})
    ana, wei = (student.turned_in[0].leaf for student in collect(path, "line").students)
    assert ana.read() == CONTENT.encode()
    zipped(tmp_path, {"zoe_1_1_line.py": CONTENT})
    changed = wei.read()
    assert isinstance(changed, UnreadableSubmission)
    assert changed.text == "entry-damaged"


def test_a_link_is_no_file_of_its_student(tmp_path: Path) -> None:
    root = folder(tmp_path, {"ana.ipynb": CONTENT})
    (root / "wei.ipynb").symlink_to(root / "ana.ipynb")
    (root / "all").symlink_to("/")
    wei = next(student for student in collect(root, "line").students if student.id == "wei")
    content = wei.turned_in[0].leaf.read()
    assert isinstance(content, UnreadableSubmission)
    assert content.text == "file-is-link"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nothing", "batch-neither-folder-nor-zip"),
        ("empty", "batch-empty"),
        ("a.tar", "batch-neither-folder-nor-zip"),
    ],
)
def test_what_cannot_be_a_batch_is_refused(path: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.tar").write_text("x")
    with pytest.raises(UsageError, match=reason):
        collect(tmp_path / path, "line")


WORD = st.text("abcäß李_-. 0123456789", min_size=1, max_size=12)


@given(
    who=st.text("abc李", min_size=1, max_size=8),
    late=st.booleans(),
    user=st.integers(0, 10**9),
    attachment=st.integers(0, 10**9),
    file=WORD,
)
def test_a_name_of_canvas_is_read_back(who: str, late: bool, user: int, attachment: int, file: str) -> None:
    name = f"{who}{'_LATE' * late}_{user}_{attachment}_{file}.ipynb"
    attempt = system("canvas").attempt(PurePosixPath(name))
    assert (attempt.student, attempt.number, attempt.late, attempt.name) == (str(user), attachment, late, who)
