"""Moodle: *Download all submissions* gives a folder for each student, `{full name}_{number}_assignsubmission_file`.

Before Moodle 4.1 the folder's name ends in one more underscore. The number is that of the grading worksheet, where it stands as
`Participant {number}`; it is no user's id. Only the last attempt is given out.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.lms.attempts import Attempt, most_follow

WORDS = {"en": "Moodle", "zh": "Moodle"}

FOLDER = re.compile(r"(?P<who>.*)_(?P<number>\d+)_assignsubmission_file_?")


def attempt(path: PurePosixPath) -> Attempt | None:
    """Whose it is, by the number of the worksheet."""
    found = FOLDER.fullmatch(path.parts[0])
    if found is None or len(path.parts) < 2:  # noqa: PLR2004 - a folder and a file
        return None
    return Attempt(student=found["number"], name=found["who"], file=path.name)


def claims(paths: Sequence[PurePosixPath]) -> bool:
    """Whether most files lie in folders of Moodle's form."""
    return most_follow(attempt, paths)
