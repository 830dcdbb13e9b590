"""What a regrade found of each attempt, kept apart from what counts."""

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.gradebook.records import Identity
from grader.gradebook.results import report_of
from grader.gradebook.stored import report_from, to_json, with_digest
from grader.gradebook.tables import Result
from grader.model import Report
from grader.web.store.records import Change, Differs, Outcome
from grader.web.store.tables import Attempt
from grader.web.store.teaching import Trial


def note(session: Session, regrade: int, attempt: Attempt, outcome: Outcome) -> None:
    """Keep what was found of an attempt, and how it differs from what counts."""
    row = session.scalar(select(Trial).where(Trial.regrade == regrade, Trial.attempt == attempt.id))
    if row is None:
        return
    before = None if row.before is None else session.get(Result, row.before)
    row.change = _change(before, outcome.report)
    if outcome.report is None or outcome.identity is None:
        return
    row.identity = as_text(outcome.identity)
    row.report = to_json(outcome.report)
    row.score, row.max_score = outcome.report.score, outcome.report.max_score
    if row.change == "points" and before is not None:
        row.why = msgspec.json.encode(differences(report_of(before), outcome.report)).decode()


def found(session: Session, regrade: int, identity: Identity, file: str) -> Report | None:
    """What the same regrade found of the same content under the same conditions already, whoever handed it in; None where nothing."""
    same = (
        select(Trial.report, Attempt.file)
        .join(Attempt, Attempt.id == Trial.attempt)
        .where(Trial.regrade == regrade, Trial.identity == as_text(identity), Trial.score.is_not(None))
    )
    for text, called in session.execute(same):
        if text is not None and called.rpartition(".")[2] == file.rpartition(".")[2]:
            return report_from(text)
    return None


def outcome_of(row: Trial) -> Outcome:
    """What a trial found, as a job brings it."""
    if row.identity is None or row.report is None:
        return Outcome()
    identity = msgspec.json.decode(row.identity, type=Identity)
    return Outcome(identity=identity, report=report_from(row.report))


def as_text(identity: Identity) -> str:
    """What a result is known by, as it is compared."""
    return msgspec.json.encode(identity).decode()


def differences(before: Report, after: Report) -> tuple[Differs, ...]:
    """The checks that give other points than before, in their order; one that there was not, or is no more, among them."""
    old, new = ({check.id: check for check in report.checks} for report in (before, after))
    found = []
    for id in dict.fromkeys([*old, *new]):
        one, other = old.get(id), new.get(id)
        points = [None if check is None else (check.score, check.max_score) for check in (one, other)]
        named = other or one
        if points[0] != points[1] and named is not None:
            own = [None if check is None else check.score for check in (one, other)]
            found.append(Differs(check=id, titles=dict(named.titles), before=own[0], after=own[1]))
    return tuple(found)


def _change(before: Result | None, after: Report | None) -> Change:
    if after is None:
        return "unreadable"
    if after.score is None:
        return "ungradable"
    if before is None or (before.score, before.max_score) != (after.score, after.max_score):
        return "points"
    return "nothing" if before.digest == with_digest(after)[1] else "words"
