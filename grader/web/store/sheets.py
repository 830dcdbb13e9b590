"""Platforms' tables that were filled in: each teacher has the last one, for a day."""

from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grader.gradebook.results import now
from grader.lms.filling import Filled
from grader.web.store.teaching import Sheet

KEPT_HOURS = 24


def keep(session: Session, person: int, assignment: int, filled: Filled) -> int:
    """Keep one for a teacher; its number. The one before is gone, and so are all that are too old."""
    session.execute(delete(Sheet).where((Sheet.person == person) | (Sheet.made < _oldest())))
    row = Sheet(person=person, assignment=assignment, record=msgspec.json.encode(filled).decode(), made=now())
    session.add(row)
    session.flush()
    return row.id


def kept(session: Session, number: int, person: int) -> tuple[int, Filled] | None:
    """A table that was filled in for a teacher, and for which assignment; None where it is another's, or too old."""
    row = session.scalar(
        select(Sheet).where(Sheet.id == number, Sheet.person == person, Sheet.made >= _oldest())
    )
    return None if row is None else (row.assignment, msgspec.json.decode(row.record, type=Filled))


def _oldest() -> str:
    return (datetime.now(UTC) - timedelta(hours=KEPT_HOURS)).isoformat(timespec="milliseconds")
