"""A few lines that show a mistake to the whole class, without a sign of whose they are.

Comments and what stands in strings are blanked, since they may hold anything. Where Python cannot be told from text, or a part of
the student's name or id is in what is left, other students' lines are taken.
"""

import re
import unicodedata
from collections.abc import Sequence

import msgspec
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Error, String

from grader.grades import Grade
from grader.model import Finding
from grader.outcome.standing import SURENESS, findings

MOST = 2
AROUND = 2
MAX_CELL = 20_000
BLANK = "…"
WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+")
# A shorter part of a name is looked for as a whole word alone: there are students called Li and W.
LONG_ENOUGH = 4
KEPT_IN_STRINGS = frozenset({String.Affix, String.Interpol})


class ExcerptPart(msgspec.Struct, frozen=True):
    """Lines of a cell around the one in question; `first_line` and `line` count from 1. Strings and comments are blanked."""

    first_line: int
    line: int
    lines: list[str]


def excerpts(grades: Sequence[Grade]) -> dict[str, list[ExcerptPart]]:
    """Of each mistake up to two excerpts that differ, from where it is surest."""
    found: dict[str, list[ExcerptPart]] = {}
    for sureness in SURENESS[:2]:
        for grade in grades:
            for finding in findings(grade):
                own = found.setdefault(finding.mistake, [])
                if finding.confidence != sureness or len(own) >= MOST:
                    continue
                part = excerpt(grade, finding)
                if part is not None and all(part.lines != other.lines for other in own):
                    own.append(part)
    return found


def excerpt(grade: Grade, finding: Finding) -> ExcerptPart | None:
    """The lines around a finding, anonymous; None where they cannot be."""
    source = _cell(grade, finding)
    if source is None or finding.line is None or len(source) > MAX_CELL:
        return None
    lines = blanked(source)
    if lines is None or finding.line > len(lines):
        return None
    first = max(1, finding.line - AROUND)
    kept = [line.rstrip() for line in lines[first - 1 : finding.line + AROUND]]
    if names_in(kept, (grade.student, grade.name)):
        return None
    return ExcerptPart(first, finding.line, kept)


def blanked(source: str) -> list[str] | None:
    """The lines of Python with comments and the content of strings blanked; None where something in it is no Python."""
    parts = []
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        if kind in Error:
            return None
        in_string = kind in String and kind not in KEPT_IN_STRINGS and set(text) - set("'\"")
        if kind in Comment or in_string:
            parts.append(_blank(text))
        else:
            parts.append(text)
    return "".join(parts).split("\n")


def names_in(lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a part of a name is a word of the lines, or of an identifier in them."""
    text = _plain("\n".join(lines))
    words = {_plain(word) for word in WORD.findall("\n".join(lines))} | set(re.findall(r"\w+", text))
    parts = {_plain(part) for name in names for part in [name, *re.split(r"[\W_]+", name)]}
    return any(part in words or (len(part) >= LONG_ENOUGH and part in text) for part in parts if part.strip())


def _cell(grade: Grade, finding: Finding) -> str | None:
    shown = () if grade.report is None else grade.report.notebook
    return next((cell.source for cell in shown if cell.number == finding.cell is not None), None)


def _blank(text: str) -> str:
    return "\n".join(_of_line(line) for line in text.split("\n"))


def _of_line(line: str) -> str:
    quotes = re.match(r"""["']*""", line)
    before = "" if quotes is None else quotes[0]
    if not line.strip() or line == before:
        return line
    after = re.search(r"""["']*$""", line[len(before) :])
    return f"{'#' if line.startswith('#') else before}{BLANK}{'' if after is None else after[0]}"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
