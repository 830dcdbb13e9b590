"""A round of grading: everything that a class handed in, each file graded once, and each result kept when it is known."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader import __version__
from grader.batch import Graded, Task, grade_many
from grader.conditions import conditions
from grader.errors import UnreadableSubmission
from grader.exercise import Exercise
from grader.gradebook.book import Gradebook
from grader.gradebook.records import Identity, Regrade
from grader.grades import Grade, HandedIn
from grader.lms.recognise import Collected, Student
from grader.model import Report, said_by
from grader.settings import Settings


class Asked(NamedTuple):
    """What a round is about.

    source: the folder or archive; regrade: whether what is known is graded again, unless a regrade broken off has done so; isolated: whether others' files need a sandbox.
    """

    source: Path
    exercise: Exercise
    settings: Settings
    regrade: bool = False
    isolated: bool = True


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How far a round is, in students.

    known: had been graded before. full: all points; less: fewer; review: a person should look, whatever the points.
    unreadable: the file is no notebook or module; ungradable: the grader could not.
    """

    students: int
    done: int = 0
    known: int = 0
    full: int = 0
    less: int = 0
    review: int = 0
    unreadable: int = 0
    ungradable: int = 0

    def with_one(self, report: Report | None, *, known: bool) -> "Tally":
        """One student more; without a report the file cannot be read."""
        graded = report is not None and report.score is not None
        full = graded and report is not None and report.score == report.max_score
        return msgspec.structs.replace(
            self,
            done=self.done + 1,
            known=self.known + known,
            full=self.full + full,
            less=self.less + (graded and not full),
            review=self.review + (graded and report is not None and bool(report.needs_review)),
            unreadable=self.unreadable + (report is None),
            ungradable=self.ungradable + (report is not None and not graded),
        )


class Round:
    """One round, while it goes on. `tell` hears how far it is after each student."""

    def __init__(
        self, asked: Asked, collected: Collected, book: Gradebook, tell: Callable[[Tally], None]
    ) -> None:
        self._asked, self._book, self._tell = asked, book, tell
        self._students = collected.students
        self._waiting: dict[str, list[Grade]] = {}
        self._conditions = conditions(asked.exercise, asked.settings)
        self.regrade, self.batch = self._begun()
        self.tally = Tally(students=len(collected.students))

    def grade(self, executor: Executor, at_once: Callable[[], int], stopping: Callable[[], bool]) -> Tally:
        """Grade what is not known yet. Once `stopping()` says so, only what is under way."""
        settings = self._asked.settings
        for graded in grade_many(
            self._tasks(stopping), executor, settings, at_once=at_once, stopping=stopping
        ):
            self._take(graded)
        if self.tally.done == self.tally.students and not self._worth_another_try():
            self._book.end(self.batch)
        return self.tally

    def _begun(self) -> tuple[Regrade | None, int]:
        """The regrade, if it is one, and the batch, in the gradebook."""
        exercise, source = self._asked.exercise.slug, str(self._asked.source.absolute())
        if not self._asked.regrade:
            return None, self._book.begin(exercise, source)
        regrade = self._book.regrade(exercise, source, self._conditions)
        return regrade, regrade.batch

    def _worth_another_try(self) -> bool:
        """Whether a regrade stays open for those that could not be graded: unless nothing else was left to do, and that failed."""
        newly_graded = self.tally.full + self.tally.less - self.tally.known
        return self.regrade is not None and self.tally.ungradable > 0 and newly_graded > 0

    def _tasks(self, stopping: Callable[[], bool]) -> Iterator[Task]:
        """A task for each content that has to be graded; what is known, or cannot be read, is done with at once."""
        for student in self._students:
            if stopping():
                return
            if (task := self._task(student)) is not None:
                yield task

    def _task(self, student: Student) -> Task | None:
        """What there is to do for a student."""
        attempt, leaf = student.turned_in[0]
        content = leaf.read() or UnreadableSubmission("file-empty", path=leaf.shown)
        sha256 = "" if isinstance(content, UnreadableSubmission) else hashlib.sha256(content).hexdigest()
        handed_in = HandedIn(
            file=attempt.file,
            path=leaf.shown,
            sha256=sha256,
            attempts=len(student.turned_in),
            late=attempt.late,
        )
        grade = Grade(student=student.id, name=student.name, handed_in=handed_in)
        if isinstance(content, UnreadableSubmission):
            self._book.hand_in(self.batch, msgspec.structs.replace(grade, problem=said_by(content)))
            self._count(None, known=False)
            return None
        identity = self._identity(sha256)
        known = self._book.known(identity, self.regrade)
        if known is not None:
            self._book.hand_in(self.batch, grade, known=identity)
            self._count(known, known=True)
            return None
        if sha256 in self._waiting:  # the same file of another student is under way
            self._waiting[sha256].append(grade)
            return None
        self._waiting[sha256] = [grade]
        return Task(
            key=sha256,
            name=attempt.file,
            path=leaf.shown,
            content=content,
            exercise=self._asked.exercise.slug,
            conditions=self._conditions,
            isolated=self._asked.isolated,
        )

    def _take(self, graded: Graded) -> None:
        """Keep a result, with whose it is."""
        grades = [
            msgspec.structs.replace(grade, problem=graded.problem) for grade in self._waiting.pop(graded.key)
        ]
        if graded.report is None:
            self._book.hand_in(self.batch, *grades)
        else:
            self._book.keep(self._identity(graded.key), graded.report, self.batch, grades)
        for _ in grades:
            self._count(graded.report, known=False)

    def _count(self, report: Report | None, *, known: bool) -> None:
        self.tally = self.tally.with_one(report, known=known)
        self._tell(self.tally)

    def _identity(self, sha256: str) -> Identity:
        exercise, settings = self._asked.exercise, self._asked.settings
        return Identity(
            sha256=sha256,
            exercise=exercise.slug,
            exercise_version=exercise.manifest.version,
            grader_version=__version__,
            seed=settings.seed,
            conditions=self._conditions,
        )
