"""What is filled into a platform's own table: an exercise, by what it may be called there."""

from collections.abc import Sequence

from grader.exercise import Exercise
from grader.grades import Grade
from grader.lms.filling import Task
from grader.model import Language
from grader.outcome.standing import max_score


def task_of(grades: Sequence[Grade], exercise: Exercise, language: Language, column: str | None) -> Task:
    """The task. column: the one that a teacher named, by its title or number."""
    title = exercise.manifest.title
    return Task(
        exercise=exercise.slug,
        titles=(title[language], *title.values(), exercise.slug),  # type: ignore[arg-type]
        max_score=max_score(grades),
        language=language,
        column=column,
    )
