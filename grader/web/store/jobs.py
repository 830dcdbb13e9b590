"""The queue: what waits to be graded is leased by a process, and taken again where that was lost."""

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from grader.gradebook import batches, results
from grader.gradebook.records import Identity
from grader.gradebook.stored import to_json
from grader.grades import Grade, HandedIn
from grader.model import Report
from grader.web.store import deliveries
from grader.web.store.attempts import GRADED, UNGRADABLE, UNREADABLE, WAITING, best, of_person
from grader.web.store.records import Leased, Outcome
from grader.web.store.tables import Assignment, Attempt, Job, Person

QUEUED, LEASED, DONE = "queued", "leased", "done"


def any_free(session: Session) -> bool:
    """Whether there is a job to take."""
    return session.scalar(select(Job.id).where(_free()).limit(1)) is not None


def lease(session: Session, owner: str, seconds: float) -> Leased | None:
    """Take the job that waits longest, or one whose process let its lease end; None where there is none."""
    job = session.scalar(
        select(Job).where(_free()).order_by(Job.id).limit(1).with_for_update(skip_locked=True)
    )
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
    """Note what came of a job, with the result in the gradebook, all or none; False where another has it by now, or it was forgotten."""
    row = session.get(Job, job, with_for_update=True)
    if row is None or row.state != LEASED or row.owner != owner:
        return False
    row.state, row.owner, row.until = DONE, None, None
    attempt = session.get_one(Attempt, row.attempt)
    person = session.get_one(Person, attempt.person, with_for_update=True)  # two of theirs may end at once
    if outcome.report is not None and outcome.identity is not None:
        _give(session, attempt, outcome.identity, outcome.report)
    else:
        attempt.state = UNREADABLE
        attempt.problem = None if outcome.problem is None else to_json(outcome.problem)
    session.flush()
    note_what_counts(session, attempt.assignment, person)
    deliveries.want(session, attempt.assignment, person.id)
    return True


def note_what_counts(session: Session, assignment: int, person: Person) -> None:
    """In the gradebook stands the attempt that counts; where none could be graded, the last; where there is none, that they are missing."""
    tried = of_person(session, assignment, person.id)
    counting = best(tried) or next((one for one in tried if one.state != WAITING), None)
    grade = Grade(student=person.pseudonym, name=person.name)
    if counting is not None:
        file = HandedIn(file=counting.file, path=counting.file, sha256=counting.sha256, attempts=len(tried))
        grade = msgspec.structs.replace(grade, handed_in=file, problem=counting.problem)
    batch = session.get_one(Assignment, assignment).batch
    batches.hand_in(session, batch, [grade], None if counting is None else counting.result)


def again(session: Session, assignment: int) -> int:
    """Queue all attempts at an assignment once more; how many. What is known under today's conditions is not graded again."""
    own = select(Attempt.id).where(Attempt.assignment == assignment, Attempt.state != UNREADABLE)
    done = update(Job).where(Job.attempt.in_(own), Job.state == DONE)
    return len(session.scalars(done.values(state=QUEUED, tries=0).returning(Job.id)).all())


def waiting(session: Session) -> tuple[int, int]:
    """How many jobs are queued, and how many are being done."""
    counts = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
    return counts.get(QUEUED, 0), counts.get(LEASED, 0)


def _give(session: Session, attempt: Attempt, identity: Identity, report: Report) -> None:
    """Keep a grading, which others share, without what this one's file is called. One that failed takes no points away that there were."""
    result = results.keep(session, identity, msgspec.structs.replace(report, submission=""))
    if report.score is None and attempt.state == GRADED:
        return
    attempt.result = result
    attempt.state = GRADED if report.score is not None else UNGRADABLE
    attempt.review = bool(report.needs_review)


def _free() -> ColumnElement[bool]:
    return or_(Job.state == QUEUED, and_(Job.state == LEASED, Job.until < _in(0)))


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
