"""The pages of a class in a real browser, as `test_report_html_browser` looks at those of a report."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from grader.kernel.pool import Kernels
from grader.model import Language
from grader.outcome.write import write_all
from tests import made_grades
from tests.browser import Browser, View, found
from tests.test_report_html_browser import AXE, NARROW, RULES, RUNS, STICKS_OUT, VIOLATIONS, WIDE, validated

LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES = [f"{name}-{language}" for name in ("index", "pair") for language in LANGUAGES]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None or not AXE.exists(), reason="needs Chromium, and axe-core in .npm"),
]


@pytest.fixture(scope="module")
def pages(kernels: Kernels, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    reports = made_grades.graded(kernels)
    copied = msgspec.structs.replace(
        reports["s003.py"],
        sha256="d" * 64,
        notebook=tuple(
            msgspec.structs.replace(cell, source=f"{cell.source}\nprint('</td><script>')")
            for cell in reports["s003.py"].notebook
        ),
    )
    grades = [*made_grades.a_class(reports), made_grades.one("110", made_grades.HOSTILE, copied)]
    pages = {}
    for language in LANGUAGES:
        folder = tmp_path_factory.mktemp(language)
        write_all(folder, grades, made_grades.exercise(), language)
        pages[f"index-{language}"] = folder / "index.html"
        (pages[f"pair-{language}"],) = (folder / "similar").iterdir()
    return pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "view", [View(width, dark) for width in (NARROW, WIDE) for dark in (False, True)], ids=str
)
def test_a_page_of_the_class_is_accessible_and_asks_for_nothing(
    pages: dict[str, Path], name: str, view: View
) -> None:
    with Browser() as browser:
        seen = browser.look(pages[name], view, [f"{AXE.read_text('utf-8')};0", VIOLATIONS, STICKS_OUT, RUNS])
    _, violations, sticks_out, runs = seen.answers
    assert violations == []
    assert (sticks_out, runs) == (0, 0)
    assert seen.said == []
    assert [address for address in seen.asked if not address.startswith("data:")] == [pages[name].as_uri()]


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_pages_of_the_class_are_valid(pages: dict[str, Path], tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps(RULES))
    assert validated(rules, *pages.values()) == 0
