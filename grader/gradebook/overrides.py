"""Scores that a person gave in place of the checks'. They belong to the student, not to a file, so they outlast it.

One that names a batch counts there alone, as in an assignment of the service; one that names none counts in every batch of the exercise.
"""

import math
from difflib import get_close_matches

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.batches import students
from grader.gradebook.results import max_score, now
from grader.gradebook.stored import storable
from grader.gradebook.tables import Decision
from grader.grades import Override


def put(  # noqa: PLR0913 - what an override is
    session: Session, exercise: str, student: str, score: float, reason: str, *, batch: int | None = None
) -> None:
    """Give a student a score. Raises UsageError for a student, a score or a reason that cannot be."""
    _require_known(session, exercise, student)
    if not reason.strip():
        raise UsageError("override-without-reason", student=student)
    most = max_score(session, exercise)
    if not math.isfinite(score) or score < 0:
        raise UsageError("override-below-zero", student=student, score=score)
    if most is not None and score > most:
        raise UsageError("override-above-most", student=student, score=score, most=most, exercise=exercise)
    row = Decision(
        exercise=exercise, student=student, score=score, reason=reason.strip(), when=now(), batch=batch
    )
    session.add(row)


def take_back(session: Session, exercise: str, student: str, *, batch: int | None = None) -> None:
    """Let the checks' score count again. Raises UsageError where no override is in force."""
    if storable(student) not in in_force(session, exercise, batch):
        _require_known(session, exercise, student)
        raise UsageError("override-none", student=student, exercise=exercise)
    row = Decision(exercise=exercise, student=student, score=None, reason="", when=now(), batch=batch)
    session.add(row)


def in_force(session: Session, exercise: str, batch: int | None = None) -> dict[str, Override]:
    """The overrides that count, by student: those that name this batch, and those that name none."""
    here = Decision.exercise == exercise, or_(Decision.batch.is_(None), Decision.batch == batch)
    newest = select(func.max(Decision.id)).where(*here).group_by(Decision.student)
    rows = session.scalars(select(Decision).where(Decision.id.in_(newest)))
    return {
        row.student: Override(score=row.score, reason=row.reason, when=row.when)
        for row in rows
        if row.score is not None
    }


def _require_known(session: Session, exercise: str, student: str) -> None:
    known = students(session, exercise)
    if storable(student) in known:
        return
    if not known:
        raise UsageError("batch-none", exercise=exercise)
    if near := _near(student, known):
        raise UsageError("student-unknown-near", student=student, exercise=exercise, near=", ".join(near))
    raise UsageError("student-unknown", student=student, exercise=exercise)


def _near(asked: str, known: dict[str, str]) -> list[str]:
    """Students whose id or name looks like what was asked for, each as "id" or "id (name)"."""
    called = {
        alias.casefold(): student for student, name in known.items() for alias in (student, name) if alias
    }
    found = dict.fromkeys(called[alias] for alias in get_close_matches(asked.casefold(), called))
    return [
        f"{student} ({known[student]})" if known[student] not in ("", student) else student
        for student in found
    ]
