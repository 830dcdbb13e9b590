"""What would change if a regrade counted: shown before anything does."""

import hashlib

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.gradebook import overrides
from grader.gradebook.records import Identity
from grader.model import Report
from grader.web.store import trials
from grader.web.store.attempts import best, tried_of
from grader.web.store.records import Again, Asked, Differs, Preview, Tried, counts
from grader.web.store.tables import Attempt, Person
from grader.web.store.teaching import Trial


def preview(session: Session, asked: Asked, regrade: int) -> list[Preview]:
    """Whom a regrade says something else of, by name: as things stand now, with what was handed in and decided meanwhile."""
    found = {
        row.attempt: row
        for row in session.execute(
            select(Trial.attempt, Trial.change, Trial.score, Trial.max_score, Trial.why).where(
                Trial.regrade == regrade, Trial.change.is_not(None), Trial.change != "nothing"
            )
        )
    }
    decided = overrides.in_force(session, asked.exercise, asked.batch)
    people = {row.id: row for row in session.scalars(select(Person).where(Person.course == asked.course))}
    all_ = list[Preview]()
    for person, tried in tried_of(session, asked.id).items():
        if not any(one.id in found for one in tried):
            continue
        then, again = list[Tried](), list[Again]()
        for one in tried:
            row = found.get(one.id)
            new = one if row is None or row.score is None else _with(one, row.score, row.max_score)
            then.append(new)
            if row is not None:
                why = () if row.why is None else msgspec.json.decode(row.why, type=tuple[Differs, ...])
                worth = one.worth(asked.points), None if row.score is None else new.worth(asked.points)
                again.append(
                    Again(
                        id=one.id,
                        number=one.number,
                        change=row.change,
                        before=worth[0],
                        after=worth[1],
                        why=why,
                    )
                )
        override = decided.get(people[person].pseudonym)
        all_.append(
            Preview(
                pseudonym=people[person].pseudonym,
                name=people[person].name,
                now=counts(best(tried), override, asked.points),
                then=counts(best(then), override, asked.points),
                override=override,
                attempts=tuple(again),
            )
        )
    return sorted(all_, key=lambda one: one.name.casefold())


def digest(previews: list[Preview]) -> str:
    """What somebody saw who decides; equal where it is the same still."""
    return hashlib.sha256(msgspec.json.encode(previews)).hexdigest()


def outdated(session: Session, regrade: int, today: Identity) -> bool:
    """Whether something that was found is not what would be found today, because the exercise or a setting has changed since."""
    rows = select(Trial.identity).where(
        Trial.regrade == regrade, Trial.identity.is_not(None), Trial.score.is_not(None)
    )
    return any(
        msgspec.structs.replace(msgspec.json.decode(text, type=Identity), sha256="")
        != msgspec.structs.replace(today, sha256="")
        for text in session.scalars(rows.distinct())
        if text is not None
    )


def report(session: Session, regrade: int, attempt: int) -> Report | None:
    """What a regrade found of an attempt; None where it has not."""
    row = session.scalar(select(Trial).where(Trial.regrade == regrade, Trial.attempt == attempt))
    found = None if row is None else trials.outcome_of(row).report
    if row is None or found is None:
        return None
    return msgspec.structs.replace(found, submission=session.get_one(Attempt, attempt).file)


def _with(one: Tried, score: float, max_score: float | None) -> Tried:
    return msgspec.structs.replace(one, score=score, max_score=max_score)
