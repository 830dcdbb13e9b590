"""What `grader.report.escape` makes visible, and what it leaves as it is."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.report.escape import visible

HARMFUL = [
    ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    (
        "\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x07",
        r"\x1b]8;;https://example.org\x1b" + "\\click" + r"\x1b]8;;\x07",
    ),
    ("\x9b31mred", r"\x9b31mred"),
    ("next\x85line", r"next\x85line"),
    ("100 %\rdone", r"100 %\rdone"),
    ("a\b\x7f", r"a\x08\x7f"),
    ("nul\0", r"nul\x00"),
    ("\u202egrade\u202c", r"\u202egrade\u202c"),
    ("\u2066grade\u2069", r"\u2066grade\u2069"),
    ("right\u200fleft", r"right\u200fleft"),
    ("w\u200b = 1", r"w\u200b = 1"),
    ("soft\xadhyphen", r"soft\xadhyphen"),
    ("\ufeffw", r"\ufeffw"),
    ("two\u2028lines\u2029", r"two\u2028lines\u2029"),
    ("\ud800 and \udfff", r"\ud800 and \udfff"),
    ("\ue000", r"\ue000"),
    ("tag\U000e0041", r"tag\U000e0041"),
]
HARMLESS = [
    "",
    "w = 1.0  # it's plain",
    "first\n\tsecond\n",
    "斜率应接近 10。",
    "θ = λ·δ / ½",
    "é, e\u0301, 한국어, हिन्दी",
    "🎉 🙂",
    r"already \x1b[31m visible",
    "[red]no markup[/red]",
]


@pytest.mark.parametrize(("text", "shown"), HARMFUL)
def test_makes_control_and_format_characters_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_leaves_ordinary_text_alone(text: str) -> None:
    assert visible(text) == text


ANY_CHARACTER = st.characters() | st.sampled_from("\x1b\x9b\u202e\u200d\ud800\n\t")


@given(text=st.text(ANY_CHARACTER))
@settings(deadline=None)
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs"} and c not in "\n\t"]
    assert visible(shown) == shown
    shown.encode()


@given(text=st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"], include_characters="\n\t")))
@settings(deadline=None)
def test_clean_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
