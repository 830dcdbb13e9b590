"""The tables. Rows of results and overrides are added and never changed, so that history stays; of a push only whether it arrived.

But all that is known of a person may be forgotten (`forgetting`).

Times are ISO 8601, UTC, as in all records. A change here needs a step in `versions/`; a test compares the two.
"""

from sqlalchemy import BigInteger, Double, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from grader.gradebook.stored import Storable

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
}


class Table(DeclarativeBase):
    """What all tables share: constraints with names of our own, and text that any database can hold."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {str: Storable, float: Double}  # noqa: RUF012 - SQLAlchemy reads it off the class


class Result(Table):
    """One grading. conditions: a digest of all that it depends on besides the file. number: counts those of one identity, from 1, so that two processes cannot both add the next.

    report: JSON; digest: equal where two reports say the same. seconds: what the run took.
    """

    __tablename__ = "results"
    __table_args__ = (
        UniqueConstraint(
            *("exercise", "sha256", "exercise_version", "grader_version", "seed", "conditions", "number")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    exercise: Mapped[str]
    exercise_version: Mapped[int]
    grader_version: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    conditions: Mapped[str]
    number: Mapped[int]
    status: Mapped[str]
    score: Mapped[float | None]
    max_score: Mapped[float]
    seconds: Mapped[float]
    digest: Mapped[str]
    report: Mapped[str]
    when: Mapped[str]


class Batch(Table):
    """One call of `grader batch`. source: the folder or archive; ended: None while it runs, or where it was broken off.

    regrade: the batch in which the regrade began with which this one goes on, itself if it is the first; conditions: under which.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_exercise", "exercise"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exercise: Mapped[str]
    source: Mapped[str]
    started: Mapped[str]
    ended: Mapped[str | None]
    regrade: Mapped[int | None]
    conditions: Mapped[str | None]


class HandIn(Table):
    """What one student handed in, as one batch found it; without a file, who is missing.

    problem: JSON of a Text; result: the grading that the batch gave, or knew from before.
    """

    __tablename__ = "hand_ins"
    __table_args__ = (UniqueConstraint("batch", "student"), Index("ix_hand_ins_student", "student"))

    id: Mapped[int] = mapped_column(primary_key=True)
    batch: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    student: Mapped[str]
    name: Mapped[str]
    file: Mapped[str | None]
    path: Mapped[str | None]
    sha256: Mapped[str | None]
    attempts: Mapped[int]
    late: Mapped[bool]
    problem: Mapped[str | None]
    result: Mapped[int | None] = mapped_column(ForeignKey("results.id"))


class Decision(Table):
    """What a person decided about a student's score; the newest counts. score: None takes back the one before.

    batch: the one that it is for; None: it is for the student, in every batch of the exercise.
    """

    __tablename__ = "overrides"
    __table_args__ = (Index("ix_overrides_exercise", "exercise", "student"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exercise: Mapped[str]
    student: Mapped[str]
    score: Mapped[float | None]
    reason: Mapped[str]
    when: Mapped[str]
    batch: Mapped[int | None] = mapped_column(ForeignKey("batches.id"))


class Push(Table):
    """A grade that was sent to a learning platform. place: the address of the assignment; person: the student's number there.

    says: equal where two say the same. delivered: False until the platform has answered.
    """

    __tablename__ = "pushes"
    __table_args__ = (Index("ix_pushes_exercise", "exercise", "place", "student"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exercise: Mapped[str]
    place: Mapped[str]
    student: Mapped[str]
    person: Mapped[str]
    points: Mapped[float]
    says: Mapped[str]
    delivered: Mapped[bool]
    when: Mapped[str]
