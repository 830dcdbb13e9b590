"""What the gradebook is asked with and answers with, besides the records of `grader.grades`."""

import msgspec


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two gradings the same: the file's content, and all else that its grade depends on.

    conditions: a digest of that, see `grader.conditions`. The versions and the seed, which are in it too, are for people.
    """

    sha256: str
    exercise: str
    exercise_version: int
    grader_version: str
    seed: int
    conditions: str


class Regrade(msgspec.Struct, frozen=True, kw_only=True):
    """A regrade that goes on until everything has been graded again, over several batches if need be.

    batch: the one that goes on with it now; first: the one in which it began, and when: ISO 8601, UTC.
    """

    batch: int
    first: int
    began: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What one grading said. sha256: of the file; mistakes: their names, as the report has them; when: ISO 8601, UTC."""

    sha256: str
    exercise_version: int
    grader_version: str
    score: float | None
    max_score: float
    mistakes: tuple[str, ...]
    when: str


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A student for whom the last two gradings differ in points or mistakes: of the same file, or of two attempts."""

    student: str
    name: str
    before: Standing
    after: Standing


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """A grade as it was sent to a learning platform. person: the student's number there; says: equal where two say the same.

    delivered: False where nobody knows whether it has arrived.
    """

    student: str
    person: str
    points: float
    says: str
    delivered: bool = False
