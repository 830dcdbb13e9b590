"""What a person should look at, and who has."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.gradebook.results import now, report_of
from grader.gradebook.tables import Result
from grader.model import Text
from grader.web.store.attempts import best, to_look_at, tried_of
from grader.web.store.records import Asked, Look, Tried
from grader.web.store.tables import Assignment, Attempt, Person
from grader.web.store.teaching import Review

# Reports that are read for one page.
MOST = 100


def counts(session: Session, course: int) -> dict[int, int]:
    """How many attempts a person should look at, by assignment."""
    query = (
        select(Attempt.assignment, func.count())
        .join(Assignment, Assignment.id == Attempt.assignment)
        .where(Assignment.course == course, to_look_at())
        .group_by(Attempt.assignment)
    )
    return dict(session.execute(query).all())


def open_(session: Session, asked: Asked) -> tuple[list[Look], int]:
    """The attempts that a person should look at, those that wait longest first, with the reasons; and how many more there are."""
    all_ = tried_of(session, asked.id)
    wanted = sorted((one for own in all_.values() for one in own if one.to_look), key=lambda one: one.id)
    counting = {one.id for own in all_.values() if (one := best(own)) is not None}
    people = _people(session, asked.course)
    looks = [
        Look(
            pseudonym=people[one.person].pseudonym,
            name=people[one.person].name,
            tried=one,
            counts=one.id in counting,
            why=_why(session, one),
        )
        for one in wanted[:MOST]
    ]
    return looks, len(wanted) - len(looks)


def settled(session: Session, asked: Asked) -> list[Look]:
    """What somebody has looked at, the latest first, without the reasons."""
    all_ = {one.id: one for own in tried_of(session, asked.id).values() for one in own}
    people = _people(session, asked.course)
    rows = session.scalars(
        select(Review)
        .join(Attempt, Attempt.id == Review.attempt)
        .where(Attempt.assignment == asked.id)
        .order_by(Review.id.desc())
        .limit(MOST)
    )
    return [
        Look(
            pseudonym=people[tried.person].pseudonym,
            name=people[tried.person].name,
            tried=tried,
            counts=False,
            by="" if row.person is None else people[row.person].name,
            when=row.when,
            decided=row.decided,
        )
        for row in rows
        if (tried := all_.get(row.attempt)) is not None
    ]


def settle(session: Session, attempt: int, seen: int | None, person: int) -> bool:
    """Note that somebody has looked, and is content; False where the attempt has another result by now than they saw."""
    row = session.get_one(Attempt, attempt, with_for_update=True)
    if row.result != seen:
        return False
    _note(session, row.id, row.result, person, decided=False)
    return True


def decided(session: Session, assignment: int, learner: int, person: int) -> None:
    """Note that somebody has looked at all attempts of a learner, and gave a score of their own."""
    for one in tried_of(session, assignment).get(learner, []):
        if one.to_look:
            _note(session, one.id, one.result, person, decided=True)


def _note(session: Session, attempt: int, result: int | None, person: int, *, decided: bool) -> None:
    there = select(Review.id).where(Review.attempt == attempt, Review.result.is_not_distinct_from(result))
    if session.scalar(there.limit(1)) is None:
        session.add(Review(attempt=attempt, result=result, person=person, decided=decided, when=now()))


def _why(session: Session, tried: Tried) -> tuple[Text, ...]:
    if tried.result is None:
        return () if tried.problem is None else (tried.problem,)
    row = session.get_one(Result, tried.result)
    return report_of(row).needs_review


def _people(session: Session, course: int) -> dict[int, Person]:
    return {row.id: row for row in session.scalars(select(Person).where(Person.course == course))}
