"""What was handed in, and what became of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.results import now, report_of
from grader.gradebook.stored import text_from
from grader.gradebook.tables import Result
from grader.model import Report, Text
from grader.web.store.records import Asked, Tried
from grader.web.store.tables import Assignment, Attempt, Job, Person
from grader.web.store.teaching import Review

WAITING, GRADED, UNGRADABLE, UNREADABLE = "waiting", "graded", "ungradable", "unreadable"
# What the grader could not do is nobody's attempt.
COUNTED = (WAITING, GRADED)


def closed(session: Session, asked: Asked, person: int) -> Text | None:
    """Why somebody cannot hand in any more; None where they can."""
    if asked.deadline is not None and now() > asked.deadline:
        return Text(id="web-deadline-over", params={"deadline": asked.deadline[:16].replace("T", " ")})
    if asked.most is not None and counted(session, asked.id, person) >= asked.most:
        return Text(id="web-attempts-used", params={"most": asked.most})
    return None


def counted(session: Session, assignment: int, person: int) -> int:
    """How many attempts count towards the limit: those that could not be graded do not."""
    own = select(func.count()).where(
        Attempt.assignment == assignment, Attempt.person == person, Attempt.state.in_(COUNTED)
    )
    return session.scalar(own) or 0


def receive(session: Session, asked: Asked, person: int, sha256: str, file: str) -> int | Text:
    """Take a file that is stored already, and queue it: the attempt's number, or why it is not taken.

    The same file that still waits is the same attempt: a button was pressed twice.
    """
    if session.get(Person, person, with_for_update=True) is None:  # forgotten meanwhile
        return Text(id="web-sign-in-first")
    waiting = select(Attempt.id).where(
        Attempt.assignment == asked.id,
        Attempt.person == person,
        Attempt.sha256 == sha256,
        Attempt.state == WAITING,
    )
    if (same := session.scalar(waiting)) is not None:
        return same
    if (reason := closed(session, asked, person)) is not None:
        return reason
    last = session.scalar(
        select(func.max(Attempt.number)).where(Attempt.assignment == asked.id, Attempt.person == person)
    )
    row = Attempt(
        assignment=asked.id,
        person=person,
        number=(last or 0) + 1,
        sha256=sha256,
        file=file,
        received=now(),
        state=WAITING,
        review=False,
    )
    session.add(row)
    session.flush()
    session.add(Job(attempt=row.id, state="queued", tries=0))
    return row.id


def of_person(session: Session, assignment: int, person: int) -> list[Tried]:
    """Somebody's attempts at an assignment, the newest first."""
    mine = _joined().where(Attempt.assignment == assignment, Attempt.person == person)
    return [_tried(row) for row in session.execute(mine.order_by(Attempt.number.desc()))]


def in_course(session: Session, course: int, number: int) -> Tried | None:
    """An attempt in a course, with how many wait before it; None where the course has none of that number."""
    row = session.execute(
        _joined()
        .join(Assignment, Assignment.id == Attempt.assignment)
        .where(Attempt.id == number, Assignment.course == course)
    ).one_or_none()
    if row is None:
        return None
    job = session.scalar(select(Job).where(Job.attempt == number))
    if job is None or job.state == "done":
        return _tried(row)
    before = select(func.count()).where(Job.state == "queued", Job.id < job.id, Job.regrade.is_(None))
    ahead = session.scalar(before) or 0 if job.state == "queued" else 0
    return _tried(row, ahead=ahead, begun=job.state == "leased")


def best(tried: Sequence[Tried]) -> Tried | None:
    """The attempt that counts: that with most points, of equal ones the latest; None where none was graded."""
    graded = [one for one in tried if one.score is not None]
    return max(graded, key=lambda one: (one.score or 0.0, one.number), default=None)


def report(session: Session, result: int, file: str) -> Report:
    """What was found, under the name that this student's file has. Raises UsageError where there is no such result."""
    row = session.get(Result, result)
    if row is None:
        raise UsageError("result-unknown", result=result)
    return report_of(row, file)


def tried_of(session: Session, assignment: int) -> dict[int, list[Tried]]:
    """All attempts at an assignment, by person."""
    found: dict[int, list[Tried]] = {}
    for row in session.execute(_joined().where(Attempt.assignment == assignment).order_by(Attempt.id)):
        found.setdefault(row.person, []).append(_tried(row))
    return found


def looked_at() -> ColumnElement[bool]:
    """Whether somebody has looked at what was found of an attempt: that, and nothing that was found later."""
    same = Review.attempt == Attempt.id, Review.result.is_not_distinct_from(Attempt.result)
    return select(Review.id).where(*same).exists()


def to_look_at() -> ColumnElement[bool]:
    """Whether a person should look at an attempt, and none has."""
    wanted = or_(Attempt.review, Attempt.state.in_((UNGRADABLE, UNREADABLE)))
    return and_(wanted, ~looked_at())


def _joined() -> Select[*tuple[Any, ...]]:
    """Attempts with the points of their results, not the reports, which are large; as values, of which a class has many."""
    columns = *Attempt.__table__.columns, Result.score, Result.max_score, to_look_at().label("to_look")
    return select(*columns).outerjoin(Result, Result.id == Attempt.result)


def _tried(row: Row[*tuple[Any, ...]], *, ahead: int = 0, begun: bool = False) -> Tried:
    return Tried(
        id=row.id,
        assignment=row.assignment,
        person=row.person,
        number=row.number,
        file=row.file,
        sha256=row.sha256,
        received=row.received,
        state=row.state,
        to_look=bool(row.to_look),
        problem=None if row.problem is None else text_from(row.problem),
        result=row.result,
        score=row.score,
        max_score=row.max_score,
        ahead=ahead,
        begun=begun,
    )
