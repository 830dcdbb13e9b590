"""Where reports and messages go: the screen or a file, one format at a time, with progress on a terminal."""

import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.status import Status

from grader.errors import GraderError, UsageError
from grader.exercise import Exercise
from grader.model import Language, Report
from grader.report import json, terminal
from grader.report.document import word
from grader.report.escape import visible
from grader.text import say

PLAIN_WIDTH = 100


class Writer:
    """Writes reports in one format; a context that closes its file and clears its progress line."""

    def __init__(self, format: str, output: Path | None, language: Language, *, several: bool) -> None:
        """Raises UsageError if the output file cannot be written."""
        self._format = format
        self._language: Language = language
        self._several = several
        self._file: IO[str] | None = None
        if output is not None:
            try:
                self._file = output.open("w", encoding="utf-8")
            except OSError as error:
                raise UsageError("file-not-written", path=str(output), reason=error.strerror or "") from None
        target = self._file or sys.stdout
        width = None if target.isatty() else PLAIN_WIDTH
        self._console = Console(file=target, width=width, highlight=False, soft_wrap=False)
        self._errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PLAIN_WIDTH)
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
        if self._status is not None:
            self._status.stop()
        if self._file is not None:
            self._file.close()

    def progress(self, cell: int, cells: int) -> None:
        """Say which cell is running."""
        if self._status is not None:
            self._status.update(say("progress-cell", self._language, {"cell": cell, "cells": cells}))

    def report(self, report: Report, exercise: Exercise | None) -> None:
        """Write a report."""
        document = word(report, exercise, self._language)
        if self._format == "json":
            self._print_plain(json.render(document, one_line=self._several))
        else:
            terminal.show(document, self._console)

    def failed(self, report: Report) -> None:
        """Write a report on a file that could not be graded, where a program reads one report per file."""
        if self._format == "json":
            self.report(report, None)

    def problem(self, error: GraderError) -> None:
        """Say on the error channel what is wrong."""
        self._errors.print(visible(say(error.text, self._language, dict(error.params))), markup=False, style="red")

    def _print_plain(self, text: str) -> None:
        print(text, file=self._file or sys.stdout, flush=True)  # noqa: T201 - machine-readable output
