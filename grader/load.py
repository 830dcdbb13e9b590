"""path → Submission: notebooks of any nbformat from 3 on, and Python modules."""

import codecs
import hashlib
import itertools
import json
import re
import tokenize
from pathlib import Path
from typing import Any

import msgspec

from grader.errors import UnreadableSubmission
from grader.model import Cell, Submission, Text
from grader.source import neutralise

MAX_BYTES = 25_000_000
NOTEBOOK_SUFFIX = ".ipynb"
MODULE_SUFFIX = ".py"

# Cell marks of Jupytext, VS Code and Spyder, and those that `jupyter nbconvert --to script` leaves.
CELL_MARK = re.compile(r"^#\s*(?:%%+|In\s*\[[\d ]*\]:)")
TEXT_CELL = re.compile(r"\[(markdown|md|raw)\]", re.IGNORECASE)


def load(path: Path) -> Submission:
    """Read a submission; nothing of it is run, and its saved outputs are dropped.

    Raises UnreadableSubmission with what is wrong and what to do.
    """
    content = _read(path)
    name = str(path)
    if path.suffix.lower() == NOTEBOOK_SUFFIX:
        sources, exercise = _notebook_cells(name, content)
    elif path.suffix.lower() == MODULE_SUFFIX:
        sources, exercise = _module_cells(name, content), None
    else:
        raise UnreadableSubmission("file-neither-kind", path=name)
    if not sources:
        raise UnreadableSubmission("file-without-code", path=name)
    return _submission(path.name, content, exercise, sources)


def _submission(name: str, content: bytes, exercise: str | None, sources: list[str]) -> Submission:
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
        notes=tuple(notes),
    )


def _read(path: Path) -> bytes:
    name = str(path)
    try:
        if path.is_dir():
            raise UnreadableSubmission("file-is-folder", path=name)
        if not path.exists():
            raise UnreadableSubmission("file-missing", path=name)
        if not path.is_file():
            raise UnreadableSubmission("file-not-regular", path=name)
        if path.stat().st_size > MAX_BYTES:
            raise UnreadableSubmission("file-too-large", path=name, limit_mb=MAX_BYTES // 1_000_000)
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableSubmission("file-unreadable", path=name, reason=error.strerror or "") from None
    if not content.strip():
        raise UnreadableSubmission("file-empty", path=name)
    return content


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


def _notebook_cells(name: str, content: bytes) -> tuple[list[str], str | None]:
    notebook = _notebook(name, content)
    cells = notebook.cells or [cell for sheet in notebook.worksheets or () for cell in sheet.cells]
    written = [cell.source or cell.input or "" for cell in cells if cell.cell_type == "code"]
    sources = [_clean("".join(lines)) for lines in written]
    # A blank cell gets no prompt number in Jupyter either, so cell numbers agree with what learners see.
    return [source for source in sources if source.strip()], _exercise_of(notebook.metadata)


def _notebook(name: str, content: bytes) -> _Notebook:
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
    return exercise if isinstance(exercise, str) else None


# ---- modules ------------------------------------------------------------------------------------


def _module_cells(name: str, content: bytes) -> list[str]:
    lines = _clean(_decoded(name, content)).rstrip("\n").split("\n")
    marks = [index for index, line in enumerate(lines) if CELL_MARK.match(line)]
    head, *marked = [lines[start:end] for start, end in itertools.pairwise([0, *marks, len(lines)])]
    # Neither the comments that converters put on top nor an empty cell had a prompt number in Jupyter.
    cells = [head] if any(line.strip() and not line.startswith("#") for line in head) else []
    cells += [cell for cell in marked if not _is_text(cell[0]) and any(line.strip() for line in cell[1:])]
    return ["\n".join(cell) for cell in cells]


def _is_text(mark: str) -> bool:
    return TEXT_CELL.search(mark) is not None


def _decoded(name: str, content: bytes) -> str:
    """Decode as Python does: a BOM or the coding line of PEP 263, else UTF-8."""
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableSubmission("file-binary", path=name)
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        encoding, _ = tokenize.detect_encoding(iter(content.splitlines(keepends=True)).__next__)
        return content.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        raise UnreadableSubmission("file-not-utf8", path=name) from None


def _clean(text: str) -> str:
    """Write line ends as newlines, and lone surrogates, which no message to a kernel can hold, as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
