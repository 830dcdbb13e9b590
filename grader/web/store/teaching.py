"""More tables of the service: of what teachers do. A change here needs a step in `gradebook/versions/` as well."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grader.gradebook.tables import Table


class Regrade(Table):
    """Attempts at an assignment that are graded again. attempt: the one alone; None: all. person: who asked; None: the command line.

    anew: also what is known under the same conditions. settled: counted or dropped, None while nobody decided; ended: when all of that
    was done.
    """

    __tablename__ = "regrades"
    __table_args__ = (Index("ix_regrades_assignment", "assignment"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assignment: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    attempt: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"))
    person: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    anew: Mapped[bool]
    began: Mapped[str]
    settled: Mapped[str | None]
    ended: Mapped[str | None]


class Trial(Table):
    """What a regrade found of one attempt; the row is gone once that counts or is dropped. before: the result that counts until then.

    change: None while it is not known, see `records.Change`; identity, report: JSON; why: JSON of the checks that say something else.
    """

    __tablename__ = "trials"
    __table_args__ = (UniqueConstraint("regrade", "attempt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    regrade: Mapped[int] = mapped_column(ForeignKey("regrades.id"))
    attempt: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    before: Mapped[int | None] = mapped_column(ForeignKey("results.id"))
    change: Mapped[str | None]
    identity: Mapped[str | None]
    report: Mapped[str | None]
    score: Mapped[float | None]
    max_score: Mapped[float | None]
    why: Mapped[str | None]


class Review(Table):
    """A person has looked at what was found of an attempt. result: what they saw; person: who, None of who is forgotten; decided: by giving a score of their own.

    An attempt that has another result by now has to be looked at anew.
    """

    __tablename__ = "reviews"
    __table_args__ = (Index("ix_reviews_attempt", "attempt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    result: Mapped[int | None] = mapped_column(ForeignKey("results.id"))
    person: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    decided: Mapped[bool]
    when: Mapped[str]


class Sheet(Table):
    """A platform's table that was filled in for a teacher, until they have taken it. record: what was filled in, as JSON; made: when."""

    __tablename__ = "sheets"
    __table_args__ = (UniqueConstraint("person"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[int] = mapped_column(ForeignKey("people.id"))
    assignment: Mapped[int] = mapped_column(ForeignKey("assignments.id"))
    record: Mapped[str]
    made: Mapped[str]
