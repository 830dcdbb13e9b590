"""Text edits on a submission's source, and what they changed line by line."""

import difflib
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from grader.model import Cell, Change, Submission


class Edit(msgspec.Struct, frozen=True, order=True):
    """Replace what stands between two places of a cell by `text`.

    Lines count from 1, columns in characters from 0; an empty range inserts.
    """

    cell: int
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def apply(submission: Submission, edits: Sequence[Edit]) -> Submission | None:
    """The submission with its source edited; None where two edits want the same place."""
    ordered = sorted(set(edits))
    if any(one.cell == next_.cell and one.end > next_.start for one, next_ in pairwise(ordered)):
        return None
    cells = tuple(
        Cell(number=cell.number, source=_edited(cell, [edit for edit in ordered if edit.cell == cell.number]))
        for cell in submission.cells
    )
    return msgspec.structs.replace(submission, cells=cells, original=cells)


def _edited(cell: Cell, edits: Sequence[Edit]) -> str:
    lines = cell.source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    source = cell.source
    for edit in reversed(edits):
        first, last = (starts[line - 1] + column for line, column in (edit.start, edit.end))
        source = source[:first] + edit.text + source[last:]
    return source


def changes(before: Submission, after: Submission) -> tuple[Change, ...]:
    """The lines that differ between two forms of a submission, block by block."""
    found = []
    for old, new in zip(before.cells, after.cells, strict=True):
        old_lines, new_lines = old.source.split("\n"), new.source.split("\n")
        matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
        for kind, first, last, new_first, new_last in matcher.get_opcodes():
            if kind != "equal":
                found.append(
                    Change(
                        cell=old.number,
                        line=first + 1,
                        before=tuple(old_lines[first:last]),
                        after=tuple(new_lines[new_first:new_last]),
                    )
                )
    return tuple(found)


def line_before(before: Submission, after: Submission, cell: int, line: int | None) -> int | None:
    """Where a line of the edited form stood before; for a line that is new, where it was put."""
    if line is None:
        return None
    for old, new in zip(before.cells, after.cells, strict=True):
        if old.number == cell:
            return _line_before(old.source.split("\n"), new.source.split("\n"), line)
    return line


def _line_before(old: list[str], new: list[str], line: int) -> int:
    text = new[line - 1].strip() if 1 <= line <= len(new) else ""
    same = [number for number, other in enumerate(old, 1) if other.strip() == text]
    if text and len(same) == 1:  # it was moved, maybe, but it is there
        return same[0]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for _, first, last, new_first, new_last in matcher.get_opcodes():
        if new_first <= line - 1 < new_last:
            return min(first + line - new_first, max(last, first + 1))
    return line
