"""A small curve in the terminal: values over steps, in Braille dots."""

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding

from grader.model import Language
from grader.report.wrap import Line
from grader.text import say

Points = Sequence[Sequence[float]]

WIDTH, HEIGHT = 40, 4
# A character holds two by four dots; these are their bits in Unicode's Braille block, row by row.
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
ACROSS, DOWN = 2, 4
# Less than this between the largest and the smallest value is seen as well without a logarithm.
WIDE = 10.0
INDENTED = (0, 0, 0, 2)


def drawn(curve: Sequence[tuple[float, float | None]], language: Language) -> RenderableType | None:
    """The curve of the loss, with its first and last value; a value that was not finite is None. None where there is nothing to draw."""
    points = [(step, math.nan if value is None else value) for step, value in curve]
    finite = [(step, value) for step, value in points if math.isfinite(step) and math.isfinite(value)]
    if len(points) < ACROSS or not finite:
        return None
    logarithmic = is_logarithmic([value for _, value in finite])
    (begin, first), (end, last) = points[0], points[-1]
    params = {"first": float(first), "last": float(last), "from": int(begin), "to": int(end)}
    text = say("label-curve", language, params)
    if logarithmic:
        text += say("label-logarithmic", language)
    rows = [Line(row, style="cyan") for row in braille(finite, logarithmic=logarithmic)]
    return Padding(Group(Line(text, style="dim"), *rows), INDENTED)


def is_logarithmic(values: Sequence[float]) -> bool:
    """Whether values are drawn by their logarithms: none is negative, and they lie far apart."""
    positive = [value for value in values if value > 0]
    return bool(positive) and min(values) >= 0 and max(values) / min(positive) >= WIDE


def braille(points: Points, *, logarithmic: bool, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Rows of characters in which the points stand as dots, joined by lines; a zero, which has no logarithm, stands at the bottom."""
    columns, rows = width * ACROSS, height * DOWN
    across = _places([step for step, _ in points], columns)
    values = [value for _, value in points]
    up = _places(_logarithms(values) if logarithmic else values, rows)
    cells = [[0] * width for _ in range(height)]
    last = None
    for column, row in zip(across, up, strict=True):
        for x, y in _line(last or (column, row), (column, row)):
            down = rows - 1 - y
            cells[down // DOWN][x // ACROSS] |= DOTS[down % DOWN][x % ACROSS]
        last = column, row
    return ["".join(chr(BRAILLE + bits) if bits else " " for bits in row).rstrip() for row in cells]


def _logarithms(values: Sequence[float]) -> list[float]:
    least = min(value for value in values if value > 0)
    return [math.log(max(value, least)) for value in values]


def _places(values: Sequence[float], count: int) -> list[int]:
    """Where values stand on a scale of `count` places; in the middle if they are all the same."""
    # Halves, since the difference of two large numbers may be too large.
    least, span = min(values) / 2, max(values) / 2 - min(values) / 2
    if span <= 0:
        return [(count - 1) // 2] * len(values)
    return [min(count - 1, max(0, round((value / 2 - least) / span * (count - 1)))) for value in values]


def _line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    (x, y), (to_x, to_y) = start, end
    most = max(abs(to_x - x), abs(to_y - y))
    if most == 0:
        return [end]
    return [(x + round((to_x - x) * n / most), y + round((to_y - y) * n / most)) for n in range(most + 1)]
