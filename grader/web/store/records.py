"""What the store is asked with and answers with."""

from typing import Literal

import msgspec

from grader.gradebook.records import Identity
from grader.grades import Override
from grader.model import Language, Report, Text

Role = Literal["learner", "teacher"]
State = Literal["waiting", "graded", "ungradable", "unreadable"]


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in: who, in which course, as what. frames, language: of who came from a learning platform, see `Visit`."""

    person: int
    pseudonym: str
    name: str
    role: Role
    course: int
    course_title: str
    frames: str | None = None
    language: Language | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment. points: what full marks are worth, None: as the exercise has it; deadline: ISO 8601, UTC; most: files a person."""

    id: int
    course: int
    exercise: str
    points: float | None = None
    deadline: str | None = None
    most: int | None = None
    batch: int


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt, and what it was given. person: of whom; ahead: how many wait before it; begun: whether it is being graded."""

    id: int
    assignment: int
    person: int
    number: int
    file: str
    sha256: str
    received: str
    state: State
    review: bool = False
    problem: Text | None = None
    result: int | None = None
    score: float | None = None
    max_score: float | None = None
    ahead: int = 0
    begun: bool = False

    def worth(self, points: float | None) -> tuple[float, float] | None:
        """The score and full marks, in the points of the assignment; None where there is no score."""
        if self.score is None or not self.max_score:
            return None
        most = self.max_score if points is None else points
        return self.score * most / self.max_score, most


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that this process is to grade. tries: how often any process took it, this time among them."""

    job: int
    exercise: str
    sha256: str
    file: str
    tries: int


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a link asks for its exercise; points, deadline and most as in `Asked`."""

    exercise: str
    points: float | None = None
    deadline: str | None = None
    most: int | None = None


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where the scores of somebody from a learning platform go: the platform, its column, and who it is there."""

    issuer: str
    client_id: str
    line_item: str
    scopes: tuple[str, ...]
    subject: str


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A score that is to go elsewhere. version: counts those of this person there; full: full marks, None where nobody knows them."""

    id: int
    version: int
    person: int
    destination: str
    score: float
    full: float | None


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A score that was sent elsewhere in vain, whose, and why; again: whether it is tried again by itself."""

    pseudonym: str
    name: str
    why: Text
    again: bool


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job: a report, with what it is known by, or why the file cannot be read."""

    identity: Identity | None = None
    report: Report | None = None
    problem: Text | None = None


def counts(
    best: Tried | None, override: Override | None, points: float | None
) -> tuple[float, float | None] | None:
    """The score that counts and full marks, in the points of the assignment; of an override without any grading, as it was given.

    None where there is no score, which is never a zero.
    """
    own = None if best is None else best.worth(points)
    if override is None:
        return own
    if own is None or best is None or not best.max_score:
        return override.score, None
    return override.score * own[1] / best.max_score, own[1]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A person in the list of a class, for one assignment. best: the attempt that counts; attempts: how many there are."""

    pseudonym: str
    name: str
    attempts: int = 0
    waiting: int = 0
    best: Tried | None = None
    override: Override | None = None
