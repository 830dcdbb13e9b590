"""Sends the grades of a plan one after the other: what fails for a while is tried again, what was sent is remembered."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from grader.errors import UsageError
from grader.lms.push.plan import Delivery
from grader.lms.push.platform import Passing, Platform, Refused
from grader.model import Parameters, Text

# Tries of one request, and the waits between them in seconds: the first, how fast they grow, the longest.
TRIES, FIRST_WAIT, GROWTH, LONGEST_WAIT = 6, 0.5, 2.0, 120.0

Waiting = Callable[[float], None]
T = TypeVar("T")


def deliver(
    deliveries: tuple[Delivery, ...],
    platform: Platform,
    begun: Callable[[Delivery], Callable[[], None]],
    waiting: Waiting,
) -> Iterator[tuple[Delivery, Text | None]]:
    """Send each grade; gives it as soon as it has arrived, or with why it has not.

    begun: remembers that a grade is about to be sent, and gives what remembers that it has arrived. A platform that does not come
    back is not asked again: what is left has not arrived. Raises UsageError if nothing will ever be taken.
    """
    gone: str | None = None
    for delivery in deliveries:
        trouble = None
        if gone is None:
            arrived = begun(delivery)
            try:
                _send(delivery, platform, waiting)
                arrived()
            except Refused as error:
                trouble = Text(id="push-refused", params=_why(delivery, str(error)))
            except Passing as error:
                gone = str(error)
        if gone is not None:
            trouble = Text(id="push-unreached", params=_why(delivery, gone))
        yield delivery, trouble


def patiently(work: Callable[[], T], waiting: Waiting) -> T:
    """Read something of a platform. Raises UsageError where it does not answer for good, and what `work` raises."""
    for wait in _waits():
        try:
            return work()
        except Passing as error:
            if wait is None:
                raise UsageError("platform-unreached", reason=str(error)) from None
            waiting(min(LONGEST_WAIT, wait if error.wait is None else error.wait))
    raise AssertionError


def _send(delivery: Delivery, platform: Platform, waiting: Waiting) -> None:
    again = delivery.again
    for wait in _waits():
        try:
            return platform.send(delivery.person, delivery.points, delivery.comment, again=again)
        except Passing as error:
            again = again or error.uncertain
            if wait is None:
                raise
            waiting(min(LONGEST_WAIT, wait if error.wait is None else error.wait))


def _waits() -> Iterator[float | None]:
    """How long to wait after each try that failed; None after the last."""
    yield from (FIRST_WAIT * GROWTH**tried for tried in range(TRIES - 1))
    yield None


def _why(delivery: Delivery, reason: str) -> Parameters:
    return {"student": delivery.student, "name": delivery.name, "reason": reason}
