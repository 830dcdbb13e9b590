"""Small courses of one exercise, written for a test, and what grading by them gives."""

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from grader.exercise import Exercise, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import CheckResult, Report
from grader.report.document import word
from grader.report.formats.json import part
from grader.settings import Settings

SLUG = "small"
HEAD = "import pytest\nfrom grader.checks import fail, skip\n"
TEXTS = """
[text.too-small]
en = "{name} is {seen}, not {wanted}."
zh = "{name} 是 {seen}，不是 {wanted}。"

[text.look-again]
en = "Look at {name} again."
zh = "请再看看 {name}。"
"""

# A check's code, and the submission's; gives the report.
Grade = Callable[..., Report]


def write_course(course: Path, checks: str | None, *, names: tuple[str, ...] = ("w",), toml: str | None = None,
                 reference: str | None = None) -> None:  # fmt: skip
    """Write `course/exercises/small` (with a Chinese sentence for each check) and its reference."""
    folder = course / "exercises" / SLUG
    folder.mkdir(parents=True)
    (course / "reference").mkdir()
    code = None if checks is None else HEAD + dedent(checks)
    if code is not None:
        (folder / "checks.py").write_text(code, "utf-8")
    if reference is not None:
        (course / "reference" / f"{SLUG}.py").write_text(reference, "utf-8")
    head = f'version = 1\nnames = {list(names)}\ntitle = {{en = "Small", zh = "小练习"}}\n[checks]\n'
    told = re.findall(r"^def (test_\w+)", code or "", re.MULTILINE)
    sentences = "".join(f'{name}.zh = "中文 {name}"\n' for name in told)
    (folder / "exercise.toml").write_text(toml or head + sentences + TEXTS, "utf-8")


def grade_module(course: Path, kernels: Kernels, module: str) -> Report:
    """Grade a module by a course."""
    path = course / "submission.py"
    path.write_text(module, "utf-8")
    return grade(load(path), exercise_of(course), Settings(), kernels)


def exercise_of(course: Path) -> Exercise:
    """The one exercise of a course."""
    return load_exercise(course, SLUG)


def by_id(report: Report) -> dict[str, CheckResult]:
    """The checks of a report that must be graded."""
    assert report.status == "graded", report.needs_review
    return {check.id: check for check in report.checks}


def fault(report: Report) -> tuple[str, str]:
    """Why a report is ungradable: the id of the text, and the reason in it."""
    assert (report.status, report.score, report.checks) == ("ungradable", None, ())
    (text,) = report.needs_review
    return text.id, str(text.params.get("reason", ""))


def texts(report: Report, course: Path) -> str:
    """Everything that a report says, as JSON in both languages."""
    return "".join(part(word(report, exercise_of(course), language)) for language in ("en", "zh"))
