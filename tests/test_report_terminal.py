"""The report in a terminal: what it says, and that it fits."""

import io
import itertools
import re
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from grader.model import Language
from grader.report.document import (
    SCHEMA,
    CheckPart,
    Document,
    ErrorPart,
    RunPart,
    SubmissionPart,
)
from grader.report.sentences import points
from grader.report.terminal import show
from grader.report.wrap import breaks
from grader.text import catalogue, say

LANGUAGES: tuple[Language, ...] = get_args(Language)
TITLES = {
    "en": ("The data are those of the task.", "w is the slope of your data, near 10.", "The code follows other data."),
    "zh": ("x 与 y 是一样长的数据，至少 100 个点，大致落在 y = 10x + 4 附近，每个点有自己的噪声。", "w 是你的数据的斜率，与最小二乘直线相差不到一个标准误差。", "把数据换成另一条直线，同样的代码会找到那条直线。"),
}  # fmt: skip
MESSAGES = {
    "en": "w is 3.5. The least-squares line through your data has the slope 9.87, and within ±0.35 is close enough.",
    "zh": "w 是 3.5。你的数据的最小二乘直线斜率为 9.87，相差 ±0.35 以内即可。",
}


def document(language: Language, **changes: Any) -> Document:
    """A report with a check of each outcome, an error with its lines, and something to look at."""
    first, second, third = TITLES[language]
    base = CheckPart(id="a", title=first, status="passed", score=2.5, max_score=2.5, message="", hint="",
                     reason=None, params={}, because=None)  # fmt: skip
    hint = {"en": "Take more steps.", "zh": "请增加步数。"}[language]
    checks = [
        base,
        msgspec.structs.replace(base, title=second, status="failed", score=0.0, message=MESSAGES[language], hint=hint),
        msgspec.structs.replace(base, title=third, status="skipped", score=0.0, max_score=5.0,
                                message=say("skipped-because", language)),
    ]  # fmt: skip
    error = ErrorPart(kind="error", message=say("run-error", language, {"cell": 4, "message": "NameError: y_hat"}),
                      cell=4, line=12, first_line=10, excerpt=["a = 1", "for i in range(3):", "    y_hat", "b = 2"])  # fmt: skip
    whole = Document(schema=SCHEMA, exercise="e", title="线性回归 and more", submission=SubmissionPart("a.ipynb", ""),
                     status="graded", needs_review=["Look here."], notes=[f"note {n}" for n in range(9)], score=2.5,
                     max_score=10.0, language=language, checks=checks, run=RunPart(1.0, error, 0),
                     findings=[], untried=0)  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


def shown(report: Document, width: int = 240) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def bare(text: str) -> str:
    """Without white space and the frames of panels, so that wrapping does not matter."""
    return re.sub(r"[\s│]", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_says_everything(language: Language) -> None:
    text = shown(document(language))
    assert "a.ipynb  ·  线性回归 and more" in text
    assert f"{catalogue(language)['label-score']} 2.5 / 10" in text
    for check, mark, score in zip(document(language).checks, "✔✘–", ("2.5/2.5", "0/2.5", "0/5"), strict=True):
        assert re.search(rf"{mark} +{re.escape(check.title)} +{re.escape(score)}\n", text)
        assert check.message in text
    assert {"en": "Hint: Take more steps.", "zh": "提示：请增加步数。"}[language] in text
    assert {"en": "A person should look at this: Look here.", "zh": "需要有人来查看：Look here."}[
        language
    ] in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_shows_the_error_with_its_place_and_lines(language: Language) -> None:
    text = shown(document(language))
    assert say("label-cell-line", language, {"cell": 4, "line": 12}) in text
    assert say("run-error", language, {"cell": 4, "message": "NameError: y_hat"}) in text
    assert re.search(
        r"  10 a = 1\s.*\n.*  11 for i in range\(3\):\s.*\n.*❱ 12     y_hat\s.*\n.*  13 b = 2", text
    )


def test_an_error_without_a_place_is_shown_without_one() -> None:
    lost = ErrorPart(
        kind="kernel-died", message="It died.", cell=None, line=None, first_line=None, excerpt=[]
    )
    text = shown(document("en", run=RunPart(1.0, lost, 0)))
    assert "It died." in text
    assert "cell" not in text


def test_shows_five_notes_at_most() -> None:
    assert re.findall(r"note (\d)", shown(document("en"))) == ["0", "1", "2", "3", "4"]


def test_praises_when_everything_passed_and_only_then() -> None:
    praise = catalogue("en")["label-all-passed"]
    passed = document("en").checks[:1]
    assert praise in shown(document("en", checks=passed, score=2.5, max_score=2.5))
    assert praise not in shown(document("en"))
    failed = msgspec.structs.replace(passed[0], status="failed", score=0.0, max_score=0.0)
    assert praise not in shown(document("en", checks=[failed], score=0.0, max_score=0.0))


def test_what_could_not_be_graded_has_no_score() -> None:
    text = shown(document("en", status="ungradable", score=None, max_score=0.0, checks=[]))
    assert "could not be graded" in text
    assert "Score" not in text
    assert "/" not in text


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("language", LANGUAGES)
def test_wide_letters_do_not_break_the_table(language: Language, width: int) -> None:
    text = shown(document(language), width)
    lines = text.splitlines()
    assert max(cell_len(line) for line in lines) <= width
    for check in document(language).checks:
        assert bare(check.message) in bare(text)
    ends = [cell_len(line) for line in lines if re.search(r"\d/\d+(\.5)?$", line)]
    assert len(ends) == 3
    assert len(set(ends)) == 1
    frames = [cell_len(line) for line in lines if line.startswith(("│", "╭", "╰"))]
    assert len(set(frames)) == 2  # one width for each of the two panels


def test_chinese_is_broken_between_characters_and_not_before_a_comma() -> None:
    assert divided("w 是斜率，与直线相差，不到 ±0.35。", 10) == [
        "w 是斜率，",
        "与直线相",
        "差，不到 ",
        "±0.35。",
    ]
    assert divided("见（三）与 loss.backward()。", 9) == ["见（三）", "与 ", "loss.back", "ward()。"]


def test_english_is_broken_at_its_spaces() -> None:
    assert divided("The slope of your data, near 10.", 12) == ["The slope of ", "your data, ", "near 10."]


@given(text=st.text(st.sampled_from("ab，。（） 中文字x·−é\u0301🙂")), width=st.integers(6, 30))
@settings(deadline=None)
def test_every_line_fits_and_none_of_the_text_is_lost(text: str, width: int) -> None:
    parts = divided(text, width)
    assert all(cell_len(part.rstrip()) <= width for part in parts)
    assert "".join(parts) == text


def divided(text: str, width: int) -> list[str]:
    places = [0, *breaks(text, width), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


def test_markup_of_a_submission_is_text() -> None:
    name = SubmissionPart("[red]a[/red].ipynb", "")
    text = shown(document("en", submission=name, notes=["[bold]x[/bold]"], needs_review=["[/]"]))
    assert "[red]a[/red].ipynb" in text
    assert "Notes: [bold]x[/bold]" in text
    assert "look at this: [/]" in text


@pytest.mark.parametrize(
    ("score", "text"), [(0.0, "0"), (10.0, "10"), (100.0, "100"), (2.5, "2.5"), (1 / 3, "0.33")]
)
def test_points_have_no_needless_zeros(score: float, text: str) -> None:
    assert points(score) == text
