"""What was found of an attempt is made to count: in the attempt, in the gradebook, and where scores go to."""

import msgspec
from sqlalchemy.orm import Session

from grader.gradebook import batches, results
from grader.gradebook.records import Identity
from grader.gradebook.stored import to_json
from grader.grades import Grade, HandedIn
from grader.model import Report
from grader.web.store import deliveries
from grader.web.store.attempts import GRADED, UNGRADABLE, UNREADABLE, WAITING, best, of_person
from grader.web.store.records import Outcome
from grader.web.store.tables import Assignment, Attempt, Person


def give(session: Session, attempt: Attempt, outcome: Outcome) -> None:
    """Note in an attempt what came of it. One that failed takes no points away that it had before."""
    if outcome.report is not None and outcome.identity is not None:
        _give(session, attempt, outcome.identity, outcome.report)
    elif attempt.state != GRADED:
        attempt.state = UNREADABLE
        attempt.problem = None if outcome.problem is None else to_json(outcome.problem)
    session.flush()


def count(session: Session, assignment: int, person: Person) -> None:
    """Note in the gradebook what counts of somebody, and have its score go where it is to go."""
    note_what_counts(session, assignment, person)
    deliveries.want(session, assignment, person.id)


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


def _give(session: Session, attempt: Attempt, identity: Identity, report: Report) -> None:
    """Keep a grading, which others share, without what this one's file is called. One that failed takes no points away that there were."""
    result = results.keep(session, identity, msgspec.structs.replace(report, submission=""))
    if report.score is None and attempt.state == GRADED:
        return
    attempt.result = result
    attempt.state = GRADED if report.score is not None else UNGRADABLE
    attempt.review = bool(report.needs_review)
