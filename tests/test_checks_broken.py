"""Faults of a course end in an ungradable report that says where, never in a zero; and the plugin by itself."""

import os
import re
from pathlib import Path

import pytest

from grader.errors import CourseError, UsageError
from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.command import Outcome, python
from tests.conftest import SAMPLE
from tests.courses import SLUG, by_id, exercise_of, fault, grade_module, texts, write_course
from tests.files import worded

ROOT = course_folder(None)
PASSES = "\n\n@pytest.mark.points(1)\ndef test_passes(run): pass\n"

# A check file, and what the report says of it. The number 8641.5 stands for a hidden value.
BROKEN = {
    'def test_a(run): raise RuntimeError("8641.5")': "test_a: RuntimeError, {checks}, line 3",
    'def test_a(run): pytest.exit("enough")': "Exit",
    "def test_a(nothing): pass": "test_a: FixtureLookupError",
    'def test_a(run): pytest.skip("not today")': "test_a: Skipped, {checks}, line 3",
    "@pytest.mark.skip\ndef test_a(run): pass": "test_a: Skipped",
    '@pytest.mark.needs("test_b")\ndef test_a(run): pass': "test_a needs test_b, which is no check above it",
    'def test_a(run): fail("no-such-text", name="w")': "test_a: no text `no-such-text` with the parameters name",
    'def test_a(run): fail("too-small", name="w")': "test_a: no text `too-small` with the parameters name",
    'def test_a(run): fail("look-again", hint="nope", name="w")': "test_a: no text `nope` with the parameters name",
    "import no_such_module": "ModuleNotFoundError: No module named 'no_such_module', {checks}, line 3",
    "def test_a(run: pass": "SyntaxError: invalid syntax (checks.py, line 3), {checks}, line 3",
}


@pytest.mark.parametrize("checks", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_check_file_is_ungradable(tmp_path: Path, kernels: Kernels, checks: str) -> None:
    write_course(tmp_path, checks + PASSES)
    report = grade_module(tmp_path, kernels, "w = 3.0")
    id, reason = fault(report)
    assert id == "check-broken"
    path = tmp_path / "exercises" / SLUG / "checks.py"
    assert reason.startswith(BROKEN[checks].replace("{checks}", str(path)))
    assert "\n" not in reason
    assert "8641" not in texts(report, tmp_path)


@pytest.mark.parametrize(("checks", "id"), [("x = 1", "check-broken"), (None, "checks-missing")])
def test_without_checks_nothing_is_graded(
    tmp_path: Path, kernels: Kernels, checks: str | None, id: str
) -> None:
    write_course(tmp_path, checks)
    report = grade_module(tmp_path, kernels, "w = 3.0")
    assert fault(report)[0] == id
    assert checks or str(tmp_path / "exercises" / SLUG / "checks.py") in texts(report, tmp_path)


PARAMETRIZED = "@pytest.mark.points(1)\n@pytest.mark.parametrize('n', [1])\ndef test_passes(run, n): pass\n"


@pytest.mark.parametrize(("checks", "name"), [(PASSES, "test_passes"), (PARAMETRIZED, "test_passes[1]")])
def test_a_check_without_a_chinese_sentence_is_ungradable(
    tmp_path: Path, kernels: Kernels, checks: str, name: str
) -> None:
    toml = 'version = 1\nnames = []\ntitle = {en = "S", zh = "小"}\n[checks]\n'
    write_course(tmp_path, checks, toml=toml)
    report = grade_module(tmp_path, kernels, "w = 3.0")
    assert fault(report)[0] == "check-untold"
    assert f"{tmp_path / 'exercises' / SLUG / 'exercise.toml'} has no Chinese sentence for {name}." in texts(
        report, tmp_path
    )


def test_a_missing_reference_is_named(tmp_path: Path, kernels: Kernels) -> None:
    write_course(tmp_path, "def test_a(reference): pass")
    report = grade_module(tmp_path, kernels, "w = 3.0")
    assert fault(report)[0] == "reference-missing"
    assert str(tmp_path / "reference" / f"{SLUG}.py") in texts(report, tmp_path)


def test_a_reference_is_imported(tmp_path: Path, kernels: Kernels) -> None:
    write_course(tmp_path, "def test_a(reference): assert reference.w == 3", reference="w = 3")
    assert by_id(grade_module(tmp_path, kernels, "w = 3.0"))["test_a"].status == "passed"


def test_an_interrupt_ends_the_grading(tmp_path: Path, kernels: Kernels) -> None:
    write_course(tmp_path, "def test_a(run): raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        grade_module(tmp_path, kernels, "w = 3.0")


MALFORMED = {
    "version = ": "Invalid value",
    "version = 1": "`title`",
    'version = 1\nnames = []\ntitle = {en = "S"}\n[checks]\n': "`zh` (in title)",
    'version = 1\nnames = []\ntitle = {en = "S", zh = "小"}\n[checks]\ntest_a.en = "A"\n': "[checks] test_a: Object contains unknown field `en`",
    'version = 1\nnames = []\ntitle = {en = "S", zh = "小"}\n[checks]\n[text.a]\nen = "A"\n': "[text] a: Object missing required field `zh`",
    'version = 1\nnames = []\ntitle = {en = "S", zh = "小"}\ncolour = "red"\n[checks]\n': "`colour`",
}


@pytest.mark.parametrize("toml", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_exercise_is_refused_with_the_place(tmp_path: Path, toml: str) -> None:
    write_course(tmp_path, PASSES, toml=toml)
    with pytest.raises(CourseError) as caught:
        exercise_of(tmp_path)
    for sentence in worded(caught.value):
        assert str(tmp_path / "exercises" / SLUG / "exercise.toml") in sentence
        assert MALFORMED[toml] in sentence


def test_an_unknown_exercise_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    write_course(tmp_path, PASSES)
    with pytest.raises(UsageError) as caught:
        load_exercise(tmp_path, "../small")
    assert all(
        "`../small`" in sentence and SLUG in sentence.split("`")[2] for sentence in worded(caught.value)
    )


# ---- apart from the caller, and from each other -------------------------------------------------


def test_the_callers_pytest_has_no_say(
    tmp_path: Path, kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_course(tmp_path, 'def test_a(run):\n    print("said aloud")\n    assert run.number("w") == 4')
    folder = tmp_path / "exercises" / SLUG
    (folder / "conftest.py").write_text("raise RuntimeError")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only --no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    report = grade_module(tmp_path, kernels, "w = 3.0")
    assert [check.status for check in report.checks] == ["failed"]
    assert os.environ["PYTEST_ADDOPTS"] == "--collect-only --no-such-option"


def test_a_package_around_a_course_has_no_say(tmp_path: Path, kernels: Kernels) -> None:
    course = tmp_path / "package" / "course"
    course.mkdir(parents=True)
    for folder in (course.parent, course):
        (folder / "__init__.py").write_text(
            "def setup_module(): raise RuntimeError('not asked for')", "utf-8"
        )
    write_course(course, PASSES)
    assert grade_module(course, kernels, "w = 3.0").score == 1.0


def test_checks_print_nothing(tmp_path: Path, kernels: Kernels, capfd: pytest.CaptureFixture[str]) -> None:
    write_course(
        tmp_path, 'import sys\ndef test_a(run):\n    print("aloud")\n    print("aloud", file=sys.stderr)'
    )
    grade_module(tmp_path, kernels, "w = 3.0")
    assert capfd.readouterr() == ("", "")


def test_the_next_exercise_has_its_own_checks(
    tmp_path: Path, kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        write_course(tmp_path / name, f"def test_{name}(run): pass")
        (tmp_path / "a.py").write_text("w = 1")
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two", "one"):
        exercise = load_exercise(Path(name), SLUG)
        report = grade(load(Path("a.py")), exercise, Settings(), kernels)
        assert list(by_id(report)) == [f"test_{name}"]


# ---- as a plugin of pytest itself ---------------------------------------------------------------


def run_pytest(submission: Path | str, folder: Path, *options: str) -> Outcome:
    checks = ROOT / "exercises" / "linear_regression" / "checks.py"
    return python(
        "-m", "pytest", "-p", "no:cacheprovider", checks, "--submission", submission, *options, folder=folder
    )


@pytest.mark.slow
def test_pytest_itself_passes_a_right_submission() -> None:
    relative = ("exercises/linear_regression/checks.py", "--submission", str(SAMPLE.relative_to(ROOT)))
    done = python("-m", "pytest", "-p", "no:cacheprovider", *relative, folder=ROOT)
    assert done.code == 0, done.out + done.err
    assert "8 passed" in done.out


@pytest.mark.slow
def test_pytest_itself_fails_a_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "typed_in.py").write_text(
        "import torch\nx = torch.arange(100) / 100\ny = 10 * x + 4 + torch.randn(100)\nw, b = 10.0, 4.0"
    )
    done = run_pytest("typed_in.py", tmp_path, "-q")
    assert done.code == 1
    assert re.search(r"FAILED .*checks\.py::test_gradient_comes_from_autograd", done.out)
    assert not re.search(r"FAILED .*checks\.py::test_makes_the_data", done.out)


@pytest.mark.slow
def test_pytest_itself_says_what_it_cannot_read(tmp_path: Path) -> None:
    done = run_pytest("missing.py", tmp_path)
    assert done.code == 4
    assert "ERROR: missing.py: there is no such file." in done.err
    assert "Traceback" not in done.out + done.err
