"""The gradings that were kept, and which of them counts."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session

from grader.gradebook.records import Identity, Standing
from grader.gradebook.stored import report_from, with_digest
from grader.gradebook.tables import Batch, HandIn, Result
from grader.model import Report, Text

GRADED = "graded"
TWO = 2
# Which of the gradings of a file counts: the lowest.
FOUND_BY_THE_BATCH, FOUND_ELSEWHERE, UNGRADED = 0, 1, 2


class _Named(msgspec.Struct):
    mistake: str


class _Mistakes(msgspec.Struct):
    """What is read of a report to name its mistakes."""

    findings: tuple[_Named, ...] = ()


def now() -> str:
    """The time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def known(session: Session, identity: Identity, regrade: int | None = None) -> Report | None:
    """The last graded report of an identity; None where there is none that this program can read.

    regrade: only what was graded in it counts, by the number of its first batch.
    """
    newest = latest(identity).where(Result.status == GRADED)
    if regrade is not None:
        of_it = select(HandIn.result).join(Batch, Batch.id == HandIn.batch).where(Batch.regrade == regrade)
        newest = newest.where(Result.id.in_(of_it))
    row = session.scalar(newest)
    try:
        return None if row is None else report_from(row.report)
    except msgspec.ValidationError:
        return None


def number_of_known(session: Session, identity: Identity) -> int | None:
    """The number of the last graded grading of an identity."""
    row = session.scalar(latest(identity).where(Result.status == GRADED))
    return None if row is None else row.id


def keep(session: Session, identity: Identity, report: Report) -> int:
    """Add a grading, unless the last one of this identity said the same; its number."""
    last = session.scalar(latest(identity))
    text, says = with_digest(report)
    if last is not None and last.digest == says:
        return last.id
    new = Result(
        **msgspec.structs.asdict(identity),
        number=1 if last is None else last.number + 1,
        status=report.status,
        score=report.score,
        max_score=report.max_score,
        seconds=report.seconds,
        digest=says,
        report=text,
        when=now(),
    )
    session.add(new)
    session.flush()
    return new.id


def latest(identity: Identity) -> Select[Result]:
    """The last grading of an identity."""
    same = [getattr(Result, name) == value for name, value in msgspec.structs.asdict(identity).items()]
    return select(Result).where(*same).order_by(Result.number.desc()).limit(1)


def counting(session: Session, exercise: str, page: Sequence[HandIn]) -> dict[str, Report]:
    """Of each file the report that counts; where none was graded, the latest."""
    rank = func.row_number().over(partition_by=Result.sha256, order_by=_those_that_count_first(page))
    hashes = {row.sha256 for row in page if row.sha256 is not None}
    ranked = select(Result.id, rank.label("rank")).where(*_of(exercise, hashes)).subquery()
    chosen = select(Result).join(ranked, Result.id == ranked.c.id).where(ranked.c.rank == 1)
    return {row.sha256: report_of(row) for row in session.scalars(chosen)}


def last_two(
    session: Session, exercise: str, hashes: Collection[str], page: Sequence[HandIn] = ()
) -> dict[str, list[Standing]]:
    """Of each file what its last two gradings said, the one that counts first; ungradable ones said nothing."""
    rank = func.row_number().over(partition_by=Result.sha256, order_by=_those_that_count_first(page))
    graded = (
        select(Result.id, rank.label("rank"))
        .where(*_of(exercise, hashes), Result.status == GRADED)
        .subquery()
    )
    chosen = select(Result).join(graded, Result.id == graded.c.id).where(graded.c.rank <= TWO)
    found: dict[str, list[Standing]] = defaultdict(list)
    for row in session.scalars(chosen.order_by(graded.c.rank)):
        found[row.sha256].append(_standing(row))
    return found


def max_score(session: Session, exercise: str) -> float | None:
    """How many points an exercise has, by its latest grading; None where none was graded."""
    latest = select(Result.max_score).where(Result.exercise == exercise, Result.status == GRADED)
    return session.scalar(latest.order_by(Result.id.desc()).limit(1))


def _those_that_count_first(page: Sequence[HandIn]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """An order of gradings: those that the hand-ins of a batch have, then the others, the latest first; what is ungradable last.

    A batch may know a result of long ago, as when a check was changed and changed back.
    """
    found = {row.result for row in page if row.result is not None}
    first = case(
        (Result.status != GRADED, UNGRADED),
        (Result.id.in_(found), FOUND_BY_THE_BATCH),
        else_=FOUND_ELSEWHERE,
    )
    return first, Result.id.desc()


def _of(exercise: str, hashes: Collection[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Result.exercise == exercise, Result.sha256.in_(hashes)


def report_of(row: Result, submission: str | None = None) -> Report:
    """The report of a row, on a file of that name. Of one that a newer grader wrote in words unknown here, the points are left, and a note."""
    try:
        report = report_from(row.report)
        return report if submission is None else msgspec.structs.replace(report, submission=submission)
    except msgspec.ValidationError:
        return Report(
            exercise=row.exercise,
            submission=submission or "",
            sha256=row.sha256,
            status="graded" if row.status == GRADED else "ungradable",
            score=row.score,
            max_score=row.max_score,
            notes=(Text(id="gradebook-report-newer", params={"version": row.grader_version}),),
            seconds=row.seconds,
        )


def _standing(row: Result) -> Standing:
    try:
        findings = msgspec.json.decode(row.report, type=_Mistakes).findings
    except msgspec.ValidationError:
        findings = ()
    return Standing(
        sha256=row.sha256,
        exercise_version=row.exercise_version,
        grader_version=row.grader_version,
        score=row.score,
        max_score=row.max_score,
        mistakes=tuple(dict.fromkeys(finding.mistake for finding in findings)),
        when=row.when,
    )
