"""path → Submission: notebooks of any nbformat from 3 on, Python modules, and zip archives of both."""

import codecs
import hashlib
import itertools
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Literal, NamedTuple

import msgspec

from grader.archive import ARCHIVE_SUFFIX, OTHER_ARCHIVES, members
from grader.errors import UnreadableSubmission
from grader.files import read_file
from grader.model import Cell, Prose, Submission, Text
from grader.source import neutralise

MAX_BYTES = 25_000_000
# A parsed program takes hundreds of times its length in memory; a long notebook has 50 000 characters of code.
MAX_CODE = 1_000_000
BYTES_PER_CHARACTER = 4
MAX_CELLS = 2_000
# Of the text between the cells so much is kept.
MAX_PROSE = 100_000
# Commas and opening brackets in a notebook file: there are never more values in it.
MAX_VALUES = 2_000_000
MAX_NOTES = 100
MAX_EXERCISE_NAME = 100
NOTEBOOK_SUFFIX = ".ipynb"
MODULE_SUFFIX = ".py"

# Python knows more, of which some take quadratic time to decode.
ENCODINGS = {
    *("ascii", "utf-8", "utf-8-sig", "iso8859-1", "iso8859-15", "cp1250", "cp1251", "cp1252", "koi8-r"),
    *("gbk", "gb2312", "gb18030", "big5", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"),
}

# Cell marks of Jupytext, VS Code and Spyder, and those that `jupyter nbconvert --to script` leaves.
CELL_MARK = re.compile(r"^#\s*(?:%%+|In\s*\[[\d ]*\]:)")
TEXT_CELL = re.compile(r"\[(markdown|md|raw)\]", re.IGNORECASE)


class HandedIn(NamedTuple):
    """One submission of a file that may hold several, or why it cannot be read.

    `name` is what reports call it, `path` what messages do.
    """

    name: str
    path: str
    submission: Submission | UnreadableSubmission


def load(path: Path) -> Submission:
    """Read a notebook or module; nothing of it is run, and its saved outputs are dropped.

    Raises UnreadableSubmission with what is wrong and what to do.
    """
    if path.suffix.lower() in OTHER_ARCHIVES:
        raise UnreadableSubmission("archive-other-kind", path=str(path))
    content = read_file(path, MAX_BYTES)
    if len(content) > MAX_BYTES:
        raise UnreadableSubmission("file-too-large", path=str(path), limit_mb=MAX_BYTES // 1_000_000)
    return load_content(path.name, content, str(path))


def load_all(path: Path) -> Iterator[HandedIn]:
    """Read what a file holds: one notebook or module, or those of a zip archive, one at a time."""
    try:
        if path.suffix.lower() != ARCHIVE_SUFFIX:
            yield HandedIn(path.name, str(path), load(path))
            return
        for member, content in members(path, (NOTEBOOK_SUFFIX, MODULE_SUFFIX), MAX_BYTES):
            yield _handed_in(f"{path.name}/{member}", f"{path}/{member}", content)
    except UnreadableSubmission as error:
        yield HandedIn(path.name, str(path), error)


def _handed_in(name: str, path: str, content: bytes | UnreadableSubmission) -> HandedIn:
    if isinstance(content, UnreadableSubmission):
        return HandedIn(name, path, content)
    try:
        return HandedIn(name, path, load_content(name, content, path))
    except UnreadableSubmission as error:
        return HandedIn(name, path, error)


def load_content(name: str, content: bytes, path: str) -> Submission:
    """Read the bytes of a notebook or module, which its name tells apart; `path` is what messages call it."""
    suffix = PurePath(name).suffix.lower()
    exercise, prose = None, list[Prose]()
    if suffix == NOTEBOOK_SUFFIX:
        sources, prose, exercise = _notebook_cells(path, content)
    elif suffix == MODULE_SUFFIX:
        sources = _module_cells(path, content)
    else:
        raise UnreadableSubmission("file-neither-kind", path=path)
    if not sources:
        raise UnreadableSubmission("file-without-code", path=path)
    if len(sources) > MAX_CELLS or sum(map(len, sources)) > MAX_CODE:
        raise _too_much_code(path)
    return _submission(name, content, exercise, sources, prose)


def _too_much_code(path: str) -> UnreadableSubmission:
    return UnreadableSubmission("file-too-much-code", path=path, cells=MAX_CELLS, characters=MAX_CODE)


def _submission(
    name: str, content: bytes, exercise: str | None, sources: list[str], prose: list[Prose]
) -> Submission:
    original = tuple(Cell(number=n, source=source) for n, source in enumerate(sources, start=1))
    cells, notes = [], list[Text]()
    for cell in original:
        plain, said = neutralise(cell.source, cell.number)
        cells.append(Cell(number=cell.number, source=plain))
        notes.extend(said)
    return Submission(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        exercise=exercise,
        cells=tuple(cells),
        original=original,
        prose=tuple(prose),
        notes=tuple(notes[:MAX_NOTES]),
    )


# ---- notebooks ----------------------------------------------------------------------------------


class _Cell(msgspec.Struct):
    """A cell of a notebook file. Before nbformat 4 its code is called `input`."""

    cell_type: str = ""
    source: str | list[str] | None = None
    input: str | list[str] | None = None


class _Sheet(msgspec.Struct):
    """A worksheet, in which the cells stand before nbformat 4."""

    cells: list[_Cell]


class _Notebook(msgspec.Struct):
    """What is read of a notebook file; the rest is often missing or invalid, and is not needed."""

    nbformat: int
    cells: list[_Cell] | None = None
    worksheets: list[_Sheet] | None = None
    metadata: Any = None


def _notebook_cells(name: str, content: bytes) -> tuple[list[str], list[Prose], str | None]:
    notebook = _notebook(name, content)
    cells = notebook.cells or [cell for sheet in notebook.worksheets or () for cell in sheet.cells]
    sources, prose, room = list[str](), list[Prose](), MAX_PROSE
    for cell in cells:
        source = _clean("".join(cell.source or cell.input or ""))
        # A blank cell gets no prompt number in Jupyter either, so cell numbers agree with what learners see.
        if cell.cell_type == "code" and source.strip():
            sources.append(source)
        elif cell.cell_type == "markdown" and source.strip() and room > 0:
            prose.append(Prose(before=len(sources) + 1, source=source[:room]))
            room -= len(source)
    return sources, prose, _exercise_of(notebook.metadata)


def _notebook(name: str, content: bytes) -> _Notebook:
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise UnreadableSubmission("file-too-detailed", path=name, limit=MAX_VALUES)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise UnreadableSubmission("file-not-json", path=name) from None
    try:
        notebook = msgspec.convert(document, _Notebook)
    except (msgspec.ValidationError, RecursionError):
        raise UnreadableSubmission("file-no-notebook", path=name) from None
    if notebook.cells is None and notebook.worksheets is None:
        raise UnreadableSubmission("file-no-notebook", path=name)
    return notebook


def _exercise_of(metadata: object) -> str | None:
    grader = metadata.get("grader") if isinstance(metadata, dict) else None
    exercise = grader.get("exercise") if isinstance(grader, dict) else None
    return exercise[:MAX_EXERCISE_NAME] if isinstance(exercise, str) else None


# ---- modules ------------------------------------------------------------------------------------


class Part(NamedTuple):
    """A cell of a module: of what kind it is, its mark (none in front of the first one), and the lines below that.

    start: the number of the first of these lines.
    """

    kind: Literal["code", "markdown", "raw"]
    mark: str
    start: int
    lines: list[str]


def module_parts(text: str) -> list[Part]:
    """A module's text, split at its cell marks; what stands in front of the first one is a part as well."""
    lines = text.rstrip("\n").split("\n")
    marks = [index for index, line in enumerate(lines) if CELL_MARK.match(line)]
    parts = [Part("code", "", 1, lines[: marks[0] if marks else None])]
    for index, end in itertools.pairwise([*marks, len(lines)]):
        parts.append(Part(_kind(lines[index]), lines[index], index + 2, lines[index + 1 : end]))
    return parts


def _kind(mark: str) -> Literal["code", "markdown", "raw"]:
    match = TEXT_CELL.search(mark)
    if match is None:
        return "code"
    return "raw" if match[1].lower() == "raw" else "markdown"


def _module_cells(name: str, content: bytes) -> list[str]:
    if len(content) > BYTES_PER_CHARACTER * MAX_CODE:
        raise _too_much_code(name)
    head, *marked = module_parts(_clean(_decoded(name, content)))
    # Neither the comments that converters put on top nor an empty cell had a prompt number in Jupyter.
    cells = [head.lines] if any(line.strip() and not line.startswith("#") for line in head.lines) else []
    cells += [
        [part.mark, *part.lines]
        for part in marked
        if part.kind == "code" and any(line.strip() for line in part.lines)
    ]
    return ["\n".join(cell) for cell in cells]


def _decoded(name: str, content: bytes) -> str:
    """Decode as Python does: a BOM or the coding line of PEP 263, else UTF-8."""
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableSubmission("file-binary", path=name)
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        encoding, _ = tokenize.detect_encoding(iter(content.splitlines(keepends=True)).__next__)
        if codecs.lookup(encoding).name in ENCODINGS:
            return content.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        pass
    raise UnreadableSubmission("file-not-utf8", path=name)


def _clean(text: str) -> str:
    """Write line ends as newlines, and lone surrogates, which no message to a kernel can hold, as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
