"""Writes reports and messages where they go, with progress on a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markdown import Markdown
from rich.status import Status

from grader.errors import GraderError
from grader.exercise import Exercise
from grader.model import Language, Report, Text
from grader.report.document import word
from grader.report.escape import one_line
from grader.report.outlets import Screen, outlet
from grader.report.places import Place
from grader.text import say

PLAIN_WIDTH = 100


class Writer:
    """Writes each report to every place; a context that closes the files and clears its progress line."""

    def __init__(
        self, places: Sequence[Place], language: Language, *, several: bool, spared: Sequence[Path] = ()
    ) -> None:
        """Raises UsageError if a place cannot be written, or is one of the files that are to be `spared`.

        `draws` says whether any place shows the learner's figures.
        """
        self._language: Language = language
        self.draws = any(place.format.draws for place in places)
        console = screen()
        with contextlib.ExitStack() as opened:
            self._outlets = []
            for place in places:
                self._outlets.append(outlet(place, console, spared, several=several))
                opened.callback(self._outlets[-1].close)
            self._ends = opened.pop_all()
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
        """Clear the progress line and close the files."""
        self._pause()
        self._ends.close()

    def progress(self, cell: int, cells: int) -> None:
        """Say which cell is running."""
        if self._status is not None:
            self._status.update(say("progress-cell", self._language, {"cell": cell, "cells": cells}))
            self._status.start()

    def report(self, report: Report, exercise: Exercise | None) -> None:
        """Write a report."""
        document = word(report, exercise, self._language)
        self._pause()
        for each in self._outlets:
            each.put(document, report)

    def failed(self, report: Report) -> None:
        """Write a report on a file that could not be graded, where one report per file is awaited."""
        document = word(report, None, self._language)
        self._pause()
        for each in self._outlets:
            if not isinstance(each, Screen):  # a person there has read why on the error channel
                each.put(document, report)

    def problem(self, error: GraderError) -> None:
        """Say on the error channel what is wrong."""
        self._pause()
        complain(error, self._language)

    def tell(self, text: Text) -> None:
        """Say on the error channel what happens now."""
        self._pause()
        say_aside(text, self._language)

    def _pause(self) -> None:
        """Clear the progress line, in the middle of which the next text would begin."""
        if self._status is not None:
            self._status.stop()


def screen() -> Console:
    """Where text for people goes: the standard output."""
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, soft_wrap=False)


@contextlib.contextmanager
def counting(language: Language) -> Iterator[Callable[[int, int], None]]:
    """Say on the error channel, if that is a terminal, how far a self-test is."""
    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield lambda done, of: None
        return
    with errors.status(say("progress-start", language)) as status:
        yield lambda done, of: status.update(say("progress-selftest", language, {"done": done, "of": of}))


def complain(error: GraderError, language: Language) -> None:
    """Say on the error channel, in one line, what is wrong."""
    text = one_line(say(error.text, language, error.params))
    Console(stderr=True).print(text, style="red", markup=False, highlight=False, emoji=False, soft_wrap=True)


def say_aside(text: Text, language: Language, errors: Console | None = None) -> None:
    """Say on the error channel, in one line, what happens; by the console that is drawing there, if one is."""
    words = one_line(say(text.id, language, text.params))
    console = errors or Console(stderr=True)
    console.print(words, style="dim", markup=False, highlight=False, emoji=False, soft_wrap=True)


def show_markdown(text: str) -> None:
    """Print our own Markdown: laid out on a screen, as it is into a pipe."""
    if sys.stdout.isatty():
        screen().print(Markdown(text))
    else:
        sys.stdout.write(text)
