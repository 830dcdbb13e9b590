"""A class's grades: what each student handed in, and what it was given."""

import msgspec

from grader.model import Report, Text


class HandedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a student that counts.

    file: the name that the student gave it; path: where it is, as messages call it. attempts: how many files there are of this
    student, this one among them. late: whether the learning platform says that it is late.
    """

    file: str
    path: str
    sha256: str
    attempts: int = 1
    late: bool = False


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A score that a person gave in place of the checks', and why. when: ISO 8601, UTC."""

    score: float
    reason: str
    when: str


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """One student's line.

    student: what the learning platform tells its students apart by; name: what it calls them, or the roster does.
    handed_in: None of who is missing. report: what the grader says of it. problem: why there is no report, where the file cannot
    be read. override: what a person decided; it stands before the report's score.
    """

    student: str
    name: str = ""
    handed_in: HandedIn | None = None
    report: Report | None = None
    problem: Text | None = None
    override: Override | None = None

    @property
    def score(self) -> float | None:
        """The points that count; None where there are none, which is never a zero."""
        if self.override is not None:
            return self.override.score
        return None if self.report is None else self.report.score
