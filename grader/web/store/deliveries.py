"""The outbox: scores on their way to a gradebook elsewhere. Of each person at an assignment the newest goes there, the ones before do not.

A score is written down in the transaction that makes it count, so none is lost; it is sent by one process at a time, so that an older one
never comes after a newer one; and it is sent once, but where a process is lost between the answer and writing that down.
"""

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.orm import Session

from grader.gradebook import overrides, results
from grader.gradebook.results import now
from grader.gradebook.stored import text_from
from grader.web.store.attempts import best, of_person
from grader.web.store.records import Due, Undelivered, counts
from grader.web.store.tables import Assignment, Attempt, Delivery, Person

# Seconds until a score is tried again: the first time, how that grows, and the longest.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 5.0, 2.0, 3600.0


class _Column(msgspec.Struct):
    """What has to be known of a destination here."""

    line_item: str


def aim(session: Session, assignment: int, person: int, destination: str) -> None:
    """Say where somebody's scores go; one that there is already goes there now."""
    session.get_one(Person, person, with_for_update=True)
    row = _row(session, assignment, person)
    if row is not None and row.destination == destination:
        return
    if row is None:
        row = Delivery(assignment=assignment, person=person, wanted=0, sent=0, tries=0)
        session.add(row)
    row.destination, row.score, row.full = destination, None, None
    want(session, assignment, person)


def leave(session: Session, column: str, *, to: int, person: int) -> None:
    """Have scores of no other assignment go to a column: neither this person's, nor any of what its link asked for before."""
    there = session.get_one(Assignment, to)
    beside = select(Assignment).where(Assignment.course == there.course, Assignment.id != to)
    others = session.scalars(beside).all()
    before = [one.id for one in others if there.link and one.link == there.link]
    own = Delivery.person == person, Delivery.assignment.in_([one.id for one in others])
    going = select(Delivery).where(or_(and_(*own), Delivery.assignment.in_(before)))
    there_too = [
        row.id
        for row in session.scalars(going)
        if msgspec.json.decode(row.destination, type=_Column).line_item == column
    ]
    if there_too:
        session.execute(delete(Delivery).where(Delivery.id.in_(there_too)))


def want(session: Session, assignment: int, person: int) -> None:
    """Have the score that counts now go where it is to go, if it is another one than before."""
    row = _row(session, assignment, person)
    if row is None:
        return
    asked = session.get_one(Assignment, assignment)
    pseudonym = session.get_one(Person, person).pseudonym
    tried = best(of_person(session, assignment, person))
    decided = overrides.in_force(session, asked.exercise, asked.batch).get(pseudonym)
    score = counts(tried, decided, asked.points)
    if score is not None and score[1] is None and (most := results.max_score(session, asked.exercise)):
        points = asked.points or most
        score = score[0] * points / most, points
    if score is None or score == (row.score, row.full):
        return
    row.score, row.full = score
    row.wanted, row.tries, row.due, row.error = row.wanted + 1, 0, now(), None


def rescale(session: Session, assignment: int) -> None:
    """Have the scores that count go out again where full marks are worth something else by now; the others stay as they are."""
    going = select(Delivery.person).where(Delivery.assignment == assignment, Delivery.score.is_not(None))
    for person in session.scalars(going.order_by(Delivery.id)).all():
        want(session, assignment, person)


def any_due(session: Session) -> bool:
    """Whether there is a score to send."""
    return session.scalar(select(Delivery.id).where(Delivery.due <= now(), _free()).limit(1)) is not None


def take(session: Session, owner: str, seconds: float) -> Due | None:
    """The delivery that is due longest, for so many seconds this process's own; None where there is none."""
    due = select(Delivery).where(Delivery.due <= now(), _free()).order_by(Delivery.due, Delivery.id)
    row = session.scalar(due.limit(1).with_for_update(skip_locked=True))
    if row is None or row.score is None:
        return None
    row.owner, row.until = owner, _in(seconds)
    return Due(
        id=row.id,
        version=row.wanted,
        person=row.person,
        destination=row.destination,
        score=row.score,
        full=row.full,
    )


def arrived(session: Session, due: Due, owner: str) -> None:
    """Note that a score is known there. A newer one that counts since goes there next."""
    row = session.get(Delivery, due.id, with_for_update=True)
    if row is None:  # its person was forgotten meanwhile
        return
    if row.owner == owner:
        row.owner, row.until = None, None
    row.sent = max(row.sent, due.version)
    if row.sent == row.wanted:
        row.due, row.error = None, None


def failed(  # noqa: PLR0913 - what is known of a failure
    session: Session, due: Due, owner: str, error: str, *, again: bool, after: float | None = None
) -> None:
    """Note that a score did not come there, and why; again: whether to try it later, more and more seldom.

    after: not before so many seconds, where that was said.
    """
    row = session.get(Delivery, due.id, with_for_update=True)
    if row is None or row.owner != owner:
        return
    row.owner, row.until, row.error = None, None, error
    if row.wanted == due.version:
        row.tries += 1
        wait = max(min(FIRST_WAIT * GROWTH ** (row.tries - 1), LONGEST_WAIT), after or 0.0)
        row.due = _in(wait) if again else None


def undelivered(session: Session, assignment: int) -> list[Undelivered]:
    """The scores of an assignment that were sent in vain so far, by name."""
    query = (
        select(Delivery, Person)
        .join(Person, Person.id == Delivery.person)
        .where(Delivery.assignment == assignment, Delivery.error.is_not(None))
    )
    found = [
        Undelivered(
            pseudonym=person.pseudonym,
            name=person.name,
            why=text_from(row.error or ""),
            again=row.due is not None,
        )
        for row, person in session.execute(query)
    ]
    return sorted(found, key=lambda one: one.name.casefold())


def without_column(session: Session, assignment: int) -> int:
    """How many handed in something who came by a link without a column in a gradebook elsewhere.

    0 where it is no link's, and where the link leads elsewhere by now, as its column shows.
    """
    row = session.get_one(Assignment, assignment)
    same = Assignment.course == row.course, Assignment.link == row.link, Assignment.id != assignment
    now_there = select(Delivery.id).join(Assignment, Assignment.id == Delivery.assignment).where(*same)
    if not row.link or session.scalar(now_there.limit(1)) is not None:
        return 0
    going = select(Delivery.person).where(Delivery.assignment == assignment)
    query = select(func.count(func.distinct(Attempt.person))).where(
        Attempt.assignment == assignment, Attempt.person.not_in(going)
    )
    return session.scalar(query) or 0


def send_again(session: Session, assignment: int) -> None:
    """Have the scores of an assignment that were sent in vain be tried now."""
    query = select(Delivery).where(Delivery.assignment == assignment, Delivery.error.is_not(None))
    for row in session.scalars(query.with_for_update()).all():
        want(session, assignment, row.person)
        row.due, row.tries = now(), 0


def _free() -> ColumnElement[bool]:
    return or_(Delivery.until.is_(None), Delivery.until < now())


def _row(session: Session, assignment: int, person: int) -> Delivery | None:
    return session.scalar(
        select(Delivery).where(Delivery.assignment == assignment, Delivery.person == person).with_for_update()
    )


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
