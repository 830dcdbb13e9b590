"""Two solutions side by side, line by line: which lines are the same, and which are but for names, numbers, strings and comments."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal, NamedTuple

from markupsafe import Markup

from grader.report.html.words import code_lines
from grader.similarity import normalised_line

MAX_LINES = 1_000
Likeness = Literal["same", "renamed", "differs"]


class Row(NamedTuple):
    """One line of each, with its number; None where the other has one more."""

    likeness: Likeness
    left: int | None
    left_line: Markup
    right: int | None
    right_line: Markup


def source(cells: Sequence[str]) -> list[str]:
    """The lines of a solution, its cells one after the other."""
    return [line for cell in cells for line in [*cell.split("\n"), ""]][:MAX_LINES]


def side_by_side(left: Sequence[str], right: Sequence[str]) -> list[Row]:
    """The lines of both, those that match beside each other."""
    coloured = code_lines("\n".join(left)), code_lines("\n".join(right))
    rows = []
    for one, other in _matched(left, right):
        if one is None or other is None:
            likeness: Likeness = "differs"
        elif normalised_line(left[one]) != normalised_line(right[other]):
            likeness = "differs"
        else:
            likeness = "same" if left[one].split() == right[other].split() else "renamed"
        rows.append(
            Row(
                likeness,
                None if one is None else one + 1,
                Markup("") if one is None else coloured[0][one],
                None if other is None else other + 1,
                Markup("") if other is None else coloured[1][other],
            )
        )
    return rows


def _matched(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    plain = [normalised_line(line) for line in left], [normalised_line(line) for line in right]
    for kind, start, end, other_start, other_end in SequenceMatcher(
        None, *plain, autojunk=False
    ).get_opcodes():
        paired = zip if kind == "equal" else zip_longest
        yield from paired(range(start, end), range(other_start, other_end))
