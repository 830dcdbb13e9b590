"""CSV tables that other programs wrote: read whatever their encoding and separator, and filled in without a change to the rest."""

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grader.errors import UsageError
from grader.files import read_file

MAX_BYTES = 20_000_000
ENCODINGS = ("utf-8", "gb18030")
SEPARATORS = ",;\t"
# What a spreadsheet takes for a formula when a cell begins with it; the wide signs count in East Asian editions.
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


class Cell(NamedTuple):
    """What a cell holds, and where it stands in the text."""

    value: str
    start: int
    end: int


class Sheet(NamedTuple):
    """A table: its text with all marks (a byte order mark too), and its rows of cells. name: what messages call it."""

    name: str
    text: str
    encoding: str
    separator: str
    rows: tuple[tuple[Cell, ...], ...]

    def value(self, row: int, column: int) -> str:
        """What a cell holds, without space around it; nothing where the row is shorter."""
        cells = self.rows[row]
        return cells[column].value.strip() if column < len(cells) else ""

    def filled(self, values: Mapping[tuple[int, int], str]) -> bytes:
        """The table with other values at (row, column); every other byte stays as it is."""
        parts, at = [], 0
        for (row, column), value in sorted(values.items()):
            cells = self.rows[row]
            start, end = (
                (cells[column].start, cells[column].end) if column < len(cells) else (cells[-1].end,) * 2
            )
            missing = self.separator * max(0, column - len(cells) + 1)
            parts += [self.text[at:start], missing, self._written(value)]
            at = end
        return "".join([*parts, self.text[at:]]).encode(self.encoding)

    def _written(self, value: str) -> str:
        quoted = any(sign in value for sign in (self.separator, '"', "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if quoted else value


def read_sheet(path: Path) -> Sheet:
    """Read a table. Raises UsageError for one that is too large or in no encoding that is known; UnreadableSubmission for no file."""
    content = read_file(path, MAX_BYTES)
    if len(content) > MAX_BYTES:
        raise UsageError("sheet-too-large", path=str(path), limit_mb=MAX_BYTES // 1_000_000)
    return sheet(content, str(path))


def sheet(content: bytes, name: str) -> Sheet:
    """A table from its bytes. Raises UsageError if they are in no encoding that is known, or hold no table."""
    text, encoding = _decoded(content, name)
    separator = _separator(text)
    rows = _rows(text, separator)
    if not any(cell.value.strip() for row in rows for cell in row):
        raise UsageError("sheet-unreadable", path=name)
    return Sheet(name, text, encoding, separator, rows)


def number(text: str) -> float | None:
    """The number in a cell, whichever sign stands before its decimals; None where there is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before one."""
    return f"'{text}" if FORMULA.match(text) else text


def written_table(rows: Sequence[Sequence[str]]) -> bytes:
    """A table of our own: UTF-8 with a byte order mark, without which Excel takes it for the system's old encoding; RFC 4180."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return codecs.BOM_UTF8 + text.getvalue().encode("utf-8", "backslashreplace")


def _decoded(content: bytes, name: str) -> tuple[str, str]:
    for encoding in ENCODINGS if not content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-16",):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-16" or text.encode(encoding) == content:
            return text, encoding
    raise UsageError("sheet-unreadable", path=name)


def _separator(text: str) -> str:
    """The one that parts the first line that has most of any; a title may hold a comma or two."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"(?:[^"]|"")*"', "", line)
    return max(SEPARATORS, key=bare.count)


def _rows(text: str, separator: str) -> tuple[tuple[Cell, ...], ...]:
    sign = re.escape(separator)
    cell = re.compile(rf'"(?P<quoted>(?:[^"]|"")*)(?:"|$)(?P<rest>[^{sign}\r\n]*)|(?P<plain>[^{sign}\r\n]*)')
    rows, row, at = [], list[Cell](), len(text) - len(text.lstrip("\ufeff"))
    while True:
        found = cell.match(text, at)
        assert found is not None  # an empty cell matches anywhere
        value = found["plain"]
        if value is None:
            value = found["quoted"].replace('""', '"') + found["rest"]
        row.append(Cell(value, found.start(), found.end()))
        at = found.end()
        if text.startswith(separator, at):
            at += 1
            continue
        rows.append(tuple(row))
        row = []
        at += 2 if text.startswith("\r\n", at) else 1
        if at >= len(text):
            return tuple(rows)
