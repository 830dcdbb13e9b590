"""What takes the reports in: the screen, one text in which they stand together, or a folder with a file for each."""

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Protocol

from rich.console import Console

from grader.errors import UsageError
from grader.model import Report
from grader.report import terminal
from grader.report.discovery import TERMINAL, Format
from grader.report.document import Document
from grader.report.places import Place

UNUSUAL = re.compile(r"[^\w.()+-]+")
MAX_NAME_BYTES = 150


class Outlet(Protocol):
    """Takes reports, one after the other."""

    def put(self, document: Document, report: Report | None = None) -> None:
        """Write a report: its words, and what else there is to it."""

    def close(self) -> None:
        """Write what stands after the last, and close the file."""


class Screen:
    """A report for people, as it is shown to them."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def put(self, document: Document, report: Report | None = None) -> None:
        """Show a report."""
        del report
        with writing(None):
            terminal.show(document, self._console)

    def close(self) -> None:
        """Nothing is left to be done."""


class Text:
    """One text: a report, or several together."""

    def __init__(self, format: Format, path: Path | None, *, several: bool) -> None:
        """Begin it. Raises UsageError if its file cannot be written."""
        self._format, self._path, self._several = format, path, several
        with writing(path):
            self._file: IO[str] | None = None if path is None else _opened(path)
        self._print(format.head if several else "")

    def put(self, document: Document, report: Report | None = None) -> None:
        """Write a report."""
        self._print(self._format.part(document) if self._several else self._format.render(document, report))

    def close(self) -> None:
        """Write the end."""
        with writing(self._path), self._file or contextlib.nullcontext():
            self._print(self._format.tail if self._several else "")

    def _print(self, text: str) -> None:
        file = self._file or sys.stdout
        with writing(self._path):
            file.write(text)
            file.flush()


class Folder:
    """A file for each report, named after the submission."""

    def __init__(self, format: Format, folder: Path, spared: Sequence[Path]) -> None:
        """`spared` are files that are not written over."""
        self._format, self._folder, self._spared = format, folder, spared
        self._taken: set[str] = set()

    def put(self, document: Document, report: Report | None = None) -> None:
        """Write a report."""
        path = self._folder / self._name(document.submission.name)
        demand_other(path, self._spared)
        with writing(path), _opened(path) as file:
            file.write(self._format.render(document, report))

    def close(self) -> None:
        """Nothing is left to be done."""

    def _name(self, submission: str) -> str:
        """A name that every system can hold, and that no report before had."""
        stem = UNUSUAL.sub("_", submission.removesuffix(".ipynb").removesuffix(".py")).strip("._")
        stem = stem.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "submission"
        number, name = 1, stem
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.casefold())
        return name + self._format.suffix()


def outlet(place: Place, console: Console, spared: Sequence[Path], *, several: bool) -> Outlet:
    """What takes the reports in at a place. Raises UsageError if it cannot be written, or is one of the `spared` files."""
    if place.folder is not None:
        with writing(place.folder):
            place.folder.mkdir(parents=True, exist_ok=True)
    if place.file is not None:
        demand_other(place.file, spared)
        return Text(place.format, place.file, several=several)
    if place.folder is not None:
        return Folder(place.format, place.folder, spared)
    return Screen(console) if place.format.name == TERMINAL else Text(place.format, None, several=several)


def demand_other(path: Path, spared: Sequence[Path]) -> None:
    """Raise UsageError if a file is one of those that must not be written over."""
    if any(path.exists() and each.exists() and path.samefile(each) for each in spared):
        raise UsageError("file-exists", path=str(path))


@contextlib.contextmanager
def writing(path: Path | None) -> Iterator[None]:
    """Turn what hinders writing into a UsageError; None is the standard output."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads the pipe has seen enough
    except OSError as error:
        raise UsageError(
            "file-not-written", path=str(path or "stdout"), reason=error.strerror or ""
        ) from None


def _opened(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8")
