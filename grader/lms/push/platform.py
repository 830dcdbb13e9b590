"""What a learning platform is to whoever sends grades: an assignment, its people, and a way to give one of them a grade.

    Passing    a request failed that may succeed a little later
    Refused    the platform will not take this one grade

What makes the whole request unusable (no such course, a token that is not accepted) is a UsageError.
"""

from typing import Protocol

import msgspec

from grader.grades import Grade

# How long an answer is waited for, in seconds.
TIMEOUT = 30.0
TOO_MANY, FIRST_OF_THE_SERVER = 429, 500


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the course. id: the platform's own; keys: what else it tells this one by, by kind. excused: gets no grade."""

    id: str
    name: str
    keys: dict[str, str]
    excused: bool = False


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What is graded. most: full marks there. comments: whether it takes any."""

    title: str
    most: float
    comments: bool = True


class Passing(Exception):  # noqa: N818 - a state of the platform
    """It may go through later. wait: after how many seconds, where the platform says so. uncertain: whether it may have gone through already."""

    def __init__(self, reason: str, *, wait: float | None = None, uncertain: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.uncertain = wait, uncertain


class Refused(Exception):  # noqa: N818 - what the platform does
    """The platform does not take this grade; the message is its own."""


class Platform(Protocol):
    """One assignment of a platform, with a token that may grade it. All but `place` and `kind` raise Passing and UsageError."""

    @property
    def place(self) -> str:
        """What the gradebook remembers it by: always the same for the same assignment."""

    def assignment(self) -> Assignment:
        """What is graded."""

    def people(self) -> list[Person]:
        """Everyone who may get a grade."""

    def kind(self, grade: Grade) -> str | None:
        """Which of a person's keys a student is called by, where the file handed in tells."""

    def send(self, person: Person, points: float, comment: str, *, again: bool) -> None:
        """Give a grade with a comment. again: it may have been given already, and is not to be said twice. Raises Refused."""


def wait_asked(header: str | None) -> float | None:
    """The seconds in a `Retry-After` header; a date in it is passed over."""
    return float(header) if header is not None and header.strip().isdecimal() else None


def may_pass(status: int) -> bool:
    """Whether an HTTP status says that the same request may succeed later."""
    return status == TOO_MANY or status >= FIRST_OF_THE_SERVER
