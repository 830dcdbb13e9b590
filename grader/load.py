"""path → Submission: notebooks of any nbformat from 3 on, and Python modules."""

import codecs
import hashlib
import io
import json
import re
import tokenize
import warnings
from pathlib import Path
from typing import Any

import nbformat

from grader.errors import UnreadableSubmission
from grader.model import Cell, Submission, Text
from grader.source import neutralise

MAX_BYTES = 25_000_000
NOTEBOOK_SUFFIX = ".ipynb"
MODULE_SUFFIX = ".py"

# Cell marks of Jupytext, VS Code and Spyder, and those that `jupyter nbconvert --to script` leaves.
CELL_MARK = re.compile(r"^#\s*(?:%%+|In\s*\[[\d ]*\]:)(?P<rest>.*)$")
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


def _notebook_cells(name: str, content: bytes) -> tuple[list[str], str | None]:
    document = _json_object(name, content)
    if not isinstance(document.get("nbformat"), int) or not ("cells" in document or "worksheets" in document):
        raise UnreadableSubmission("file-no-notebook", path=name)
    _repair(document)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each thing nbformat warns of here, it also mends
            notebook = nbformat.from_dict(document)  # type: ignore[no-untyped-call]
            notebook = nbformat.convert(notebook, to_version=4)  # type: ignore[no-untyped-call]
        sources = [_joined(cell["source"]) for cell in notebook["cells"] if cell.get("cell_type") == "code"]
    except (AttributeError, KeyError, TypeError, ValueError, nbformat.ValidationError):
        # nbformat's converters trust the layout of what they convert.
        raise UnreadableSubmission("file-no-notebook", path=name) from None
    # A blank cell gets no prompt number in Jupyter either, so cell numbers agree with what learners see.
    return [source for source in sources if source.strip()], _exercise_of(notebook.get("metadata", {}))


def _json_object(name: str, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise UnreadableSubmission("file-not-json", path=name) from None
    if not isinstance(document, dict):
        raise UnreadableSubmission("file-no-notebook", path=name)
    return document


def _repair(document: dict[str, Any]) -> None:
    """Fill in what hand-edited and converted notebooks lack, so that the upgrade finds what it expects."""
    if not isinstance(document.get("metadata"), dict):
        document["metadata"] = {}
    document.setdefault("nbformat_minor", 0)
    for sheet in document.get("worksheets", [document]):
        for cell in sheet.get("cells", []) if isinstance(sheet, dict) else []:
            if not isinstance(cell, dict):
                continue
            if not isinstance(cell.get("metadata"), dict):
                cell["metadata"] = {}
            cell["outputs"] = []
            if cell.get("cell_type") == "code":
                cell.setdefault("input" if "worksheets" in document else "source", "")
            else:
                cell.setdefault("source", "")


def _joined(source: str | list[str]) -> str:
    text = source if isinstance(source, str) else "".join(source)
    return _unix_lines(text)


def _exercise_of(metadata: dict[str, Any]) -> str | None:
    grader = metadata.get("grader")
    exercise = grader.get("exercise") if isinstance(grader, dict) else None
    return exercise if isinstance(exercise, str) else None


# ---- modules ------------------------------------------------------------------------------------


def _module_cells(name: str, content: bytes) -> list[str]:
    lines = _unix_lines(_decoded(name, content)).rstrip("\n").split("\n")
    cells: list[list[str]] = [[]]
    keep = [True]
    for line in lines:
        if mark := CELL_MARK.match(line):
            cells.append([line])
            keep.append(not TEXT_CELL.search(mark["rest"]))
        else:
            cells[-1].append(line)
    sources = ["\n".join(cell) for cell, kept in zip(cells, keep, strict=True) if kept]
    return [source for source in sources if source.strip()]


def _decoded(name: str, content: bytes) -> str:
    """Decode as Python does: a BOM or the coding line of PEP 263, else UTF-8."""
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableSubmission("file-binary", path=name)
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        raise UnreadableSubmission("file-not-utf8", path=name) from None


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
