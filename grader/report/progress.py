"""How far a round is: a bar on a terminal, a line now and then into a pipe."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader.model import Language, Text
from grader.report.writer import say_aside
from grader.round import Tally
from grader.text import say

# Into a pipe a line is written at most so often, and at the end.
LINE_SECONDS = 10.0


class Told(NamedTuple):
    """What shows how far a round is. tell: hears it; aside: says something else, on a line of its own."""

    tell: Callable[[Tally], None]
    aside: Callable[[Text], None]


@contextmanager
def progress(students: int, language: Language) -> Iterator[Told]:
    """Show on the error channel what is told."""
    errors = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not errors.is_terminal:
        lines = _Lines(errors, language)
        yield Told(lines.tell, lambda text: say_aside(text, language, errors))
        lines.close()
        return
    words = TextColumn("{task.fields[rate]}  {task.fields[words]}")
    with Progress(
        BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), words, console=errors, transient=True
    ) as bar:
        task = bar.add_task("", total=students, rate="", words="")
        began = time.monotonic()

        def tell(tally: Tally) -> None:
            rate = say("round-rate", language, {"rate": _rate(tally, began)})
            bar.update(task, completed=tally.done, rate=rate, words=tallied(tally, language))

        yield Told(tell, lambda text: say_aside(text, language, errors))


class _Lines:
    """Writes a line when the last one is old enough."""

    def __init__(self, errors: Console, language: Language) -> None:
        self._errors, self._language = errors, language
        self._began = self._written = time.monotonic()
        self._untold: Tally | None = None

    def tell(self, tally: Tally) -> None:
        """Note how far it is, and say it now and then."""
        self._untold = tally
        if time.monotonic() - self._written >= LINE_SECONDS:
            self.close()

    def close(self) -> None:
        """Say what has not been said."""
        if (tally := self._untold) is not None:
            params = {"done": tally.done, "of": tally.students, "rate": _rate(tally, self._began)}
            line = say("round-line", self._language, params | {"tally": tallied(tally, self._language)})
            self._errors.print(line, soft_wrap=True)
            self._written, self._untold = time.monotonic(), None


def tallied(tally: Tally, language: Language) -> str:
    """The counts that are not zero, in words."""
    counts = {
        "round-full": tally.full,
        "round-less": tally.less,
        "round-review": tally.review,
        "round-unreadable": tally.unreadable,
        "round-ungradable": tally.ungradable,
        "round-known": tally.known,
    }
    return " · ".join(say(id, language, {"count": count}) for id, count in counts.items() if count)


def _rate(tally: Tally, began: float) -> int:
    """Submissions a minute, without those that were known."""
    return round(60 * (tally.done - tally.known) / max(time.monotonic() - began, 1e-9))
