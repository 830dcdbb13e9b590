"""How a class stands at an assignment."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook import batches, overrides, results
from grader.gradebook.tables import HandIn
from grader.grades import Grade, Override
from grader.web.store import deliveries, reviews
from grader.web.store.attempts import WAITING, best, tried_of
from grader.web.store.records import Asked, Line, State, Tried
from grader.web.store.tables import Person


def lines(session: Session, asked: Asked) -> list[Line]:
    """A line for each learner of the course, by name."""
    decided = overrides.in_force(session, asked.exercise, asked.batch)
    tried = tried_of(session, asked.id)
    people = session.execute(
        select(Person.id, Person.pseudonym, Person.name)
        .where(Person.course == asked.course, Person.role == "learner")
        .order_by(Person.id)
    )
    found = [
        _line(pseudonym, name, tried.get(number, ()), decided.get(pseudonym))
        for number, pseudonym, name in people
    ]
    return sorted(found, key=lambda line: line.name.casefold())


def _line(pseudonym: str, name: str, own: Sequence[Tried], decided: Override | None) -> Line:
    if not own:
        return Line(pseudonym=pseudonym, name=name, override=decided)
    counting = best(own) or own[-1]
    state: State = "waiting" if any(one.state == WAITING for one in own) else counting.state
    return Line(
        pseudonym=pseudonym, name=name, attempts=len(own), state=state, best=counting, override=decided
    )


def decided(session: Session, asked: Asked, pseudonym: str) -> Override | None:
    """The score that a person gave somebody in place of the checks', if one did."""
    return overrides.in_force(session, asked.exercise, asked.batch).get(pseudonym)


def full_marks(session: Session, asked: Asked) -> float | None:
    """How many points the exercise has; None where none was graded."""
    return results.max_score(session, asked.exercise)


def decide(  # noqa: PLR0913, PLR0917 - what a decision is
    session: Session, asked: Asked, pseudonym: str, score: float | None, reason: str, by: int | None = None
) -> None:
    """Let a score count in place of the checks', or, without one, take that back; also of who has handed in nothing.

    by: who decides, and so has looked at what there is of this learner. Raises UsageError for a score or a reason that cannot be.
    """
    person = session.scalar(select(Person).where(Person.pseudonym == pseudonym))
    if person is None:  # forgotten meanwhile
        raise UsageError("student-unknown", student=pseudonym, exercise=asked.exercise)
    if score is None:
        overrides.take_back(session, asked.exercise, pseudonym, batch=asked.batch)
    else:
        noted = select(HandIn.id).where(HandIn.batch == asked.batch, HandIn.student == pseudonym)
        if session.scalar(noted) is None:
            batches.hand_in(session, asked.batch, [Grade(student=pseudonym, name=person.name)])
        overrides.put(session, asked.exercise, pseudonym, score, reason, batch=asked.batch)
        if by is not None:
            reviews.decided(session, asked.id, person.id, by)
    session.flush()
    deliveries.want(session, asked.id, person.id)
