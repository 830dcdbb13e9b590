"""The small curve in the terminal."""

import io
import math
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.model import Language
from grader.report.curve import ACROSS, BRAILLE, DOTS, DOWN, HEIGHT, WIDTH, braille, drawn, is_logarithmic

LANGUAGES: tuple[Language, ...] = get_args(Language)
VALUE = st.floats(allow_nan=False, allow_infinity=False)
POINTS = st.lists(VALUE, min_size=1, max_size=60).map(lambda values: [[n, v] for n, v in enumerate(values)])
ANY_POINTS = st.lists(st.tuples(st.integers(0, 10**9), st.floats()).map(list), max_size=60)


def dots(rows: list[str]) -> set[tuple[int, int]]:
    """The dots of a picture: from the left, and from the top."""
    return {
        (ACROSS * column + x, DOWN * line + y)
        for line, row in enumerate(rows)
        for column, letter in enumerate(row)
        if letter != " "
        for y, pair in enumerate(DOTS)
        for x, bit in enumerate(pair)
        if (ord(letter) - BRAILLE) & bit
    }


def picture(points: list[list[float]], language: Language = "en") -> str:
    console = Console(file=io.StringIO(), width=60)
    found = drawn([(step, value) for step, value in points], language)
    if found is not None:
        console.print(found)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(points=POINTS)
@settings(deadline=None)
def test_fits_its_frame_and_is_one_line_from_left_to_right(points: list[list[float]]) -> None:
    logarithmic = is_logarithmic([value for _, value in points])
    rows = braille(points, logarithmic=logarithmic)
    assert len(rows) == HEIGHT
    assert all(len(row) <= WIDTH for row in rows)
    assert all(letter == " " or BRAILLE < ord(letter) <= BRAILLE + 0xFF for row in rows for letter in row)
    seen = sorted(dots(rows))
    assert seen
    assert all(0 <= y < HEIGHT * DOWN for _, y in seen)
    columns = sorted({x for x, _ in seen})
    assert all(right - left == 1 for left, right in pairwise(columns))  # no gap
    if len(points) > 1:
        assert (columns[0], columns[-1]) == (0, WIDTH * ACROSS - 1)


@given(points=POINTS)
@settings(deadline=None)
def test_the_largest_stands_at_the_top_and_the_smallest_at_the_bottom(points: list[list[float]]) -> None:
    values = [value for _, value in points]
    logarithmic = is_logarithmic(values)
    heights = {y for _, y in dots(braille(points, logarithmic=logarithmic))}
    if max(values) / 2 - min(values) / 2 > 0:
        assert (min(heights), max(heights)) == (0, HEIGHT * DOWN - 1)
    else:
        assert len(heights) == 1


@given(falls=st.lists(st.floats(0.01, 100), min_size=2, max_size=40))
@settings(deadline=None)
def test_what_falls_is_drawn_falling(falls: list[float]) -> None:
    values = [sum(falls[n:]) for n in range(len(falls))]
    seen = dots(braille([[n, v] for n, v in enumerate(values)], logarithmic=is_logarithmic(values)))
    tops = [min(y for x, y in seen if x == column) for column in range(WIDTH * ACROSS)]
    assert tops == sorted(tops)


@given(points=ANY_POINTS)
@settings(deadline=None)
@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_given_is_drawn_or_left_out(language: Language, points: list[list[float]]) -> None:
    text = picture(points, language)
    assert all(len(line) <= 60 for line in text.split("\n"))
    finite = [value for _, value in points if math.isfinite(value)]
    assert bool(text) == (len(points) > 1 and bool(finite))


def test_an_exponential_is_a_straight_line_by_its_logarithm() -> None:
    values = [math.exp(-n / 10) for n in range(80)]
    assert is_logarithmic(values)
    seen = dots(braille([[n, v] for n, v in enumerate(values)], logarithmic=True))
    span = HEIGHT * DOWN - 1
    assert all(abs(y - span * x / (WIDTH * ACROSS - 1)) <= 1 for x, y in seen)


def test_says_where_it_begins_and_ends() -> None:
    points = [[float(n), 100.0 * 0.9**n] for n in range(50)]
    assert picture(points).startswith("  Loss: 100 at step 0, 0.57264 at step 49")
    assert "对数" in picture(points, "zh")
    assert "logarithmic" not in picture([[0.0, 3.0], [1.0, 2.0]])


def test_a_loss_that_overflowed_is_said_to_have() -> None:
    assert "inf at step 2" in picture([[0.0, 1.0], [1.0, 1e9], [2.0, math.inf]])
