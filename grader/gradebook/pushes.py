"""What was sent to learning platforms, so that no grade is sent twice."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.gradebook.records import Pushed
from grader.gradebook.results import now
from grader.gradebook.stored import storable
from grader.gradebook.tables import Push


def pushed(session: Session, exercise: str, place: str) -> dict[str, Pushed]:
    """The last that was sent of each student to a place."""
    same = Push.exercise == exercise, Push.place == storable(place)
    newest = select(func.max(Push.id)).where(*same).group_by(Push.student)
    rows = session.scalars(select(Push).where(Push.id.in_(newest)))
    return {row.student: _record(row) for row in rows}


def begin(session: Session, exercise: str, place: str, push: Pushed) -> int:
    """Note that a grade is about to be sent; the number of the note."""
    row = Push(
        exercise=exercise,
        place=place,
        student=push.student,
        person=push.person,
        points=push.points,
        says=push.says,
        delivered=False,
        when=now(),
    )
    session.add(row)
    session.flush()
    return row.id


def arrived(session: Session, number: int) -> None:
    """Note that the platform has it."""
    session.get_one(Push, number).delivered = True


def _record(row: Push) -> Pushed:
    return Pushed(
        student=row.student, person=row.person, points=row.points, says=row.says, delivered=row.delivered
    )
