"""The outbox: scores on their way to a gradebook elsewhere. Of each person at an assignment the newest goes there, the ones before do not.

A score is written down in the transaction that makes it count, so none is lost; it is sent by one process at a time, so that an older one
never comes after a newer one; and it is sent once, but where a process is lost between the answer and writing that down.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grader.gradebook import overrides
from grader.gradebook.results import now
from grader.web.store.attempts import best, of_person
from grader.web.store.records import Due, counts
from grader.web.store.tables import Assignment, Delivery, Person

# Seconds until a score is tried again: the first time, how that grows, and the longest.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 5.0, 2.0, 3600.0


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


def want(session: Session, assignment: int, person: int) -> None:
    """Have the score that counts now go where it is to go, if it is another one than before."""
    row = _row(session, assignment, person)
    if row is None:
        return
    asked = session.get_one(Assignment, assignment)
    pseudonym = session.get_one(Person, person).pseudonym
    tried = best(of_person(session, assignment, person))
    score = counts(tried, overrides.in_force(session, asked.exercise).get(pseudonym), asked.points)
    if score is None or score == (row.score, row.full):
        return
    row.score, row.full = score
    row.wanted, row.tries, row.due, row.error = row.wanted + 1, 0, now(), None


def take(session: Session, owner: str, seconds: float) -> Due | None:
    """The delivery that is due longest, for so many seconds this process's own; None where there is none."""
    free = or_(Delivery.until.is_(None), Delivery.until < now())
    due = select(Delivery).where(Delivery.due <= now(), free).order_by(Delivery.due, Delivery.id)
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
    row = session.get_one(Delivery, due.id, with_for_update=True)
    if row.owner == owner:
        row.owner, row.until = None, None
    row.sent = max(row.sent, due.version)
    if row.sent == row.wanted:
        row.due, row.error = None, None


def failed(session: Session, due: Due, owner: str, error: str, *, again: bool) -> None:
    """Note that a score did not come there, and why; again: whether to try it later, more and more seldom."""
    row = session.get_one(Delivery, due.id, with_for_update=True)
    if row.owner != owner:
        return
    row.owner, row.until, row.error = None, None, error
    if row.wanted == due.version:
        row.tries += 1
        wait = min(FIRST_WAIT * GROWTH ** (row.tries - 1), LONGEST_WAIT)
        row.due = _in(wait) if again else None


def _row(session: Session, assignment: int, person: int) -> Delivery | None:
    return session.scalar(
        select(Delivery).where(Delivery.assignment == assignment, Delivery.person == person).with_for_update()
    )


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
