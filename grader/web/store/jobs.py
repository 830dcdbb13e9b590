"""The queue: what waits to be graded is leased by a process, and taken again where that was lost."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from grader.web.store import outcomes, trials
from grader.web.store.records import Leased, Outcome
from grader.web.store.tables import Assignment, Attempt, Job, Person
from grader.web.store.teaching import Regrade

QUEUED, LEASED, DONE = "queued", "leased", "done"


def any_free(session: Session) -> bool:
    """Whether there is a job to take."""
    return session.scalar(select(Job.id).where(_free()).limit(1)) is not None


def lease(session: Session, owner: str, seconds: float) -> Leased | None:
    """Take the job that waits longest, or one whose process let its lease end; None where there is none.

    What is graded again comes after what was just handed in, whose learner waits for it.
    """
    longest = select(Job).where(_free()).order_by(Job.regrade.is_not(None), Job.id)
    job = session.scalar(longest.limit(1).with_for_update(skip_locked=True))
    if job is None:
        return None
    job.state, job.owner, job.until, job.tries = LEASED, owner, _in(seconds), job.tries + 1
    attempt = session.get_one(Attempt, job.attempt)
    assignment = session.get_one(Assignment, attempt.assignment)
    return Leased(
        job=job.id,
        exercise=assignment.exercise,
        sha256=attempt.sha256,
        file=attempt.file,
        tries=job.tries,
        regrade=job.regrade,
        anew=job.regrade is not None and session.get_one(Regrade, job.regrade).anew,
    )


def renew(session: Session, owner: str, seconds: float) -> None:
    """Keep what a process has for so many seconds more."""
    own = update(Job).where(Job.state == LEASED, Job.owner == owner)
    session.execute(own.values(until=_in(seconds)))


def give_back(session: Session, owner: str) -> None:
    """Let others take what a process has and will not do any more."""
    own = update(Job).where(Job.state == LEASED, Job.owner == owner)
    session.execute(own.values(state=QUEUED, owner=None, until=None, tries=Job.tries - 1))


def finish(session: Session, job: int, owner: str, outcome: Outcome) -> bool:
    """Note what came of a job, with the result in the gradebook, all or none; False where another has it by now, or it was forgotten.

    What came of a regrade waits there until a teacher lets it count.
    """
    row = session.get(Job, job, with_for_update=True)
    if row is None or row.state != LEASED or row.owner != owner:
        return False
    regrade, attempt = row.regrade, session.get_one(Attempt, row.attempt)
    row.state, row.owner, row.until, row.regrade = DONE, None, None, None
    if regrade is not None:
        trials.note(session, regrade, attempt, outcome)
        return True
    person = session.get_one(Person, attempt.person, with_for_update=True)  # two of theirs may end at once
    outcomes.give(session, attempt, outcome)
    outcomes.count(session, attempt.assignment, person)
    return True


def waiting(session: Session) -> tuple[int, int]:
    """How many jobs are queued, and how many are being done."""
    counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
    return counts.get(QUEUED, 0), counts.get(LEASED, 0)


def _free() -> ColumnElement[bool]:
    return or_(Job.state == QUEUED, and_(Job.state == LEASED, Job.until < _in(0)))


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
