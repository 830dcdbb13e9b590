"""Where reports and messages go: the screen or a file, one format at a time, with progress on a terminal."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.markdown import Markdown
from rich.status import Status

from grader.errors import GraderError, UsageError
from grader.exercise import Exercise
from grader.model import Language, Report
from grader.report import json, terminal
from grader.report.document import word
from grader.report.escape import one_line
from grader.text import say

PLAIN_WIDTH = 100


class Writer:
    """Writes reports in one format; a context that closes its file and clears its progress line."""

    def __init__(self, format: str, output: Path | None, language: Language, *, several: bool) -> None:
        """Raises UsageError if the output file cannot be written."""
        self._format = format
        self._language: Language = language
        self._several = several
        self._output = output
        self._file: IO[str] | None = None
        if output is not None:
            try:
                self._file = output.open("w", encoding="utf-8")
            except OSError as error:
                raise _not_written(output, error) from None
        self._console = screen(self._file)
        self._errors = Console(stderr=True)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        """Show that work has begun, on a terminal."""
        if self._errors.is_terminal:
            self._status = self._errors.status(say("progress-start", self._language))
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Clear the progress line and close the file."""
        self._pause()
        if self._file is not None:
            with self._writing():
                self._file.close()

    def progress(self, cell: int, cells: int) -> None:
        """Say which cell is running."""
        if self._status is not None:
            self._status.update(say("progress-cell", self._language, {"cell": cell, "cells": cells}))
            self._status.start()

    def report(self, report: Report, exercise: Exercise | None) -> None:
        """Write a report."""
        document = word(report, exercise, self._language)
        with self._writing():
            if self._format == "json":
                self._print_plain(json.render(document, one_line=self._several))
            elif self._format == "html":
                from grader.report import html  # noqa: PLC0415 - it imports matplotlib

                self._print_plain(html.render(document, report.pictures, report.notebook))
            else:
                terminal.show(document, self._console)

    def failed(self, report: Report) -> None:
        """Write a report on a file that could not be graded, where a program reads one report per file."""
        if self._format == "json":
            self.report(report, None)

    def problem(self, error: GraderError) -> None:
        """Say on the error channel what is wrong."""
        self._pause()
        complain(error, self._language)

    def _pause(self) -> None:
        """Clear the progress line, in the middle of which the next text would begin."""
        if self._status is not None:
            self._status.stop()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._pause()
        try:
            yield
        except BrokenPipeError:
            raise  # whoever reads the pipe has seen enough
        except OSError as error:
            raise _not_written(self._output or Path("stdout"), error) from None

    def _print_plain(self, text: str) -> None:
        print(text, file=self._file or sys.stdout, flush=True)


def screen(file: IO[str] | None = None) -> Console:
    """Where text for people goes: a file, or the standard output."""
    target = file or sys.stdout
    width = None if target.isatty() else PLAIN_WIDTH
    return Console(file=target, width=width, highlight=False, soft_wrap=False)


def complain(error: GraderError, language: Language) -> None:
    """Say on the error channel, in one line, what is wrong."""
    text = one_line(say(error.text, language, error.params))
    Console(stderr=True).print(text, style="red", markup=False, highlight=False, emoji=False, soft_wrap=True)


def _not_written(path: Path, error: OSError) -> UsageError:
    return UsageError("file-not-written", path=str(path), reason=error.strerror or "")


def show_markdown(text: str) -> None:
    """Print our own Markdown: laid out on a screen, as it is into a pipe."""
    if sys.stdout.isatty():
        screen().print(Markdown(text))
    else:
        sys.stdout.write(text)
