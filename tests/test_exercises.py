"""What every exercise of the course owes: a whole folder, a starter with gaps, a task in both languages."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import nbformat
import pytest

from grader.authoring import new_exercise
from grader.exercise import PACKAGE, Exercise, course_folder, load_exercise, slugs
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load_content
from grader.model import Language, Report, Submission
from grader.report.document import word
from grader.settings import Settings
from grader.starter import starter_notebook
from grader.text import catalogue

COURSE = course_folder(None)
NEW = "new_exercise"
LANGUAGES: tuple[Language, ...] = get_args(Language)
# Attributes that only a solution needs: loss.backward(), w.grad, optimizer.step().
SOLUTION = {"backward", "grad", "step"}
# Modules with checks that exercises share; their sentences are the exercise's or the catalogue's.
SHARED = ("gradients", "paths", "samples")
# 5, 0.01, 1e-2, and thousands set apart by a space; neither the 2 of w2 nor that of x² (which is no digit).
NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?: \d{3})+|\d+(?:\.\d+)?(?:e-?\d+)?)(?![A-Za-z_])")


@pytest.fixture(scope="module", params=[*slugs(COURSE), NEW])
def exercise(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exercise:
    """Each exercise in turn, and what `grader new` writes."""
    if request.param != NEW:
        return load_exercise(COURSE, request.param)
    course = tmp_path_factory.mktemp("course")
    new_exercise(course, NEW)
    return load_exercise(course, NEW)


@pytest.fixture(scope="module")
def starter(exercise: Exercise) -> Submission:
    """What learners start from, as if it were handed in."""
    return load_content("starter.ipynb", starter_notebook(exercise, "en").encode(), "starter.ipynb")


@pytest.fixture(scope="module")
def report(kernels: Kernels, exercise: Exercise, starter: Submission) -> Report:
    """The report on the starter, handed in as it is."""
    return grade(starter, exercise, Settings(), kernels)


def test_there_are_seven_and_more() -> None:
    assert len(slugs(COURSE)) >= 7


def test_folder_is_complete(exercise: Exercise) -> None:
    names = ["exercise.toml", "checks.py", "task.en.md", "task.zh.md"]
    assert [name for name in names if not (exercise.folder / name).is_file()] == []
    assert exercise.reference.is_file()


# ---- checks and their sentences -----------------------------------------------------------------


def test_every_check_has_a_sentence_in_chinese(exercise: Exercise) -> None:
    functions = [
        node for node in ast.parse(source(exercise.checks)).body if isinstance(node, ast.FunctionDef)
    ]
    checks = {node.name for node in functions if node.name.startswith("test_")}
    assert set(exercise.manifest.checks) == checks


def test_every_reason_is_worded_and_every_wording_is_a_reason(exercise: Exercise) -> None:
    reasons = set(text_ids(exercise.checks))
    own = set(exercise.manifest.text)
    for name in SHARED:
        if f"from grader.{name} import" in source(exercise.checks):
            reasons |= set(text_ids(PACKAGE / f"{name}.py"))
    assert reasons - own - set(catalogue("en")) == set()
    assert own - reasons == set()


def test_wordings_fill_in_the_same_in_both_languages(exercise: Exercise) -> None:
    for id, wording in exercise.manifest.text.items():
        assert sorted(wording) == sorted(LANGUAGES), id
        assert fields(wording["en"]) == fields(wording["zh"]), id


def fields(wording: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(wording)} - {None}


def text_ids(path: Path) -> Iterator[str]:
    """The ids in the calls of `fail`, `skip` and `Text` of a module."""
    for call in ast.walk(ast.parse(source(path))):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id in {"fail", "skip", "Text"}
        ):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            ids = [*call.args[:1], *(given[name] for name in ("id", "hint") if name in given)]
            for node in (node for id in ids for node in ast.walk(id)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def source(path: Path) -> str:
    return path.read_text("utf-8")


# ---- the starter --------------------------------------------------------------------------------


def test_starter_is_a_notebook_of_format_4_5(exercise: Exercise) -> None:
    notebook = nbformat.reads(starter_notebook(exercise, "en"), as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata["grader"] == {"exercise": exercise.slug}
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_starter_has_gaps_and_no_solution(exercise: Exercise, starter: Submission) -> None:
    cells = [ast.parse(cell.source) for cell in starter.cells]
    assert any(has_gap(cell) for cell in cells)
    assert {mark for cell in cells for mark in solution_marks(cell)} == set()
    assert solution_marks(ast.parse(source(exercise.reference)))


def has_gap(code: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.Constant) and node.value is ...)
        or (isinstance(node, ast.Raise) and ast.unparse(node) == "raise NotImplementedError()")
        for node in ast.walk(code)
    )


def solution_marks(code: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(code) if isinstance(node, ast.Attribute)} & SOLUTION


def test_starter_runs_up_to_its_first_gap(starter: Submission, report: Report) -> None:
    first_gap = next(cell.number for cell in starter.cells if has_gap(ast.parse(cell.source)))
    assert report.error is None or (report.error.cell or 0) >= first_gap


def test_starter_gets_no_full_marks_and_needs_nobody_to_look(report: Report) -> None:
    assert (report.status, report.max_score, report.needs_review) == ("graded", 10, ())
    assert report.score is not None
    assert report.score <= 2


def test_starter_passes_nothing_but_the_data_it_gives(report: Report) -> None:
    passed = {check.id for check in report.checks if check.status == "passed"}
    assert passed <= {"test_makes_the_data"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_starter_is_told_why_it_loses_points(exercise: Exercise, report: Report, language: Language) -> None:
    document = word(report, exercise, language)
    lost = [check for check in document.checks if check.score < check.max_score]
    assert lost
    for check in lost:
        assert check.message
        assert check.title
        assert check.reason != "check-failed", check.id
    assert any(check.reason != "skipped-because" for check in lost)


# ---- the task -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_task_names_everything_that_is_read(exercise: Exercise, language: Language) -> None:
    code = " ".join(re.findall(r"`([^`]+)`", exercise.task(language)))
    missing = [name for name in exercise.names if not re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", code)]
    assert missing == []


def test_tasks_give_the_same_numbers_in_both_languages(exercise: Exercise) -> None:
    english, chinese = (
        {read(number) for number in NUMBER.findall(exercise.task(lang))} for lang in LANGUAGES
    )
    assert english == chinese
    assert len(english) >= 9


def read(number: str) -> float:
    return float(number.replace(" ", ""))
