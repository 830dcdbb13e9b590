"""Blackboard: *Assignment File Download* gives a flat zip of `{item}_{username}_attempt_{year-month-day-hour-minute-second}_{file}`.

Beside each attempt there is a text file of the same name without the last part.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.lms.attempts import Attempt, most_follow

WORDS = {"en": "Blackboard", "zh": "Blackboard"}

# The name of the item may have underscores, that of a user has none of this form before `_attempt_`.
NAME = re.compile(r"(?P<item>.*)_(?P<user>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})_(?P<file>.+)")


def attempt(path: PurePosixPath) -> Attempt | None:
    """Whose it is, by the user's name; the time orders the attempts."""
    found = NAME.fullmatch(path.name)
    if found is None or len(path.parts) > 1:
        return None
    return Attempt(student=found["user"], order=tuple(map(int, found["when"].split("-"))), file=found["file"])


def claims(paths: Sequence[PurePosixPath]) -> bool:
    """Whether most names are of Blackboard's form."""
    return most_follow(attempt, paths)
