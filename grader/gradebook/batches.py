"""The batches, and what each student handed in."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook.records import Regrade
from grader.gradebook.results import GRADED, now
from grader.gradebook.stored import storable, text_from, to_json
from grader.gradebook.tables import Batch, HandIn, Result
from grader.grades import Grade, HandedIn

# How many students are asked for at once: databases bound how many parameters a question may have, and a report takes up to
# some hundred kilobytes of memory.
PAGE = 50

T = TypeVar("T")


def pages(all: Sequence[T]) -> Iterator[Sequence[T]]:
    """The members of a sequence, a page at a time."""
    for start in range(0, len(all), PAGE):
        yield all[start : start + PAGE]


def begin(session: Session, exercise: str, source: str) -> int:
    """Note that a batch has begun; its number."""
    batch = Batch(exercise=exercise, source=source, started=now())
    session.add(batch)
    session.flush()
    return batch.id


def regrade(session: Session, exercise: str, source: str, conditions: str) -> Regrade:
    """Begin a batch that grades again: it goes on with the last such regrade, if that has not come to its end."""
    same = Batch.exercise == exercise, Batch.source == source, Batch.conditions == conditions
    last = session.scalar(select(func.max(Batch.regrade)).where(*same))
    over = select(Batch.id).where(Batch.regrade == last, Batch.ended.is_not(None)).limit(1)
    batch = session.get_one(Batch, begin(session, exercise, source))
    batch.conditions = conditions
    batch.regrade = batch.id if last is None or session.scalar(over) is not None else last
    return Regrade(batch=batch.id, first=batch.regrade, began=_batch(session, batch.regrade).started)


def end(session: Session, batch: int) -> None:
    """Note that a batch has come to its end. Raises UsageError for a number that no batch has."""
    _batch(session, batch).ended = now()


def hand_in(session: Session, batch: int, grades: Sequence[Grade], result: int | None = None) -> None:
    """Note what students handed in, with the grading of it; who is noted in this batch already is noted anew."""
    _batch(session, batch)
    for page in pages(grades):
        students = [storable(grade.student) for grade in page]
        there = select(HandIn).where(HandIn.batch == batch, HandIn.student.in_(students))
        rows = {row.student: row for row in session.scalars(there)}
        for student, grade in zip(students, page, strict=True):
            if student not in rows:
                rows[student] = HandIn(batch=batch, student=student)
                session.add(rows[student])
            _fill(rows[student], grade)
            rows[student].result = result


def chosen(session: Session, exercise: str, batch: int | None = None) -> int:
    """The number of a batch of an exercise, of the newest where none is named. Raises UsageError where there is none."""
    numbers = session.scalars(select(Batch.id).where(Batch.exercise == exercise).order_by(Batch.id)).all()
    if not numbers:
        raise UsageError("batch-none", exercise=exercise)
    if batch is not None and batch not in numbers:
        raise UsageError(
            "batch-unknown", exercise=exercise, batch=batch, known=", ".join(map(str, numbers[-5:]))
        )
    return numbers[-1] if batch is None else batch


def handed_in(session: Session, batch: int, after: int) -> Sequence[HandIn]:
    """A page of what was handed in, in the order in which it was noted; `after` is the id of the last one of the page before, or 0."""
    rows = select(HandIn).where(HandIn.batch == batch, HandIn.id > after)
    return session.scalars(rows.order_by(HandIn.id).limit(PAGE)).all()


def students(session: Session, exercise: str) -> dict[str, str]:
    """Everyone in a batch of an exercise, with the name last used."""
    named = select(HandIn.student, HandIn.name).join(Batch, Batch.id == HandIn.batch)
    return dict(session.execute(named.where(Batch.exercise == exercise).order_by(HandIn.id)).all())


def earlier(session: Session, exercise: str, now_counting: Sequence[HandIn]) -> dict[str, str]:
    """The content hash of each student's last file before the one that counts that could be graded; those who have one."""
    files = {row.student: row.sha256 for row in now_counting}
    graded = select(Result.id).where(
        Result.exercise == exercise, Result.sha256 == HandIn.sha256, Result.status == GRADED
    )
    before = (
        select(HandIn.student, HandIn.sha256)
        .join(Batch, Batch.id == HandIn.batch)
        .where(Batch.exercise == exercise, HandIn.student.in_(files), graded.exists())
        .order_by(HandIn.batch)
    )
    rows = session.execute(before)
    return {student: sha256 for student, sha256 in rows if sha256 is not None and sha256 != files[student]}


def grade_of(row: HandIn) -> Grade:
    """A student's line as far as it was noted: without report and override."""
    file = None
    if row.file is not None and row.path is not None and row.sha256 is not None:
        file = HandedIn(file=row.file, path=row.path, sha256=row.sha256, attempts=row.attempts, late=row.late)
    problem = None if row.problem is None else text_from(row.problem)
    return Grade(student=row.student, name=row.name, handed_in=file, problem=problem)


def _fill(row: HandIn, grade: Grade) -> None:
    file = grade.handed_in
    row.name = grade.name
    row.file, row.path, row.sha256 = (
        (None, None, None) if file is None else (file.file, file.path, file.sha256)
    )
    row.attempts, row.late = (0, False) if file is None else (file.attempts, file.late)
    row.problem = None if grade.problem is None else to_json(grade.problem)


def _batch(session: Session, number: int) -> Batch:
    batch = session.get(Batch, number)
    if batch is None:
        raise UsageError("batch-not-begun", batch=number)
    return batch
