"""What is forgotten: a person with all that was kept of them, a course, and what is older than it may become.

Of each the contents are told that it had, whose files nobody may want any more: see `clearing`.
"""

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from grader.errors import UsageError
from grader.gradebook import forgetting
from grader.gradebook.results import now
from grader.gradebook.stored import storable
from grader.gradebook.tables import Batch, Decision, HandIn
from grader.web.store import courses, jobs, outcomes
from grader.web.store.attempts import WAITING
from grader.web.store.codes import as_typed, digest, new_pseudonym
from grader.web.store.people import TEACHER
from grader.web.store.platforms import stamp_of
from grader.web.store.records import Destination
from grader.web.store.tables import (
    Assignment,
    Attempt,
    Choice,
    Context,
    Course,
    Delivery,
    Invitation,
    Job,
    Login,
    Person,
    Stamp,
    Visit,
)
from grader.web.store.teaching import Regrade, Review, Sheet, Trial


class Kept(NamedTuple):
    """What there is of a person, or of everybody in a course. shared: contents that others have handed in too, which stay theirs."""

    people: int
    attempts: int
    contents: int
    shared: int
    decisions: int


def whom(session: Session, code: str, who: str) -> tuple[int, str]:
    """Somebody in a course, by name, pseudonym, or the code that is their own: number and name.

    Raises UsageError where nobody is called so, or several are.
    """
    course = courses.by_code(session, code)
    everyone = session.scalars(select(Person).where(Person.course == course.id).order_by(Person.id)).all()
    known = {storable(who), digest("learner", course.id, as_typed(who))}
    found = [one for one in everyone if known & {one.pseudonym, one.key}] or [
        one for one in everyone if one.name and one.name.casefold() == storable(who).strip().casefold()
    ]
    if len(found) > 1:
        several = ", ".join(f"{one.pseudonym} ({one.created[:10]})" for one in found)
        raise UsageError("person-several", who=who, code=course.code, known=several)
    if not found:
        raise UsageError("person-unknown", who=who, code=course.code)
    return found[0].id, found[0].name or found[0].pseudonym


def everyone(session: Session, code: str) -> list[int]:
    """The numbers of all in a course. Raises UsageError for an unknown course."""
    course = courses.by_code(session, code)
    return list(session.scalars(select(Person.id).where(Person.course == course.id)))


def kept(session: Session, people: Collection[int]) -> Kept:
    """What there is of some people."""
    own = Attempt.person.in_(people)
    contents = set(session.scalars(select(Attempt.sha256).where(own).distinct()))
    shared = select(Attempt.sha256).where(~own, Attempt.sha256.in_(contents)).distinct()
    called = select(Person.pseudonym).where(Person.id.in_(people))
    decided = select(func.count()).select_from(Decision).where(Decision.student.in_(called))
    return Kept(
        people=len(people),
        attempts=session.scalar(select(func.count()).select_from(Attempt).where(own)) or 0,
        contents=len(contents),
        shared=len(session.scalars(shared).all()),
        decisions=session.scalar(decided) or 0,
    )


def person(session: Session, number: int) -> set[str]:
    """Forget somebody. Who has been forgotten meanwhile is no error.

    Jobs are locked before the person, as by who finishes one.
    """
    own = select(Attempt.id).where(Attempt.person == number)
    session.scalars(select(Job.id).where(Job.attempt.in_(own)).order_by(Job.id).with_for_update()).all()
    row = session.get(Person, number, with_for_update=True)
    if row is None:
        return set()
    contents = _drop(session, session.scalars(own).all())
    for destination in session.scalars(select(Delivery.destination).where(Delivery.person == number)):
        there = msgspec.json.decode(destination, type=Destination)
        session.execute(delete(Stamp).where(Stamp.of == stamp_of(there.line_item, there.subject)))
    columns: Sequence[InstrumentedAttribute[int]] = (Visit.person, Choice.person, Delivery.person)
    for column in columns:
        session.execute(delete(column.class_).where(column == number))
    _forget_in_teaching(session, row)
    forgetting.student(session, row.pseudonym, new_pseudonym())
    session.delete(row)
    session.flush()
    _drop_results(session, contents)
    return contents


def course(session: Session, code: str) -> set[str]:
    """Forget a course, and who is left in it. Raises UsageError for an unknown one."""
    row = session.scalars(
        select(Course).where(Course.id == courses.by_code(session, code).id).with_for_update()
    ).one()
    contents: set[str] = set()
    for number in session.scalars(select(Person.id).where(Person.course == row.id)).all():
        contents |= person(session, number)
    batches = session.scalars(select(Assignment.batch).where(Assignment.course == row.id)).all()
    own = select(Assignment.id).where(Assignment.course == row.id)
    session.execute(delete(Regrade).where(Regrade.assignment.in_(own)))
    session.execute(delete(Sheet).where(Sheet.assignment.in_(own)))
    for column in (Context.course, Assignment.course):
        session.execute(delete(column.class_).where(column == row.id))
    session.execute(delete(HandIn).where(HandIn.batch.in_(batches)))
    session.execute(update(Decision).where(Decision.batch.in_(batches)).values(batch=None))
    session.execute(delete(Batch).where(Batch.id.in_(batches)))
    session.delete(row)
    return contents


def expire(session: Session, before: str, most: int) -> tuple[int, set[str]]:
    """Forget some attempts that were handed in before a time, and are graded; how many. What counts is what is left.

    Nothing is sent to a gradebook elsewhere by that.
    """
    old = (
        select(Attempt)
        .join(Job, Job.attempt == Attempt.id)
        .where(Attempt.received < before, Attempt.state != WAITING, Job.state == jobs.DONE)
    )
    rows = session.scalars(old.order_by(Attempt.id).limit(most).with_for_update(of=Job)).all()
    contents = _drop(session, [row.id for row in rows])
    for assignment, number in sorted({(row.assignment, row.person) for row in rows}):
        one = session.get_one(Person, number, with_for_update=True)
        outcomes.note_what_counts(session, assignment, one)
    session.flush()
    _drop_results(session, contents)
    return len(rows), contents


def idle(session: Session, before: str, most: int) -> list[int]:
    """Some who have nothing here any more and have not been here since a time; but not the one as whom all teachers enter by a code."""
    query = select(Person.id).where(
        Person.created < before,
        Person.key != TEACHER,
        ~exists().where(Attempt.person == Person.id),
        ~exists().where(Visit.person == Person.id, Visit.expires > now()),
        ~exists().where(Decision.student == Person.pseudonym, Decision.when >= before),
    )
    return list(session.scalars(query.order_by(Person.id).limit(most)))


def wanted(session: Session, contents: AbstractSet[str]) -> set[str]:
    """Those contents that somebody has handed in."""
    return set(session.scalars(select(Attempt.sha256).where(Attempt.sha256.in_(contents)).distinct()))


def over(session: Session, seconds: float) -> None:
    """Forget visits, logins and invitations whose time is over. seconds: since 1970."""
    session.execute(delete(Visit).where(Visit.expires <= now()))
    session.execute(delete(Login).where(Login.expires <= seconds))
    session.execute(delete(Invitation).where(Invitation.expires <= seconds))


def _drop(session: Session, numbers: Sequence[int]) -> set[str]:
    """Forget attempts and their jobs; their contents."""
    contents = set(session.scalars(select(Attempt.sha256).where(Attempt.id.in_(numbers))))
    columns: Sequence[InstrumentedAttribute[Any]] = (
        Trial.attempt,
        Review.attempt,
        Job.attempt,
        Regrade.attempt,
    )
    for column in columns:
        session.execute(delete(column.class_).where(column.in_(numbers)))
    session.execute(delete(Attempt).where(Attempt.id.in_(numbers)))
    return contents


def _forget_in_teaching(session: Session, person: Person) -> None:
    """What they did as a teacher stays, of nobody; tables that were filled in for teachers may name them."""
    asked = select(Assignment.id).where(Assignment.course == person.course)
    session.execute(delete(Sheet).where(or_(Sheet.person == person.id, Sheet.assignment.in_(asked))))
    session.execute(update(Review).where(Review.person == person.id).values(person=None))
    session.execute(update(Regrade).where(Regrade.person == person.id).values(person=None))


def _drop_results(session: Session, contents: set[str]) -> None:
    """Forget the gradings of contents that nobody else has handed in."""
    forgetting.results(session, contents - wanted(session, contents))
