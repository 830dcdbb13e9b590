"""nbgrader: a course's `submitted/{student}/{assignment}/`, as it collects them.

Of a whole course folder only what is below `submitted` counts.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.lms.attempts import Attempt

WORDS = {"en": "nbgrader", "zh": "nbgrader"}

SUBMITTED = "submitted"
DEPTH = 4


def attempt(path: PurePosixPath) -> Attempt | None:
    """Whose it is, by the student's folder."""
    if path.parts[0] != SUBMITTED or len(path.parts) < DEPTH:
        return None
    return Attempt(student=path.parts[1], assignment=path.parts[2], file=path.name)


def claims(paths: Sequence[PurePosixPath]) -> bool:
    """Whether there is a folder `submitted` with files where students' are."""
    return any(attempt(path) is not None for path in paths)
