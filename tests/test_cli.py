"""What the real command answers: reports, messages, exit codes, and where its settings come from."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command import Outcome, grader
from tests.conftest import SAMPLE
from tests.files import code, notebook

SLUG = "linear_regression"
# Several files are graded on machines without a sandbox too.
UNSAFE = "--unsafe-no-sandbox"
SEED_TOLD = "import torch\nraise ValueError(f'seed {torch.initial_seed()}')"


def write(path: Path, *sources: str, exercise: str | None = SLUG) -> Path:
    metadata = {} if exercise is None else {"grader": {"exercise": exercise}}
    path.write_text(json.dumps(notebook(*map(code, sources), metadata=metadata)), "utf-8")
    return path


def with_metadata(path: Path, exercise: str = SLUG) -> Path:
    document = json.loads(SAMPLE.read_text("utf-8"))
    document["metadata"]["grader"] = {"exercise": exercise}
    path.write_text(json.dumps(document), "utf-8")
    return path


# ---- one file -----------------------------------------------------------------------------------


def test_grades_by_the_metadata_and_reports_in_plain_text(tmp_path: Path) -> None:
    with_metadata(tmp_path / "mine.ipynb")
    done = grader("check", "mine.ipynb", folder=tmp_path)
    assert done.code == 0
    assert done.err == ""
    assert "mine.ipynb  ·  Linear regression by gradient descent" in done.out
    assert "Score 10 / 10" in done.out
    assert done.out.count("✔") == 8
    assert "w and b at the end are what the training loop found." in done.out
    assert done.out.rstrip().endswith("Everything is right. Well done!")
    assert "\x1b" not in done.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.ipynb"]


def test_the_options_win_and_json_goes_into_a_file(tmp_path: Path) -> None:
    with_metadata(tmp_path / "mine.ipynb", "no_such_exercise")
    options = (
        "--exercise",
        SLUG,
        "--format",
        "json",
        "--output",
        "报告.json",
        "--language",
        "zh",
        "--seed",
        "7",
    )
    done = grader("check", "mine.ipynb", *options, folder=tmp_path, GRADER_LANGUAGE="en")
    assert done == Outcome(0, "", "")
    report = json.loads((tmp_path / "报告.json").read_text("utf-8"))
    assert (report["score"], report["max_score"], report["language"]) == (10, 10, "zh")
    assert report["exercise"] == SLUG
    assert report["title"] == "线性回归：PyTorch 梯度计算与梯度下降"
    assert {check["status"] for check in report["checks"]} == {"passed"}


# ---- code that stops ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Four files under a Chinese locale, a starter among them, in a terminal's report."""
    folder = tmp_path_factory.mktemp("stopped")
    started = grader("start", SLUG, folder=folder)
    assert started.code == 0
    write(folder / "syntax.ipynb", "x = 1", "y = 2\nfor i in range(3)\n    print(i)")
    write(folder / "old.ipynb", 'print "hello"')
    write(folder / "seed.ipynb", SEED_TOLD)
    files = ("syntax.ipynb", "old.ipynb", f"{SLUG}.ipynb", "seed.ipynb")
    return grader("check", *files, "--seed", "5", UNSAFE, folder=folder, LANG="zh_CN.UTF-8")


def test_a_syntax_error_is_graded_and_explained(stopped: Outcome) -> None:
    assert stopped.code == 1
    assert stopped.err == ""
    assert "单元格 2 不是有效的 Python：expected ':'" in stopped.out
    assert "单元格 2 第 2 行" in stopped.out
    assert "❱ 2 for i in range(3)" in stopped.out


def test_python_2_is_graded_and_explained(stopped: Outcome) -> None:
    assert "单元格 1 是 Python 2 的写法" in stopped.out
    assert '❱ 1 print "hello"' in stopped.out


def test_a_starter_is_graded_and_fails(stopped: Outcome) -> None:
    assert stopped.out.count("得分 0 / 10") == 4
    assert f"{SLUG}.ipynb" in stopped.out


def test_the_seed_option_reaches_the_run(stopped: Outcome) -> None:
    assert "ValueError: seed 5" in stopped.out


# ---- many files, most of them bad ---------------------------------------------------------------

BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing.ipynb": (lambda _: None, "there is no such file"),
    "folder.ipynb": (lambda path: path.mkdir(), "is a folder"),
    "empty.ipynb": (lambda path: path.write_bytes(b" \n"), "is empty"),
    "text.ipynb": (lambda path: path.write_text("hello"), "not valid JSON"),
    "list.ipynb": (lambda path: path.write_text("[1, 2]"), "is JSON, but not a notebook"),
    "prose.ipynb": (lambda path: path.write_text(json.dumps(notebook())), "has no code"),
    "binary.py": (lambda path: path.write_bytes(b"\x80\x02\0\1"), "holds binary data"),
    "latin.py": (lambda path: path.write_bytes("# caf\xe9".encode("latin-1")), "not in UTF-8"),
    "large.ipynb": (lambda path: path.write_bytes(b" " * 25_000_001), "larger than 25 MB"),
    "pipe.ipynb": (os.mkfifo, "not an ordinary file"),
    "notes.txt": (lambda path: path.write_text("w = 1"), "neither a notebook"),
    "unnamed.py": (
        lambda path: path.write_text("w = 1"),
        "Add --exercise with one of: backprop_per_sample, ",
    ),
    "elsewhere.ipynb": (lambda path: write(path, "1", exercise="../x"), "There is no exercise `../x`"),
}
if os.geteuid() != 0:
    BAD["closed.ipynb"] = (lambda path: path.touch(0o000), "cannot be read (Permission denied)")

GOOD = ("good.ipynb", "other.ipynb")
ORDER = (GOOD[0], *BAD, GOOD[1])


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, list[dict[str, Any]]]:
    """All of them in one command: its outcome, and its reports."""
    folder = tmp_path_factory.mktemp("batch")
    for name, (make, _) in BAD.items():
        make(folder / name)
    with_metadata(folder / GOOD[0])
    write(folder / GOOD[1], "x = 1", exercise="minimise_parabola")
    done = grader("check", *ORDER, "--format", "json", UNSAFE, folder=folder)
    return done, [json.loads(line) for line in done.out.splitlines()]


def test_there_is_one_report_a_line_in_the_order_given(batch: tuple[Outcome, list[dict[str, Any]]]) -> None:
    assert [report["submission"]["name"] for report in batch[1]] == list(ORDER)


def test_good_files_among_bad_ones_are_graded(batch: tuple[Outcome, list[dict[str, Any]]]) -> None:
    graded = [report for report in batch[1] if report["status"] == "graded"]
    assert [report["score"] for report in graded] == [10, 0]
    assert [report["exercise"] for report in graded] == [SLUG, "minimise_parabola"]


def test_one_bad_file_makes_the_exit_code_2(batch: tuple[Outcome, list[dict[str, Any]]]) -> None:
    assert batch[0].code == 2


def test_each_bad_file_has_one_line_on_the_error_channel(batch: tuple[Outcome, list[dict[str, Any]]]) -> None:
    lines = batch[0].err.splitlines()
    assert len(lines) == len(BAD)
    assert "Traceback" not in batch[0].err


@pytest.mark.parametrize("name", BAD)
def test_says_what_is_wrong_with_a_file(batch: tuple[Outcome, list[dict[str, Any]]], name: str) -> None:
    place = list(BAD).index(name)
    line, report = batch[0].err.splitlines()[place], batch[1][place + 1]
    assert BAD[name][1] in line
    assert line.endswith(".")
    assert report["status"] == "ungradable"
    assert report["score"] is None
    assert report["needs_review"] == [line]


# ---- requests that cannot be met ----------------------------------------------------------------

REFUSED: list[tuple[tuple[str, ...], dict[str, str], str]] = [
    (("check",), {}, "Missing argument"),
    (("check", "a.py", "--format", "pdf"), {}, "There is no format `pdf`. Known formats: terminal, "),
    (("check", "a.py", "--seed", "many"), {}, "valid integer"),
    (
        ("check", "a.py", "--exercise", "nope"),
        {},
        "no exercise `nope`. Known exercises: backprop_per_sample, ",
    ),
    (("check", "a.py", "--exercise", "nope", "--language", "zh"), {}, "没有练习 `nope`"),
    (("check", "a.py", "--exercise", "nope"), {"GRADER_LANGUAGE": "zh"}, "没有练习 `nope`"),
    (("check", "a.py", "--course", "nowhere"), {}, "nowhere is not a course"),
    (
        ("check", "a.py", "--output", "no/such/folder.txt"),
        {},
        "cannot be written (No such file or directory)",
    ),
    (("check", "a.py", "--output", "a.py"), {}, "a.py is there already and is left as it is"),
    (("check", "a.py"), {"GRADER_SEED": "many"}, "A setting has a value that does not fit"),
    (("exercises",), {"GRADER_LANGUAGE": "fr"}, "A setting has a value that does not fit"),
    (("start", "nope"), {}, "no exercise `nope`"),
    (("grade", "a.py"), {}, "No such command"),
]


@pytest.mark.parametrize(("arguments", "variables", "said"), REFUSED, ids=range(len(REFUSED)))
def test_a_request_that_cannot_be_met_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    (tmp_path / "a.py").write_text("w = 1")
    done = grader(*arguments, folder=tmp_path, **variables)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["w = 1"]


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a.ipynb", "w = 1")
    done = grader("check", "a.ipynb", "--output", "/dev/full", folder=tmp_path)
    assert done == (
        2,
        "",
        "/dev/full cannot be written (No space left on device). Choose another place with --output.\n",
    )


# ---- what cannot be graded, and settings --------------------------------------------------------

CHECKS = '''
import pytest

@pytest.mark.points(1)
def test_breaks(run):
    """Something."""
    raise RuntimeError("of our own")
'''


def test_a_fault_of_the_course_is_no_zero_and_outranks_a_bad_file(tmp_path: Path) -> None:
    folder = tmp_path / "course" / "exercises" / "broken"
    folder.mkdir(parents=True)
    head = 'version = 1\nnames = ["w"]\ntitle = {en = "Broken", zh = "坏"}\n'
    (folder / "exercise.toml").write_text(head + '[checks]\ntest_breaks.zh = "某事。"\n', "utf-8")
    (folder / "checks.py").write_text(CHECKS)
    (tmp_path / "a.py").write_text("w = 1")
    done = grader(
        "check", "a.py", "missing.py", "--course", "course", "--exercise", "broken", UNSAFE, folder=tmp_path
    )
    assert done.code == 3
    assert "could not be graded" in done.out
    assert "A check of `broken` broke in itself" in done.out
    assert "0 /" not in done.out
    assert done.err.startswith("missing.py: there is no such file.")


def test_settings_come_from_the_folder_and_the_environment(tmp_path: Path) -> None:
    (tmp_path / "grader.toml").write_text('seed = 3\ncell_seconds = 0.5\nlanguage = "zh"\n')
    write(tmp_path / "seed.ipynb", SEED_TOLD)
    write(tmp_path / "loop.ipynb", "while True: pass")
    done = grader(
        "check", "seed.ipynb", "loop.ipynb", UNSAFE, folder=tmp_path, GRADER_SEED="4", GRADER_LANGUAGE="en"
    )
    assert done.code == 1
    assert "ValueError: seed 4" in done.out
    assert "Cell 1 was stopped after 0.5 seconds." in done.out
