"""A plain folder or zip: one file, or one folder, for each student, by whose name the student is known."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from grader.lms.attempts import Attempt

WORDS = {"en": "a plain folder", "zh": "普通文件夹"}


def attempt(path: PurePosixPath) -> Attempt | None:
    """Whose it is, by the folder, or else by the file."""
    student = path.parts[0] if len(path.parts) > 1 else path.stem
    return Attempt(student=student, name=student, file=path.name)


def claims(paths: Sequence[PurePosixPath]) -> bool:
    """Whatever no other platform claims."""
    return False
