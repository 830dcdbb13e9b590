"""Gradings and hand-ins made up for the gradebook, and a look past its face at the rows."""

import contextlib
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import select

from grader.gradebook.address import address
from grader.gradebook.book import Gradebook
from grader.gradebook.database import Database
from grader.gradebook.records import Identity
from grader.gradebook.tables import Decision, Result
from grader.grades import Grade, HandedIn
from grader.model import Finding, Report, Text

EXERCISE = "linear_regression"
ANN, BOB = "a" * 64, "b" * 64


def identity(sha256: str = ANN, **changed: int | str) -> Identity:
    whole = Identity(
        sha256=sha256,
        exercise=EXERCISE,
        exercise_version=1,
        grader_version="0.1.0",
        seed=2**32 - 1,
        conditions="as ever",
    )
    return msgspec.structs.replace(whole, **changed)


def graded(
    score: float, *mistakes: str, sha256: str = ANN, name: str = "a.ipynb", seconds: float = 0.5
) -> Report:
    return Report(
        exercise=EXERCISE,
        submission=name,
        sha256=sha256,
        status="graded",
        score=score,
        max_score=10.0,
        findings=tuple(Finding(mistake=mistake, confidence="likely", cell=1, line=2) for mistake in mistakes),
        seconds=seconds,
    )


def ungradable(sha256: str = ANN) -> Report:
    why = (Text(id="kernel-lost"),)
    return Report(
        exercise=EXERCISE,
        submission="a.ipynb",
        sha256=sha256,
        status="ungradable",
        score=None,
        max_score=0.0,
        needs_review=why,
    )


def handed_in(student: str, sha256: str = ANN, name: str = "", attempts: int = 1) -> Grade:
    file = HandedIn(
        file="work.ipynb", path=f"all.zip: {student}/work.ipynb", sha256=sha256, attempts=attempts
    )
    return Grade(student=student, name=name, handed_in=file)


def scores(book: Gradebook, batch: int | None = None) -> dict[str, float | None]:
    """The points that count, by student."""
    return {grade.student: grade.score for grade in book.grades(EXERCISE, batch)}


def results(place: str) -> Sequence[Result]:
    """Every grading that was kept, in the order in which they were."""
    with rows(place) as database:
        return database.read(lambda session: session.scalars(select(Result).order_by(Result.id)).all())


def decisions(place: str) -> Sequence[Decision]:
    """Every override, also those that no longer count."""
    with rows(place) as database:
        return database.read(lambda session: session.scalars(select(Decision).order_by(Decision.id)).all())


@contextlib.contextmanager
def rows(place: str) -> Iterator[Database]:
    """The rows behind a gradebook's face."""
    with contextlib.closing(Database(address(place), patience=5.0)) as database:
        yield database
