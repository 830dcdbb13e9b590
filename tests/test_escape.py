"""What `grader.report.escape` makes visible, and what it leaves as it is."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.report.escape import (
    INVISIBLE,
    MAX_CHARACTERS,
    MAX_LINES,
    MAX_STACKED,
    one_line,
    one_paragraph,
    visible,
)

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
    ("unassigned\u0378\ufffe", r"unassigned\u0378\ufffe"),
    ("filler\u3164\u115f\uffa0", r"filler\u3164\u115f\uffa0"),
    ("blank\u2800\u034f", r"blank\u2800\u034f"),
    ("variant\ufe01\u180b\U000e0100", r"variant\ufe01\u180b\U000e0100"),
    ("pile" + "\u0301" * 6, "pile" + "\u0301" * 4 + r"\u0301" * 2),
]
HARMLESS = [
    "",
    "w = 1.0  # it's plain",
    "first\n\tsecond\n",
    "斜率应接近 10。",
    "θ = λ·δ / ½",
    "é, e\u0301, 한국어, हिन्दी",
    "🎉 🙂 ❤\ufe0f ☎\ufe0e",
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


CLEAN = st.characters(categories=["L", "Mc", "N", "P", "S", "Zs"], include_characters="\n\t").filter(
    lambda letter: not INVISIBLE.match(letter)
)
MARKED = st.tuples(CLEAN, st.text(st.characters(categories=["Mn", "Me"]), max_size=MAX_STACKED)).map("".join)


@given(text=st.lists(MARKED | CLEAN).map("".join).filter(lambda text: not INVISIBLE.search(text)))
@settings(deadline=None)
def test_clean_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_of_a_long_text_the_beginning_is_kept() -> None:
    assert visible("a" * MAX_CHARACTERS) == "a" * MAX_CHARACTERS
    assert visible("a" * (MAX_CHARACTERS + 5)) == "a" * MAX_CHARACTERS + "… [+5]"
    assert visible("abcdef", 3) == "abc… [+3]"
    assert visible("\x1b" * 9, 3) == r"\x1b" * 3 + "… [+6]"


def test_of_many_lines_the_first_are_kept() -> None:
    assert visible("a\n" * (MAX_LINES - 1)) == "a\n" * (MAX_LINES - 1)
    assert visible("a\n" * (MAX_LINES + 1)) == "a\n" * (MAX_LINES - 1) + "a… [+3]"


def test_a_line_end_is_shown_where_there_is_one_line_and_read_over_in_a_paragraph() -> None:
    assert one_line("a\n\tb\x1b") == r"a\n\tb\x1b"
    assert one_paragraph("a \n\n  b\nc\x1b") == r"a b c\x1b"
