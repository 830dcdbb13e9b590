"""Canvas: *Download Submissions* gives a flat zip of `{name}[_LATE]_{user id}_{attachment id}_{file}`.

The name is the sortable one without spaces; where grading is anonymous it is `anon`. A file handed in again has `-1`, `-2`, …
before its suffix. Attachments are numbered as they come in. Only the files of the last attempt are given out.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.lms.attempts import Attempt, most_follow

WORDS = {"en": "Canvas", "zh": "Canvas"}

# A student's own file may be called anything, so the first two numbers between underscores are Canvas's.
NAME = re.compile(r"(?P<who>.+?)(?P<late>_LATE)?_(?P<user>\d+)_(?P<attachment>\d+)_(?P<file>.+)")
AGAIN = re.compile(r"-\d+$")
ANONYMOUS = "anon"


def attempt(path: PurePosixPath) -> Attempt | None:
    """Whose it is, by the user's number."""
    found = NAME.fullmatch(path.name)
    if found is None or len(path.parts) > 1:
        return None
    file = PurePosixPath(found["file"])
    return Attempt(
        student=found["user"],
        name="" if found["who"] == ANONYMOUS else found["who"],
        number=int(found["attachment"]),
        late=found["late"] is not None,
        file=AGAIN.sub("", file.stem) + file.suffix,
    )


def claims(paths: Sequence[PurePosixPath]) -> bool:
    """Whether most names are of Canvas's form."""
    return most_follow(attempt, paths)
