"""Courses and what they ask for."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook import batches
from grader.gradebook.results import now
from grader.web.store import deliveries
from grader.web.store.codes import as_typed, digest, new_code
from grader.web.store.records import Asked
from grader.web.store.tables import Assignment, Course


def add(session: Session, code: str, title: str) -> str:
    """Add a course; the code for its teachers, which is stored nowhere. Raises UsageError where the code is taken or empty."""
    if not (typed := as_typed(code)):
        raise UsageError("course-code-empty")
    if session.scalar(select(Course).where(Course.code == typed)) is not None:
        raise UsageError("course-code-taken", code=typed)
    secret = new_code()
    session.add(Course(code=typed, title=title, teacher=digest("teacher", secret), created=now()))
    session.flush()
    return secret


def renew_teacher_code(session: Session, code: str) -> str:
    """A new code for a course's teachers; the one before is worth nothing any more. Raises UsageError for an unknown course."""
    secret = new_code()
    by_code(session, code).teacher = digest("teacher", secret)
    return secret


def assign(  # noqa: PLR0913 - what an assignment is
    session: Session,
    code: str,
    exercise: str,
    *,
    points: float | None,
    deadline: str | None,
    most: int | None,
    link: str = "",
    title: str = "",
) -> Asked:
    """Have a course ask for an exercise, or change how it does. Raises UsageError for an unknown course.

    link: by which link of its platform, each of which asks by itself; title: what that is called, where empty what it was called before.
    Where full marks are worth something else from now on, the scores that count go to the gradebooks elsewhere once more.
    """
    course = by_code(session, code)
    same = Assignment.course == course.id, Assignment.exercise == exercise, Assignment.link == link
    row = session.scalar(select(Assignment).where(*same))
    if row is None:
        batch = batches.begin(session, exercise, f"course {course.code}")
        row = Assignment(course=course.id, exercise=exercise, batch=batch, link=link, title="")
        session.add(row)
    rescaled = row.points != points
    row.points, row.deadline, row.most, row.title = points, deadline, most, title or row.title
    session.flush()
    if rescaled:
        deliveries.rescale(session, row.id)
    return asked(row)


def by_code(session: Session, code: str) -> Course:
    """A course by the code of its learners. Raises UsageError for an unknown one."""
    row = session.scalar(select(Course).where(Course.code == as_typed(code)))
    if row is None:
        known = session.scalars(select(Course.code).order_by(Course.id)).all()
        raise UsageError("course-unknown", code=code, known=", ".join(known) or "–")
    return row


def asks(session: Session, code: str, exercise: str, number: int | None = None) -> Asked:
    """What a course asks for, by exercise, and by number where it asks for that more than once. Raises UsageError where it does not."""
    course = by_code(session, code)
    all = assignments(session, course.id)
    same = [one for one in all if one.exercise == exercise]
    if not same:
        known = ", ".join(dict.fromkeys(one.exercise for one in all)) or "–"
        raise UsageError("course-asks-not", code=course.code, exercise=exercise, known=known)
    found = [one for one in same if number in {None, one.id}]
    if len(found) != 1:
        known = ", ".join(f"{one.id} ({one.title or '–'})" for one in same)
        raise UsageError("course-asks-several", code=course.code, exercise=exercise, known=known)
    return found[0]


def listed(session: Session) -> list[tuple[str, str, list[Asked]]]:
    """Every course: its code, its title, and what it asks for."""
    courses = session.scalars(select(Course).order_by(Course.id)).all()
    return [(course.code, course.title, assignments(session, course.id)) for course in courses]


def assignments(session: Session, course: int) -> list[Asked]:
    """What a course asks for, in the order in which it was added."""
    rows: Sequence[Assignment] = session.scalars(
        select(Assignment).where(Assignment.course == course).order_by(Assignment.id)
    ).all()
    return [asked(row) for row in rows]


def assignment(session: Session, course: int, number: int) -> Asked | None:
    """An assignment of a course; None where it has none of that number."""
    row = session.get(Assignment, number)
    return asked(row) if row is not None and row.course == course else None


def asked(row: Assignment) -> Asked:
    """An assignment as a record."""
    return Asked(
        id=row.id,
        course=row.course,
        exercise=row.exercise,
        points=row.points,
        deadline=row.deadline,
        most=row.most,
        batch=row.batch,
        title=row.title,
    )


def moment(text: str) -> str:
    """A time as it is stored, ISO 8601 in UTC; one that names no zone is in this machine's. Raises UsageError for what is none."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):
        raise UsageError("deadline-malformed", text=text) from None
