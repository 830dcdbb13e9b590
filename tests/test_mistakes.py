"""What every mistake of the catalogue owes: documentation, words in both languages, and an example that shows it."""

import re
import string
from pathlib import Path

import pytest

from grader.catalogue import all_mistakes
from grader.evidence import losses
from grader.exercise import course_folder, load_exercise, slugs
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.report.document import word
from grader.report.explain import EXAMPLE, page
from grader.settings import Settings

HEADINGS = ["## What it is", "## Why it matters", "## Example", "## Fix"]
KNOWN_MISSES = "## Known misses"
FENCED = re.compile(r"```python\n(.*?)```", re.DOTALL)
MARK = "# ←"
# What never stops is stopped sooner than by default.
HASTY = Settings(cell_seconds=3)
# Examples of which many mends are tried, or that stop late.
SLOW = {
    "never-stops",
    "optimizer-recreated",
    "optimizer-stale-parameters",
    "penalty-added",
    "shape-broadcast",
    "single-sample-only",
    "step-missing",
    "update-before-backward",
    "update-outside-loop",
    "updated-twice",
    "wrong-gradient-used",
    "zeroed-before-use",
}
NAMED = Path(__file__).parent / "corpus" / "labels.json"
# Mistakes whose example cannot be told alone, and why, are none so far.
MISTAKES = all_mistakes()


def example(name: str) -> str:
    """The example of a mistake's documentation."""
    section = EXAMPLE.search(MISTAKES[name].docs + "\n## ")
    assert section is not None
    code = FENCED.search(section[1])
    assert code is not None
    return code[1]


@pytest.mark.parametrize("name", MISTAKES)
def test_documentation_has_its_headings(name: str) -> None:
    headings = [line for line in MISTAKES[name].docs.splitlines() if line.startswith("## ")]
    assert headings in (HEADINGS, [*HEADINGS, KNOWN_MISSES])
    assert example(name).count(MARK) == 1


@pytest.mark.parametrize("name", MISTAKES)
def test_known_misses_are_a_list_of_exercises_with_reasons(name: str) -> None:
    _, _, section = MISTAKES[name].docs.partition(f"{KNOWN_MISSES}\n")
    known = MISTAKES[name].known_misses
    assert section.count("\n- ") == len(known)
    assert set(known) <= set(slugs(course_folder(None)))
    for language in ("en", "zh"):
        assert all(slug in page(MISTAKES[name], language) for slug in known)


@pytest.mark.parametrize("name", MISTAKES)
def test_both_languages_say_the_same(name: str) -> None:
    english, chinese = (MISTAKES[name].words[language] for language in ("en", "zh"))
    for field in ("title", "message", "why", "fix"):
        text, translated = getattr(english, field), getattr(chinese, field)
        assert text.strip()
        assert re.search("[\u4e00-\u9fff]", translated)
    assert placeholders(english.message) == placeholders(chinese.message)
    assert {name: set(words) for name, words in english.terms.items()} == {
        name: set(words) for name, words in chinese.terms.items()
    }


def test_a_value_that_is_a_word_is_said_in_each_language() -> None:
    words = MISTAKES["loss-not-squared-error"].words
    params = {"part": "(y - p).abs()", "what": "abs"}
    assert "the absolute value" in words["en"].say("message", params)
    assert "绝对值" in words["zh"].say("message", params)
    assert "abs" not in words["zh"].say("message", params).replace("(y - p).abs()", "")


def test_every_way_to_miss_the_squared_error_has_words() -> None:
    said = set(re.findall(r'Way\(\w+, "([^"]+)"', Path(losses.__file__).read_text("utf-8")))
    assert said == set(MISTAKES["loss-not-squared-error"].words["en"].terms["what"])


def placeholders(text: str) -> set[str]:
    """The parameters that a sentence is filled with."""
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", MISTAKES)
def test_page_shows_the_example(name: str, language: str) -> None:
    assert example(name).strip() in page(MISTAKES[name], language)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in MISTAKES]
)
def test_example_is_found(name: str, kernels: Kernels, tmp_path: Path) -> None:
    """On the marked line, without doubt; in words of both languages; and a mend that was proven is full of points."""
    source = example(name)
    first = source.split("\n", 1)[0]
    slug = first.removeprefix("# exercise: ") if first.startswith("# exercise: ") else "linear_regression"
    path = tmp_path / "example.py"
    path.write_text(source, "utf-8")
    exercise = load_exercise(course_folder(None), slug)
    report = grade(load(path), exercise, HASTY if name == "never-stops" else Settings(), kernels)
    found = {finding.mistake: finding for finding in report.findings if finding.confidence != "possible"}
    assert name in found, [finding.mistake for finding in report.findings]
    line = next(n for n, text in enumerate(source.split("\n"), 1) if MARK in text)
    assert found[name].line == line
    for language in ("en", "zh"):
        worded = word(report, exercise, language)
        assert all("{" not in part.title for part in worded.findings)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_may_be_called_by_names_of_the_catalogue(name: str) -> None:
    assert name in MISTAKES[name].accepted
    assert MISTAKES[name].accepted <= set(MISTAKES)
    assert MISTAKES[name].plantable
