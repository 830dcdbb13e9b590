"""The gradings that were kept, and which of them counts."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from grader.gradebook.records import Identity, Standing
from grader.gradebook.stored import report_from, with_digest
from grader.gradebook.tables import Result
from grader.model import Report, Text

GRADED = "graded"
TWO = 2


class _Named(msgspec.Struct):
    mistake: str


class _Mistakes(msgspec.Struct):
    """What is read of a report to name its mistakes."""

    findings: tuple[_Named, ...] = ()


def now() -> str:
    """The time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def known(session: Session, identity: Identity) -> Report | None:
    """The last graded report of an identity; None where there is none that this program can read."""
    newest = select(Result.report).where(*_same(identity), Result.status == GRADED)
    text = session.scalar(newest.order_by(Result.number.desc()).limit(1))
    try:
        return None if text is None else report_from(text)
    except msgspec.ValidationError:
        return None


def keep(session: Session, identity: Identity, report: Report) -> None:
    """Add a grading, unless the last one of this identity said the same."""
    latest = (
        select(Result.number, Result.digest).where(*_same(identity)).order_by(Result.number.desc()).limit(1)
    )
    number, said = session.execute(latest).one_or_none() or (0, "")
    text, says = with_digest(report)
    if said == says:
        return
    session.add(
        Result(
            **msgspec.structs.asdict(identity),
            number=number + 1,
            status=report.status,
            score=report.score,
            max_score=report.max_score,
            seconds=report.seconds,
            digest=says,
            report=text,
            when=now(),
        )
    )


def counting(session: Session, exercise: str, hashes: Collection[str]) -> dict[str, Report]:
    """Of each file the report that counts: of the latest graded grading, or where none was graded, of the latest."""
    graded_first = case((Result.status == GRADED, 0), else_=1)
    rank = func.row_number().over(partition_by=Result.sha256, order_by=(graded_first, Result.id.desc()))
    ranked = select(Result.id, rank.label("rank")).where(*_of(exercise, hashes)).subquery()
    chosen = select(Result).join(ranked, Result.id == ranked.c.id).where(ranked.c.rank == 1)
    return {row.sha256: _report(row) for row in session.scalars(chosen)}


def last_two(session: Session, exercise: str, hashes: Collection[str]) -> dict[str, list[Standing]]:
    """Of each file what its last two gradings said, the latest first; ungradable ones said nothing."""
    rank = func.row_number().over(partition_by=Result.sha256, order_by=Result.id.desc())
    graded = (
        select(Result.id, rank.label("rank"))
        .where(*_of(exercise, hashes), Result.status == GRADED)
        .subquery()
    )
    chosen = select(Result).join(graded, Result.id == graded.c.id).where(graded.c.rank <= TWO)
    found: dict[str, list[Standing]] = defaultdict(list)
    for row in session.scalars(chosen.order_by(Result.id.desc())):
        found[row.sha256].append(_standing(row))
    return found


def max_score(session: Session, exercise: str) -> float | None:
    """How many points an exercise has, by its latest grading; None where none was graded."""
    latest = select(Result.max_score).where(Result.exercise == exercise, Result.status == GRADED)
    return session.scalar(latest.order_by(Result.id.desc()).limit(1))


def _same(identity: Identity) -> list[ColumnElement[bool]]:
    return [getattr(Result, name) == value for name, value in msgspec.structs.asdict(identity).items()]


def _of(exercise: str, hashes: Collection[str]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Result.exercise == exercise, Result.sha256.in_(hashes)


def _report(row: Result) -> Report:
    """The report of a row. Of one that a newer grader wrote in words unknown here, the points are left, and a note."""
    try:
        return report_from(row.report)
    except msgspec.ValidationError:
        return Report(
            exercise=row.exercise,
            submission="",
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
