"""How a link on a learning platform asks for its exercise, by custom parameters."""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from grader.errors import LaunchRefused, UsageError
from grader.web.store.courses import moment
from grader.web.store.records import Terms

LONGEST_SHOWN, MOST_ATTEMPTS = 60, 1_000_000
T = TypeVar("T")


def terms(exercise: str, custom: Mapping[str, str]) -> Terms:
    """What a link says: `points`, `attempts` and `deadline`, each without limit where it is not said. Raises LaunchRefused."""
    return Terms(
        exercise=exercise,
        points=_read(custom, "points", _points),
        most=_read(custom, "attempts", _attempts),
        deadline=_read(custom, "deadline", moment),
    )


def _read(custom: Mapping[str, str], name: str, convert: Callable[[str], T]) -> T | None:
    """A parameter; one that the platform was to fill in, and did not (`$…`), says nothing."""
    value = custom.get(name, "").strip()
    if not value or value.startswith("$"):
        return None
    try:
        return convert(value)
    except (ValueError, UsageError):
        raise LaunchRefused(
            "lti-parameter-malformed", status=400, name=name, value=value[:LONGEST_SHOWN]
        ) from None


def _points(text: str) -> float:
    if not math.isfinite(points := float(text)) or points <= 0:
        raise ValueError(text)
    return points


def _attempts(text: str) -> int:
    if not 0 < (most := int(text)) <= MOST_ATTEMPTS:
        raise ValueError(text)
    return most
