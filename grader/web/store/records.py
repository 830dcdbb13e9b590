"""What the store is asked with and answers with."""

from typing import Literal

import msgspec

from grader.gradebook.records import Identity
from grader.grades import Override
from grader.model import Language, Report, Text

Role = Literal["learner", "teacher"]
State = Literal["waiting", "graded", "ungradable", "unreadable"]
# What grading an attempt again changed: its points, only what is said, or nothing; `ungradable` and `unreadable` change nothing either.
Change = Literal["points", "words", "nothing", "ungradable", "unreadable"]


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
    """An assignment. points: what full marks are worth, None: as the exercise has it; deadline: ISO 8601, UTC; most: files a person.

    title: what the link is called that leads there from a learning platform; empty where none does, or it was not said.
    """

    id: int
    course: int
    exercise: str
    points: float | None = None
    deadline: str | None = None
    most: int | None = None
    batch: int
    title: str = ""


class Tried(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt, and what it was given. person: of whom; ahead: how many wait before it; begun: whether it is being graded.

    to_look: whether a person should look at it, and none has. A class has many, and none refers to itself: nothing for the collector.
    """

    id: int
    assignment: int
    person: int
    number: int
    file: str
    sha256: str
    received: str
    state: State
    to_look: bool = False
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
    """An attempt that this process is to grade. tries: how often any process took it, this time among them.

    regrade: of which it is a trial, if of any; anew: whether that grades what is known as well.
    """

    job: int
    exercise: str
    sha256: str
    file: str
    tries: int
    regrade: int | None = None
    anew: bool = False


class Differs(msgspec.Struct, frozen=True, kw_only=True):
    """A check that gives other points than before. titles: its sentence by language; None where it was not there, or is no more."""

    check: str
    titles: dict[str, str]
    before: float | None
    after: float | None


class Regraded(msgspec.Struct, frozen=True, kw_only=True):
    """A regrade. attempt: the one alone, None: all; done of total attempts are graded. settled: None while nobody decided.

    over: whether what was decided is done.
    """

    id: int
    assignment: int
    attempt: int | None
    anew: bool
    began: str
    total: int
    done: int
    settled: Literal["counted", "dropped"] | None
    over: bool


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as a regrade found it; the points before and after are those of the assignment."""

    id: int
    number: int
    change: Change
    before: tuple[float, float] | None
    after: tuple[float, float] | None
    why: tuple[Differs, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A learner in a regrade: the score that counts, the one that would, and the attempts that differ. override: it stays what counts."""

    pseudonym: str
    name: str
    now: tuple[float, float | None] | None
    then: tuple[float, float | None] | None
    override: Override | None
    attempts: tuple[Again, ...]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that a person should look at, and why, in the grader's words; of one that somebody has looked at, who and when.

    counts: whether it is the one that counts; decided: whether a score of their own came of it.
    """

    pseudonym: str
    name: str
    tried: Tried
    counts: bool
    why: tuple[Text, ...] = ()
    by: str = ""
    when: str | None = None
    decided: bool = False


class Gradable(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to grade again. same: how many attempts were graded under today's conditions; failed: how many could not be graded.

    changed: how many were graded under others; waiting: how many are not graded yet; versions, graders: of the exercise and of the
    grader, by which the changed ones were graded.
    """

    same: int
    failed: int
    changed: int
    waiting: int
    versions: tuple[int, ...]
    graders: tuple[str, ...]


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


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person in the list of a class, for one assignment. best: the attempt that counts; attempts: how many there are.

    state: waiting where any of them is, else that of the best; None where nothing was handed in.
    """

    pseudonym: str
    name: str
    attempts: int = 0
    state: State | None = None
    best: Tried | None = None
    override: Override | None = None
