"""What the service knows a grading by."""

from grader import __version__
from grader.conditions import conditions
from grader.exercise import Exercise
from grader.gradebook.records import Identity
from grader.settings import Settings


def identified(sha256: str, exercise: Exercise, settings: Settings) -> Identity:
    """By what a content's grading under today's conditions is known; see `grader.conditions`. Raises CourseError."""
    return Identity(
        sha256=sha256,
        exercise=exercise.slug,
        exercise_version=exercise.manifest.version,
        grader_version=__version__,
        seed=settings.seed,
        conditions=conditions(exercise, settings),
    )
