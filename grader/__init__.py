"""An autograder for PyTorch gradient descent that says why a submission fails.

In a notebook, `%load_ext grader` brings the magic `%grade`; `check()` does the same without it, and
`diagnose_here()` is for test cells of other graders.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a command line needs nothing of a notebook's
    from grader.notebook.command import Shown

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext grader`: bring `%grade` into a notebook."""
    from grader.notebook.magic import grading_in  # noqa: PLC0415

    grading_in(shell)


def check(
    exercise: str | None = None, language: str | None = None, course: str | None = None
) -> "Shown | None":
    """Grade the notebook that is being worked on, as `%grade` does."""
    from IPython.core.getipython import get_ipython  # noqa: PLC0415

    from grader.errors import UsageError  # noqa: PLC0415
    from grader.notebook.magic import grading_in  # noqa: PLC0415

    shell = get_ipython()
    if shell is None:
        raise UsageError("notebook-unknown")
    return grading_in(shell).show(exercise, language, course)


def diagnose_here(
    exercise: str | None = None, language: str | None = None, course: str | None = None
) -> "Shown":
    """Name the mistakes in the cells that this notebook has run so far."""
    from grader.notebook import here  # noqa: PLC0415

    return here.diagnose_here(exercise, language, course)
