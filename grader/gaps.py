"""What a learner gets to see of a marked reference: its cells, with a gap in the place of each solution.

The markers are nbgrader's comments. They mean nothing to the reference as it runs.

    ### BEGIN SOLUTION          learners write what stands from here …
    ### END SOLUTION            … to here
    ### BEGIN HIDDEN TESTS      what stands between these two is left out,
    ### END HIDDEN TESTS        and nothing stands in its place
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from grader.errors import CourseError
from grader.load import Part, module_parts

# As in nbgrader, the whole line is the marker, whatever else stands on it: so nothing of it gets out.
MARKER = re.compile(r"\b(?P<side>BEGIN|END)\s+(?P<region>SOLUTION|HIDDEN\s+TESTS)\b", re.IGNORECASE)
CODE_GAP = ("# YOUR CODE HERE", "raise NotImplementedError()")
TEXT_GAP = ("# YOUR ANSWER HERE",)
# What a mark says besides being one: `# %% 1. The data` has the title `1. The data`.
TITLE = re.compile(r"^#\s*%%+\s*(?P<title>[^\[\s].*)$")


class Marker(NamedTuple):
    """A line that begins or ends a region: SOLUTION or HIDDEN TESTS."""

    side: str
    region: str
    line: int


def is_marked(text: str) -> bool:
    """Whether there is any marker in a reference."""
    return MARKER.search(text) is not None


def cells_with_gaps(text: str, path: str) -> Iterator[tuple[str, str]]:
    """The kind and the source of each cell of a reference, solutions and its docstring left out.

    Raises CourseError, with `path` and the line, for a region that is not closed in its cell, or not opened, or in another one.
    """
    for part in module_parts(text):
        shown = part if part.mark else _without_docstring(part)
        lines = list(_with_gaps(shown, path))
        # What stands above all cells is often but a comment of an editor's or a converter's.
        if not any(line.strip() and (part.mark or not line.startswith("#")) for line in lines):
            continue
        if part.kind == "code":
            yield part.kind, "\n".join([*_title(part), *lines]).strip("\n")
        else:
            yield part.kind, "\n".join(_uncommented(line) for line in lines).strip("\n")


def _with_gaps(part: Part, path: str) -> Iterator[str]:
    if MARKER.search(part.mark):
        raise CourseError("marker-on-mark", path=path, line=part.start - 1)
    opened: Marker | None = None
    for number, line in enumerate(part.lines, start=part.start):
        match = MARKER.search(line)
        if match is None:
            if opened is None:
                yield line
            continue
        marker = Marker(match["side"].upper(), " ".join(match["region"].upper().split()), number)
        if marker.side == "BEGIN":
            if opened is not None:
                raise CourseError("marker-nested", path=path, line=number, opened=opened.line)
            if marker.region == "SOLUTION":
                indent = line[: len(line) - len(line.lstrip())]
                yield from (indent + text for text in (CODE_GAP if part.kind == "code" else TEXT_GAP))
        elif opened is None or opened.region != marker.region:
            raise CourseError("marker-not-opened", path=path, line=number, region=marker.region)
        opened = marker if marker.side == "BEGIN" else None
    if opened is not None:
        raise CourseError("marker-not-closed", path=path, line=opened.line, region=opened.region)


def _without_docstring(head: Part) -> Part:
    """A module's first part without the text that tells about the solution, and what stands above that."""
    try:
        first = next(iter(ast.parse("\n".join(head.lines)).body), None)
    except SyntaxError:  # to be seen when it is run
        return head
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return head
    end = first.end_lineno
    if end is None or not isinstance(first.value.value, str) or is_marked("\n".join(head.lines[:end])):
        return head
    return head._replace(start=head.start + end, lines=head.lines[end:])


def _title(part: Part) -> list[str]:
    """The title that a mark has, as a comment."""
    match = TITLE.match(part.mark)
    return [] if match is None else [f"# {match['title']}"]


def _uncommented(line: str) -> str:
    """A line of a text cell, which in a module is a comment."""
    return line.removeprefix("#").removeprefix(" ")
