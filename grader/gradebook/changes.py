"""What the last regrade changed: for each student the last two gradings of the file that counts, or of two attempts."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from grader.gradebook.batches import earlier
from grader.gradebook.records import Changed, Standing
from grader.gradebook.results import last_two
from grader.gradebook.tables import HandIn


def changed(session: Session, exercise: str, page: Sequence[HandIn]) -> list[Changed]:
    """Those of a page of students whose points or mistakes are others than before, in its order."""
    standings = last_two(session, exercise, {row.sha256 for row in page if row.sha256 is not None}, page)
    once = [row for row in page if row.sha256 is not None and len(standings.get(row.sha256, ())) == 1]
    attempts = earlier(session, exercise, once)
    before = last_two(session, exercise, set(attempts.values()))
    found = []
    for row in page:
        own = standings.get(row.sha256 or "", [])
        pair = [*own, *before.get(attempts.get(row.student, ""), [])[:1]][:2]
        if len(pair) > 1 and _differ(*pair):
            found.append(Changed(student=row.student, name=row.name, before=pair[1], after=pair[0]))
    return found


def _differ(one: Standing, other: Standing) -> bool:
    return (one.score, one.max_score, one.mistakes) != (other.score, other.max_score, other.mistakes)
