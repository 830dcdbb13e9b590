"""Diagnoses the notebook that is running, for test cells of other graders: nbgrader's, otter's, or one's own."""

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

from IPython.core.getipython import get_ipython

from grader.errors import UsageError
from grader.jupyter import nbformat
from grader.notebook.command import Shown, run
from grader.report.escape import one_line
from grader.text import say, spoken_in

NAME = "notebook.ipynb"
# The cells that otter puts into a notebook while it grades: its first, its folder, and its checks.
OTTER_BEGINS = re.compile(r"from otter import Notebook as \w+\n")
OTTERS = re.compile(rf'{OTTER_BEGINS.pattern}|import sys\nsys\.path\.append\(r"|\w+\(\)\.check\("')


def diagnose_here(
    exercise: str | None = None, language: str | None = None, course: str | None = None
) -> Shown:
    """Name the mistakes in all cells that this kernel has run before the one that calls this.

    With an exercise, its checks are run as well, so that mends are proven by points. Raises UsageError outside of a notebook; what
    else stands in the way is shown instead, with an empty report: it must not cost the points of the test cell that asks.
    """
    shell: Any = get_ipython()
    if shell is None:
        raise UsageError("notebook-unknown")
    try:
        return _diagnosed(tuple(_cells(shell)), exercise, language, course)
    except UsageError as error:
        words = one_line(say(error.text, spoken_in(language), error.params))
        return Shown(f"<pre>{escape(words)}</pre>", words, {})


# Several test cases of one cell ask the same.
@lru_cache(maxsize=1)
def _diagnosed(
    cells: tuple[str, ...], exercise: str | None, language: str | None, course: str | None
) -> Shown:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    text = str(nbformat.writes(notebook))
    return run("diagnose" if exercise is None else "check", NAME, text, exercise, language, course)


def _cells(shell: Any) -> Iterable[str]:
    """What was run, in its order; the cell that runs is the last, where it is kept at all."""
    *before, last = shell.history_manager.input_hist_raw
    parent: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    kept = parent.get("content", {}).get("store_history", True)
    cells = [source for source in (before if kept else [*before, last]) if source.strip()]
    if any(map(OTTER_BEGINS.match, cells)):
        return (source for source in cells if not OTTERS.match(source))
    return cells
