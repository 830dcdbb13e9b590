"""Takes out of the gradebook what was known of somebody."""

from collections.abc import Set as AbstractSet

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from grader.gradebook.tables import Decision, HandIn, Push, Result


def student(session: Session, student: str, nobody: str) -> None:
    """Forget what a student handed in, and what was sent of them. That a score was decided on stays, of `nobody` and without a reason."""
    session.execute(delete(HandIn).where(HandIn.student == student))
    session.execute(delete(Push).where(Push.student == student))
    session.execute(update(Decision).where(Decision.student == student).values(student=nobody, reason=""))


def results(session: Session, hashes: AbstractSet[str]) -> None:
    """Forget the gradings of contents, but of those that somebody in a batch has handed in."""
    held = set(session.scalars(select(HandIn.sha256).where(HandIn.sha256.in_(hashes))))
    session.execute(delete(Result).where(Result.sha256.in_(hashes - held)))
