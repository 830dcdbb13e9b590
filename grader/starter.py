"""The notebook that a learner starts from: the exercise's starter with its task text on top, and `%grade` at its end."""

import json

import nbformat

from grader.errors import CourseError
from grader.exercise import Exercise
from grader.model import Language

# Cells of ours, by their ids.
TASK_CELL, LOAD_CELL, GRADE_CELL = "task", "load-grader", "grade"


def starter_notebook(exercise: Exercise, language: Language) -> str:
    """The notebook as JSON text. Raises CourseError if the exercise has no valid starter."""
    try:
        notebook = nbformat.reads(exercise.starter.read_text("utf-8"), as_version=4)
        task = exercise.task(language)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, nbformat.ValidationError) as error:
        raise CourseError("starter-missing", exercise=exercise.slug, reason=str(error)) from None
    code = nbformat.v4.new_code_cell
    notebook.cells = [
        nbformat.v4.new_markdown_cell(task, id=TASK_CELL),
        code("%load_ext grader", id=LOAD_CELL),
        *notebook.cells,
        code("%grade", id=GRADE_CELL),
    ]
    notebook.metadata["grader"] = {"exercise": exercise.slug}
    return str(nbformat.writes(notebook))
