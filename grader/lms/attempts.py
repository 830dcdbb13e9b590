"""Whose a file is: what the name that a learning platform gave it says."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a student handed in.

    student: what the platform tells its students apart by. name: what it calls this one, if the file says so.
    order: of the attempts of one student the later one has the greater; number: the same, of the files of one attempt.
    late: whether the platform says that it is late. file: the name that the student gave it. assignment: of which it is, where
    a folder may hold several.
    """

    student: str
    file: str
    name: str = ""
    order: tuple[int, ...] = ()
    number: int = 0
    late: bool = False
    assignment: str = ""


def most_follow(attempt: Callable[[PurePosixPath], Attempt | None], paths: Sequence[PurePosixPath]) -> bool:
    """Whether more than half of the paths follow a platform's rule: a stray file in a download makes it no other's."""
    return 2 * sum(attempt(path) is not None for path in paths) > len(paths)
