"""Diagnoses the notebook that is running, for test cells of other graders: nbgrader's, otter's, or one's own."""

from typing import Any

import nbformat
from IPython.core.getipython import get_ipython

from grader.errors import UsageError
from grader.notebook.command import Shown, run

NAME = "notebook.ipynb"


def diagnose_here(
    exercise: str | None = None, language: str | None = None, course: str | None = None
) -> Shown:
    """Name the mistakes in all cells that this kernel has run before the one that calls this.

    With an exercise, its checks are run as well, so that mends are proven by points. Raises UsageError outside of a notebook.
    """
    shell: Any = get_ipython()
    if shell is None:
        raise UsageError("notebook-unknown")
    cells = [
        nbformat.v4.new_code_cell(source)
        for source in shell.history_manager.input_hist_raw[1:-1]
        if source.strip()
    ]
    text = str(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    return run("diagnose" if exercise is None else "check", NAME, text, exercise, language, course)
