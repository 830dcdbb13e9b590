"""What every format of a report owes."""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings

from grader.errors import UnreadableSubmission
from grader.grade import ungradable
from grader.model import Language
from grader.report.discovery import TERMINAL, Format, format_of, names
from grader.report.document import Document, word
from tests.attacks.test_display import ATTACKS, PLACES, document
from tests.measure.docs import DOCS
from tests.test_report import DOCUMENT
from tests.valid_formats import VALID

LANGUAGES: tuple[Language, ...] = get_args(Language)
HARMFUL = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>]]>&lt;b&gt; ![i](http://evil.example) [l](javascript:x) "
    "**x** `a|b` ``` @octocat #12 https://evil.example www.evil.example a@b.example $x$ <!-- | ~~~ =cmd()"
)
BEGINNINGS = (
    "- x",
    "+ x",
    "1. x",
    "2) x",
    "# x",
    "> x",
    "===",
    "---",
    "    x = 1",
    "\tx",
    "| a | b |",
    "```",
    "~~~",
)


def refused(language: Language) -> Document:
    error = UnreadableSubmission("file-empty", path="a.ipynb")
    return word(ungradable("a.ipynb", "", "", error), None, language)


def kinds(language: Language) -> dict[str, Document]:
    """Reports of every kind: graded, ungradable, without checks, and a diagnosis without an exercise."""
    unscored: dict[str, Any] = {
        "checks": [],
        "score": None,
        "max_score": 0.0,
        "exercise": "",
        "title": "",
        "language": language,
    }
    return {
        "graded": document(language=language),
        "ungradable": refused(language),
        "without checks": document(language=language, checks=[], findings=[], score=0.0, max_score=0.0),
        "diagnosis": document(**unscored),
        "nothing found": document(**unscored, findings=[]),
    }


@pytest.fixture(params=names())
def format(request: pytest.FixtureRequest) -> Format:
    return format_of(request.param)


def encodable(text: str) -> str:
    """As a worded report has it: lone surrogates are escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_no_text_begins_a_block_of_markdown(beginning: str) -> None:
    for place in ("message", "error", "finding", "review", "note"):
        VALID["markdown"](format_of("markdown").render(PLACES[place](beginning)))


def together(format: Format, *documents: Document) -> str:
    return format.head + "".join(map(format.part, documents)) + format.tail


def test_the_one_for_people_comes_first() -> None:
    assert names()[0] == TERMINAL
    assert {"json", "markdown", "junit", "gradescope", "classroom50", "prairielearn", "autolab"} <= set(
        names()
    )


def test_is_described_in_both_languages_and_documented(format: Format) -> None:
    assert set(format.words) == set(LANGUAGES)
    assert re.search("[一-鿿]", format.words["zh"])
    assert not re.search("[一-鿿]", format.words["en"])
    assert len(format.docs) > 40
    assert f"## {format.name}\n" in (DOCS / "formats.md").read_text("utf-8"), "run `make docs`"


def test_its_files_are_told_apart(format: Format) -> None:
    assert format.suffix().startswith(".")
    others = {
        format_of(name).suffix(together=each)
        for name in names()
        if name != format.name
        for each in (True, False)
    }
    assert not {format.suffix(), format.suffix(together=True)} & others


@pytest.mark.parametrize("kind", kinds("en"))
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_report_is_valid(format: Format, kind: str, language: Language) -> None:
    text = format.render(kinds(language)[kind])
    assert text.endswith("\n")
    VALID[format.name](text)


def test_several_are_valid_together(format: Format) -> None:
    if format.joins:
        documents = list(kinds("zh").values())
        text = together(format, *documents)
        VALID[format.name](text)
        assert all(name in text for name in {each.submission.name for each in documents})


def test_no_report_is_valid_too(format: Format) -> None:
    if format.joins and together(format):
        VALID[format.name](together(format))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_could_not_be_graded_is_said_with_its_reason(format: Format, language: Language) -> None:
    report = refused(language)
    said = "".join(strings(format.render(report)))
    for words in (report.needs_review[0], "" if format.name == "json" else
                  {"en": "could not be graded", "zh": "评分"}[language]):  # fmt: skip
        assert squeezed(words) in squeezed(said)


def squeezed(text: str) -> str:
    r"""Without white space, frames of panels, and the backslashes of Markdown."""
    return re.sub(r"[\s│\\]", "", text)


def strings(text: str) -> Iterator[str]:
    """What a reader of a text sees: of JSON its decoded strings."""
    try:
        yield from strings_in(json.loads(text))
    except ValueError:
        yield text


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings_in(part)


@pytest.mark.parametrize("place", PLACES)
def test_nothing_of_a_submission_controls_or_marks_up(format: Format, place: str) -> None:
    for attack in (" ".join(ATTACKS.values()), MARKUP, "\n".join(("a", *BEGINNINGS))):
        report = PLACES[place](encodable(attack))
        text = format.render(report)
        VALID[format.name](text)
        seen = [text] if format.name == "json" else [text, *strings(text)]
        letters = {letter for words in seen for letter in words if unicodedata.category(letter) in HARMFUL}
        assert letters <= {"\n", "\t"}, attack


@given(report=DOCUMENT)
@settings(deadline=None, max_examples=15)
@pytest.mark.parametrize("name", names())
def test_any_report_is_valid(name: str, report: Document) -> None:
    VALID[name](format_of(name).render(report))
    if format_of(name).joins:
        VALID[name](together(format_of(name), report, report))
