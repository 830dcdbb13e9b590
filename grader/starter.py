"""The notebook that a learner starts from: its task text on top, the gaps to fill, and `%grade` at its end.

The gaps are those of a `starter.ipynb`, or are made from a reference that says by markers what the solution is.
"""

import shlex
from pathlib import Path

from grader.errors import CourseError, UsageError
from grader.exercise import Exercise
from grader.gaps import cells_with_gaps, is_marked
from grader.jupyter import nbformat
from grader.model import Language

# Cells of ours, by their ids.
TASK_CELL, LOAD_CELL, GRADE_CELL = "task", "load-grader", "grade"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def starter_notebook(exercise: Exercise, language: Language, course: str | None = None) -> str:
    """The notebook as JSON text; `course` is where `%grade` finds the exercise, if it is not one of grader's own.

    Raises CourseError if the task text, or what the gaps are made from, is missing or cannot be used.
    """
    code = nbformat.v4.new_code_cell
    notebook = _gaps(exercise)
    grade = "%grade" if course is None else f"%grade --course {shlex.quote(course)}"
    notebook.cells = [
        nbformat.v4.new_markdown_cell(_task(exercise, language), id=TASK_CELL),
        code("%load_ext grader", id=LOAD_CELL),
        *notebook.cells,
        code(grade, id=GRADE_CELL),
    ]
    notebook.metadata["grader"] = {"exercise": exercise.slug}
    return str(nbformat.writes(notebook))


def given_code(exercise: Exercise) -> list[str]:
    """The sources of the code cells that every learner is given; none where the exercise has no starter.

    Raises CourseError if what the gaps are made from cannot be used.
    """
    if not exercise.starter.exists() and not is_marked(_solution(exercise)):
        return []
    return [str(cell.source) for cell in _gaps(exercise).cells if cell.cell_type == "code"]


def write_new(path: Path, content: str) -> None:
    """Write a file that is not there yet. Raises UsageError if it is, or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError("file-exists", path=str(path)) from None
    except OSError as error:
        raise UsageError("file-not-written", path=str(path), reason=error.strerror or "") from None


def _task(exercise: Exercise, language: Language) -> str:
    try:
        return exercise.task(language)
    except (OSError, UnicodeDecodeError) as error:
        path = exercise.folder / f"task.{language}.md"
        raise CourseError("task-missing", path=str(path), reason=_reason(error)) from None


def _gaps(exercise: Exercise) -> nbformat.NotebookNode:
    """The notebook of the exercise's own, or the reference's."""
    reference, starter = str(exercise.reference), str(exercise.starter)
    solution = _solution(exercise)
    if exercise.starter.exists():
        if is_marked(solution):
            raise CourseError("starter-twice", starter=starter, reference=reference)
        return _own(exercise.starter, reference)
    if not is_marked(solution):
        raise CourseError("starter-missing", exercise=exercise.slug, starter=starter, reference=reference)
    new = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    parts = enumerate(cells_with_gaps(solution, reference), start=1)
    cells = [new[kind](source, id=f"cell-{number}") for number, (kind, source) in parts]
    return nbformat.v4.new_notebook(cells=cells, metadata=KERNEL)


def _solution(exercise: Exercise) -> str:
    """The text of the reference; none where there is no reference, which a starter does without."""
    try:
        return exercise.reference.read_text("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            "reference-unreadable", path=str(exercise.reference), reason=_reason(error)
        ) from None


def _own(path: Path, reference: str) -> nbformat.NotebookNode:
    try:
        notebook = nbformat.reads(path.read_text("utf-8"), as_version=4)
        nbformat.validate(notebook)
    # What is JSON and no notebook breaks nbformat's readers in any of the last three ways.
    except (OSError, ValueError, nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        reason = _reason(error)
        raise CourseError(
            "starter-unreadable", starter=str(path), reference=reference, reason=reason
        ) from None
    return notebook


def _reason(error: Exception) -> str:
    """What went wrong, in one line."""
    said = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return said.splitlines()[0][:200]
