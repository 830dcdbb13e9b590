"""Regrades: attempts are graded again, and what comes of it counts only when a teacher lets it.

An assignment has one at a time. What was decided is written down first and then done learner by learner, so that a process that is lost in
the midst leaves the rest to the next; see `proceed`.
"""

import msgspec
from sqlalchemy import ColumnElement, Select, and_, delete, func, select, update
from sqlalchemy.orm import Session, defer

from grader.gradebook.records import Identity
from grader.gradebook.results import GRADED as FOUND
from grader.gradebook.results import now
from grader.gradebook.tables import Result
from grader.model import Text
from grader.web.store import outcomes, previews, trials
from grader.web.store.attempts import GRADED, UNGRADABLE
from grader.web.store.records import (
    Asked,
    Gradable,
    Regraded,
)
from grader.web.store.tables import Assignment, Attempt, Job, Person
from grader.web.store.teaching import Regrade, Trial

QUEUED, DONE = "queued", "done"
COUNTED, DROPPED = "counted", "dropped"
# Learners whose results are made to count in one transaction, so that nobody waits long for the database.
AT_ONCE = 20


def gradable(session: Session, asked: Asked, today: Identity) -> Gradable:
    """What a regrade would grade. today: what makes gradings the same today, of any file."""
    same, failed, changed = 0, 0, list[Result]()
    for _, result in session.execute(_results(asked.id)):
        failed += result.status != FOUND
        if result.status == FOUND and not _is_of(result, today):
            changed.append(result)
        same += result.status == FOUND and _is_of(result, today)
    waiting = select(func.count()).where(Attempt.assignment == asked.id, Attempt.state == "waiting")
    return Gradable(
        same=same,
        failed=failed,
        changed=len(changed),
        waiting=session.scalar(waiting) or 0,
        versions=tuple(sorted({row.exercise_version for row in changed})),
        graders=tuple(sorted({row.grader_version for row in changed})),
    )


def is_same(session: Session, attempt: int, today: Identity) -> bool:
    """Whether an attempt was graded under today's conditions."""
    result = session.scalar(
        select(Result).join(Attempt, Attempt.result == Result.id).where(Attempt.id == attempt)
    )
    return result is not None and result.status == FOUND and _is_of(result, today)


def begin(  # noqa: PLR0913 - what a regrade is
    session: Session,
    asked: Asked,
    today: Identity,
    *,
    person: int | None = None,
    attempt: int | None = None,
    anew: bool = False,
) -> int | None:
    """Queue attempts to be graded again; the regrade's number, of the one that is open where there is one; None where nothing is to do.

    Without `anew` those are left out that were graded under today's conditions, and what is known is not graded again.
    """
    session.get_one(Assignment, asked.id, with_for_update=True)
    if (open_ := of_assignment(session, asked.id)) is not None:
        return open_
    chosen = [
        row
        for row, result in session.execute(_results(asked.id))
        if attempt in {None, row.id} and (anew or result.status != FOUND or not _is_of(result, today))
    ]
    if not chosen:
        return None
    regrade = Regrade(assignment=asked.id, attempt=attempt, person=person, anew=anew, began=now())
    session.add(regrade)
    session.flush()
    session.add_all(Trial(regrade=regrade.id, attempt=row.id, before=row.result) for row in chosen)
    session.flush()
    own = select(Trial.attempt).where(Trial.regrade == regrade.id)
    queued = update(Job).where(Job.attempt.in_(own), Job.state == DONE)
    session.execute(queued.values(state=QUEUED, tries=0, regrade=regrade.id))
    return regrade.id


def of_assignment(session: Session, assignment: int) -> int | None:
    """The regrade of an assignment that is not over."""
    return session.scalar(select(Regrade.id).where(Regrade.assignment == assignment, Regrade.ended.is_(None)))


def regraded(session: Session, course: int, number: int) -> Regraded | None:
    """A regrade of a course, and how far it is; None where the course has none of that number."""
    row = session.scalar(
        select(Regrade)
        .join(Assignment, Assignment.id == Regrade.assignment)
        .where(Regrade.id == number, Assignment.course == course)
    )
    if row is None:
        return None
    total, done = session.execute(
        select(func.count(), func.count(Trial.change)).where(Trial.regrade == number)
    ).one()
    return Regraded(
        id=row.id,
        assignment=row.assignment,
        attempt=row.attempt,
        anew=row.anew,
        began=row.began,
        total=total,
        done=done,
        settled=row.settled,  # type: ignore[arg-type]
        over=row.ended is not None,
    )


def confirm(
    session: Session, asked: Asked, regrade: int, today: Identity, seen: str | None = None
) -> Text | None:
    """Decide that what was found is to count; None, or why that cannot be. `proceed` does it.

    seen: the digest of what somebody saw who decides, None of who asks for it whatever it is.
    """
    row = session.get_one(Regrade, regrade, with_for_update=True)
    if row.settled is not None:
        return None if row.settled == COUNTED else Text(id="regrade-over")
    pending = select(Trial.id).where(Trial.regrade == regrade, Trial.change.is_(None)).limit(1)
    if session.scalar(pending) is not None:
        return Text(id="regrade-not-done")
    if previews.outdated(session, regrade, today):
        return Text(id="regrade-outdated")
    if seen is not None and previews.digest(previews.preview(session, asked, regrade)) != seen:
        return Text(id="regrade-moved")
    row.settled = COUNTED
    return None


def drop(session: Session, regrade: int) -> Text | None:
    """Forget what was found, and stop finding more; None, or why that cannot be."""
    row = session.get_one(Regrade, regrade, with_for_update=True)
    if row.settled is not None:
        return None if row.settled == DROPPED else Text(id="regrade-over")
    row.settled, row.ended = DROPPED, now()
    session.execute(
        update(Job).where(Job.regrade == regrade).values(state=DONE, owner=None, until=None, regrade=None)
    )
    session.execute(delete(Trial).where(Trial.regrade == regrade))
    return None


def any_confirmed(session: Session) -> bool:
    """Whether there is something for `proceed`."""
    return session.scalar(select(Regrade.id).where(_confirmed()).limit(1)) is not None


def proceed(session: Session, at_once: int = AT_ONCE) -> bool:
    """Make results count that are to, of some learners; whether there is more to do. Several processes may do so at once."""
    row = session.scalar(
        select(Regrade).where(_confirmed()).order_by(Regrade.id).limit(1).with_for_update(skip_locked=True)
    )
    if row is None:
        return False
    people = session.scalars(
        select(Person)
        .where(
            Person.id.in_(
                select(Attempt.person).join(Trial, Trial.attempt == Attempt.id).where(Trial.regrade == row.id)
            )
        )
        .order_by(Person.id)
        .limit(at_once)
        .with_for_update()
    ).all()
    for person in people:
        _count(session, row, person)
    if not people:
        row.ended = now()
    return bool(people)


def _count(session: Session, regrade: Regrade, person: Person) -> None:
    """Make what was found of one learner's attempts count. An attempt that has another result by now keeps it."""
    own = (
        select(Trial, Attempt)
        .join(Attempt, Attempt.id == Trial.attempt)
        .where(Trial.regrade == regrade.id, Attempt.person == person.id)
    )
    for trial, attempt in session.execute(own).all():
        if attempt.result == trial.before and trial.report is not None:
            outcomes.give(session, attempt, trials.outcome_of(trial))
        session.delete(trial)
    session.flush()
    outcomes.note_what_counts(session, regrade.assignment, person)


def _confirmed() -> ColumnElement[bool]:
    return and_(Regrade.settled == COUNTED, Regrade.ended.is_(None))


def _results(assignment: int) -> Select[Attempt, Result]:
    """The attempts at an assignment that are graded, or could not be, and what was found; not those that wait."""
    return (
        select(Attempt, Result)
        .join(Result, Result.id == Attempt.result)
        .join(Job, Job.attempt == Attempt.id)
        .where(Attempt.assignment == assignment, Attempt.state.in_((GRADED, UNGRADABLE)), Job.state == DONE)
        .order_by(Attempt.id)
        .options(defer(Result.report))
    )


def _is_of(result: Result, today: Identity) -> bool:
    return all(
        getattr(result, name) == value
        for name, value in msgspec.structs.asdict(today).items()
        if name != "sha256"
    )
