"""All that is kept of somebody, for themselves to read."""

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.gradebook.tables import Decision
from grader.web.store import courses
from grader.web.store.attempts import of_person
from grader.web.store.records import Asked, Destination, Tried
from grader.web.store.tables import Assignment, Course, Delivery, Person, Visit


def attempts(session: Session, course: int, person: int) -> list[tuple[Asked, Tried]]:
    """Somebody's attempts in a course, each with its assignment, in the order in which they were handed in to it."""
    return [
        (asked, tried)
        for asked in courses.assignments(session, course)
        for tried in reversed(of_person(session, asked.id, person))
    ]


def records(session: Session, person: int) -> dict[str, Any]:
    """What is kept besides attempts, as JSON could have it: the person, visits, scores by a teacher, and where scores go."""
    row = session.get_one(Person, person)
    course = session.get_one(Course, row.course)
    visits = session.scalars(select(Visit).where(Visit.person == person).order_by(Visit.id))
    decided = session.execute(
        select(Decision, Assignment.id)
        .outerjoin(Assignment, Assignment.batch == Decision.batch)
        .where(Decision.student == row.pseudonym)
        .order_by(Decision.id)
    )
    sent = session.scalars(select(Delivery).where(Delivery.person == person).order_by(Delivery.id))
    return {
        "person": {
            "name": row.name,
            "pseudonym": row.pseudonym,
            "role": row.role,
            "since": row.created,
            "course": course.title,
        },
        "visits": [{"until": one.expires, "language": one.language, "frames": one.frames} for one in visits],
        "scores_by_a_teacher": [
            {
                "assignment": assignment,
                "exercise": one.exercise,
                "score": one.score,
                "reason": one.reason,
                "when": one.when,
            }
            for one, assignment in decided
        ],
        "scores_sent": [
            {
                "assignment": one.assignment,
                "to": msgspec.to_builtins(msgspec.json.decode(one.destination, type=Destination)),
                "score": one.score,
                "full": one.full,
                "arrived": one.sent == one.wanted,
            }
            for one in sent
        ],
    }
