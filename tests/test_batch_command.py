"""`grader batch`: a class from the download to the grades, with interruptions."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.classes import EXERCISE, WRONG, slow_class, started, table, wait_for_results
from tests.command import grader, in_terminal

REFERENCE = Path(__file__).parents[1] / "reference" / "minimise_parabola.py"
NAMES = {
    "ana_1_11_line.py": REFERENCE.read_text("utf-8"),
    "wei_2_12_line.py": WRONG,
    "copy_LATE_3_13_line.py": WRONG,
    "empty_4_14_line.py": "   ",
}
SHEET = """Student,ID,SIS Login ID,Section,Minimise a parabola (77)
    Points Possible,,,,10
"Ana, A",1,ana,A,
"Wei, B",2,wei,A,
"Gone, C",9,gone,A,
"""


def packed(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "submissions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a class that was graded."""
    folder = tmp_path_factory.mktemp("class")
    packed(folder, NAMES)
    (folder / "export.csv").write_text(SHEET, "utf-8")
    chosen = ("--output", "grades", "--sheet", "export.csv", "--column", "Minimise a parabola (77)")
    done = grader("batch", "submissions.zip", *EXERCISE, *chosen, folder=folder)
    assert (done.code, done.out) == (0, ""), done.err
    assert "4 of 4 graded: 1 with full marks · 2 with fewer · 1 unreadable" in done.err
    return folder


@pytest.fixture
def class_folder(graded: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(graded, tmp_path / "class"))


def test_every_student_has_a_grade(graded: Path) -> None:
    rows = table(graded)
    assert [(row["student"], row["late"]) for row in rows.values()] == [
        ("1", "no"),
        ("2", "no"),
        ("3", "yes"),
        ("4", "no"),
    ]
    assert float(rows["1"]["score"]) == 10
    assert float(rows["2"]["score"]) == float(rows["3"]["score"]) < 10
    assert rows["4"]["score"] == ""
    assert {path.name for path in (graded / "grades").iterdir()} >= {"index.html", "class.json", "reports"}


def test_the_sheet_of_the_platform_is_filled_in(graded: Path) -> None:
    (filled,) = (path for path in (graded / "grades").glob("*.csv") if path.name != "grades.csv")
    rows = list(csv.reader(filled.read_text("utf-8-sig").splitlines()))
    assert [row[-1] for row in rows[2:]] == ["10", table(graded)["2"]["score"], ""]


def test_the_same_command_grades_nothing_twice(class_folder: Path) -> None:
    done = grader("batch", "submissions.zip", *EXERCISE, "--output", "grades", folder=class_folder)
    assert done.code == 0
    assert "3 known from before" in done.err


@pytest.mark.slow
def test_a_new_attempt_is_graded_and_shown(class_folder: Path) -> None:
    files = NAMES | {"wei_2_15_line-1.py": NAMES["ana_1_11_line.py"]}
    del files["wei_2_12_line.py"]
    packed(class_folder, files)
    place = ("--output", "grades")
    unchanged = grader("batch", "diff", *EXERCISE, *place, folder=class_folder)
    assert (unchanged.code, unchanged.out) == (0, "Nothing has changed.\n")
    assert grader("batch", "submissions.zip", *EXERCISE, *place, folder=class_folder).code == 0
    assert float(table(class_folder)["2"]["score"]) == 10
    diff = grader("batch", "diff", *EXERCISE, *place, folder=class_folder)
    assert (diff.code, diff.err) == (1, "")
    assert re.fullmatch(r"wei: \d+ → 10\..*\n", diff.out)


@pytest.mark.slow
def test_a_score_by_hand_counts_through_a_regrade_until_it_is_withdrawn(class_folder: Path) -> None:
    place = (*EXERCISE, "--output", "grades", "--language", "en")
    kept = grader("batch", "override", "2", "7.5", "--reason", "=oral exam", *place, folder=class_folder)
    assert (kept.code, kept.err) == (0, "")
    assert grader("batch", "submissions.zip", "--regrade", *place, folder=class_folder).code == 0
    row = table(class_folder)["2"]
    assert float(row["score"]) == 7.5
    assert "=oral exam" in json.dumps(row)
    assert not any(value.startswith("=") for value in row.values())
    assert grader("batch", "override", "2", *place, folder=class_folder).code == 0
    grader("batch", "submissions.zip", *place, folder=class_folder)
    assert table(class_folder)["2"]["score"] == table(class_folder)["3"]["score"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("batch", "nowhere", *EXERCISE, "--output", "o"), "nowhere is neither a folder nor a .zip"),
        (("batch", ".", "--exercise", "knitting", "--output", "o"), "knitting"),
        (("batch", ".", *EXERCISE, "--output", "o", "--system", "knitting"), "knitting"),
        (("batch", "a.py", *EXERCISE, "--output", "o"), "a.py is neither"),
        (("batch", ".", *EXERCISE, "--output", "a.py"), "a.py"),
        (("batch", ".", *EXERCISE, "--output", "o", "--tls-ca", "a.py"), "--tls-key"),
        (("batch", ".", *EXERCISE, "--output", "o", "--sheet", "none.csv"), "none.csv"),
        (("batch", "diff", *EXERCISE), "--gradebook"),
        (("batch", "diff", *EXERCISE, "--output", "o"), "gradebook"),
        (("batch", "diff", *EXERCISE, "--gradebook", "a.py"), "a.py"),
        (("batch", "override", "x", "3", "--reason", "r", *EXERCISE, "--output", "o"), "gradebook"),
    ],
    ids=range(11),
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    done = grader(*arguments, folder=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    return slow_class(tmp_path, 4)


@pytest.mark.slow
def test_after_kill_9_the_same_command_grades_what_is_left(handed_in: Path) -> None:
    process = started(handed_in)
    wait_for_results(handed_in, 1)
    process.kill()
    process.communicate()  # comes to its end when no worker holds the other end any more
    done = grader("batch", "class", *EXERCISE, "--output", "grades", folder=handed_in)
    assert done.code == 0
    known = [word for word in done.err.split(" · ") if "known from before" in word]
    assert known
    assert int(known[0].split()[0]) in (1, 2)
    assert len(table(handed_in)) == 4


@pytest.mark.slow
def test_on_a_terminal_what_an_interrupt_says_has_a_line_of_its_own(handed_in: Path) -> None:
    def interrupt(process: "subprocess.Popen[bytes]") -> None:
        wait_for_results(handed_in, 1)
        process.send_signal(signal.SIGINT)

    command = ("batch", "class", *EXERCISE, "--output", "grades", "--jobs", "1")
    done = in_terminal(*command, folder=handed_in, columns=150, meanwhile=interrupt)
    assert done.code == 130, done.out
    said = "Finishing what is under way. Press Ctrl-C once more to leave that too."
    assert re.search(rf"(?:\n|\r\x1b\[2K)(?:\x1b\[2m)?{re.escape(said)}(?:\x1b\[0m)? *\r\n", done.out), (
        done.out
    )


@pytest.mark.slow
def test_an_interrupt_finishes_what_is_under_way_and_says_how_to_go_on(handed_in: Path) -> None:
    process = started(handed_in)
    wait_for_results(handed_in, 1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert "Run the same command again" in said
    assert "Traceback" not in said
    done = len(table(handed_in))
    assert 1 <= done < 4
    again = grader("batch", "class", *EXERCISE, "--output", "grades", folder=handed_in)
    assert again.code == 0
    assert f"{done} known from before" in again.err
