"""The gradebook's face: what is known, what was handed in, what counts, and what a person decided."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

import msgspec
from sqlalchemy.orm import Session

from grader.gradebook import batches, overrides, pushes, results
from grader.gradebook.address import address
from grader.gradebook.changes import changed
from grader.gradebook.database import Database
from grader.gradebook.records import Changed, Identity, Pushed, Regrade
from grader.gradebook.schema import upgrade
from grader.gradebook.tables import HandIn
from grader.grades import Grade, Override
from grader.model import Report

# Seconds for which a server that is away is waited for: in the midst of the work, and at the start, where a typing error is likelier.
PATIENCE, PATIENCE_AT_START = 60.0, 5.0


class Gradebook:
    """Results, hand-ins and overrides in a database. Every call is a transaction of its own, committed when it returns.

    Threads may share one; each process opens its own. A call waits for a server that is restarted. All raise GradebookError
    where the database fails for good.
    """

    def __init__(self, database: Database) -> None:
        """For `open_gradebook`."""
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connections."""
        self._database.close()

    # ---- results --------------------------------------------------------------------------------

    def known(self, identity: Identity, regrade: Regrade | None = None) -> Report | None:
        """The last graded report, in a regrade that of it; None where there is none, an ungradable one being tried again.

        `submission` in it is what the file was called when it was graded, by whomever.
        """
        first = None if regrade is None else regrade.first
        return self._database.read(lambda session: results.known(session, identity, first))

    def keep(
        self, identity: Identity, report: Report, batch: int | None = None, grades: Sequence[Grade] = ()
    ) -> None:
        """Keep a grading and, with the number of a batch, note who handed that in, all or none.

        The same once more, whatever its file is called and however long it took, is not counted again.
        """

        def work(session: Session) -> None:
            result = results.keep(session, identity, report)
            if batch is not None:
                batches.hand_in(session, batch, grades, result)

        self._database.write(work)

    # ---- batches --------------------------------------------------------------------------------

    def begin(self, exercise: str, source: str) -> int:
        """Begin a batch of an exercise, from a folder or archive; its number."""
        return self._database.write(lambda session: batches.begin(session, exercise, source))

    def regrade(self, exercise: str, source: str, conditions: str) -> Regrade:
        """Begin a batch that grades again. A regrade of the same under the same conditions that is not at its end is gone on with."""
        return self._database.write(lambda session: batches.regrade(session, exercise, source, conditions))

    def hand_in(self, batch: int, *grades: Grade, known: Identity | None = None) -> None:
        """Note what students handed in, and who is missing, all or none; of the grades it takes neither report nor override.

        known: what the grading is known by that is theirs.
        """

        def work(session: Session) -> None:
            result = None if known is None else results.number_of_known(session, known)
            batches.hand_in(session, batch, grades, result)

        self._database.write(work)

    def end(self, batch: int) -> None:
        """Note that a batch has come to its end."""
        self._database.write(lambda session: batches.end(session, batch))

    def grades(self, exercise: str, batch: int | None = None) -> list[Grade]:
        """The grades of a batch, the newest unless told otherwise: see `each_grade`."""
        return list(self.each_grade(exercise, batch))

    def each_grade(self, exercise: str, batch: int | None = None) -> Iterator[Grade]:
        """What counts for each student of a batch, in the order they were noted; a large class's reports need not fit in memory.

        The report is of the grading that the batch found; where that is ungradable or there is none, of the latest graded one of the
        student's file, and of an ungradable one where there is no other. Raises UsageError where there is no such batch.
        """
        number = self._database.read(lambda session: batches.chosen(session, exercise, batch))
        decided = self._database.read(lambda session: overrides.in_force(session, exercise, number))
        for page in self._pages(number):
            reports = self._reports(exercise, page)
            for row in page:
                yield _grade(row, reports, decided)

    # ---- what a person decides ------------------------------------------------------------------

    def override(self, exercise: str, student: str, score: float, reason: str) -> None:
        """Let a score count in place of the checks', also after regrades; it replaces an earlier one.

        Raises UsageError for a student who is in no batch, a score below 0 or above the exercise's points, and no reason.
        """
        self._database.write(lambda session: overrides.put(session, exercise, student, score, reason))

    def withdraw(self, exercise: str, student: str) -> None:
        """Take an override back. Raises UsageError where there is none."""
        self._database.write(lambda session: overrides.take_back(session, exercise, student))

    # ---- what was sent to a learning platform ---------------------------------------------------

    def pushed(self, exercise: str, place: str) -> dict[str, Pushed]:
        """The last that was sent of each student to a place, by student."""
        return self._database.read(lambda session: pushes.pushed(session, exercise, place))

    def push(self, exercise: str, place: str, push: Pushed) -> int:
        """Note that a grade is about to be sent, before it is; the number to say so by that it has arrived."""
        return self._database.write(lambda session: pushes.begin(session, exercise, place, push))

    def arrived(self, number: int) -> None:
        """Note that a grade that was sent has arrived."""
        self._database.write(lambda session: pushes.arrived(session, number))

    # ---- what a regrade changed -----------------------------------------------------------------

    def changes(self, exercise: str) -> list[Changed]:
        """The students of the newest batch whose points or mistakes the last regrade, or their last attempt, changed.

        They are the checks' points; overrides are left aside. Raises UsageError where the exercise has no batch.
        """
        found: list[Changed] = []
        number = self._database.read(lambda session: batches.chosen(session, exercise))
        for page in self._pages(number):
            found += self._changed(exercise, page)
        return found

    def _pages(self, batch: int) -> Iterator[list[HandIn]]:
        page = self._page(batch, 0)
        while page:
            yield page
            page = self._page(batch, page[-1].id)

    def _page(self, batch: int, after: int) -> list[HandIn]:
        return self._database.read(lambda session: list(batches.handed_in(session, batch, after)))

    def _reports(self, exercise: str, page: list[HandIn]) -> dict[str, Report]:
        return self._database.read(lambda session: results.counting(session, exercise, page))

    def _changed(self, exercise: str, page: list[HandIn]) -> list[Changed]:
        return self._database.read(lambda session: changed(session, exercise, page))


def open_gradebook(place: str, *, patience: float = PATIENCE) -> Gradebook:
    """Open a gradebook, and make it if it is new: a SQLite file by its path, SQLite or PostgreSQL by URL.

    patience: for how many seconds each call waits for a server that is away. Raises GradebookError for what cannot be opened, is
    no gradebook, or was written by a newer grader.
    """
    database = Database(address(place), patience)
    try:
        database.write(
            lambda session: upgrade(session, database.place), patience=min(patience, PATIENCE_AT_START)
        )
    except BaseException:
        database.close()
        raise
    return Gradebook(database)


def _grade(row: HandIn, reports: dict[str, Report], decided: dict[str, Override]) -> Grade:
    """A student's line. Two who handed in the same file share a grading; each report has the student's own path."""
    grade = batches.grade_of(row)
    report = None if grade.handed_in is None else reports.get(grade.handed_in.sha256)
    if report is not None and grade.handed_in is not None:
        report = msgspec.structs.replace(report, submission=grade.handed_in.path)
    return msgspec.structs.replace(grade, report=report, override=decided.get(grade.student))
