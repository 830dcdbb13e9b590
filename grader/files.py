"""Reads a file that somebody else wrote: an ordinary one, and no more of it than a bound allows."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from grader.errors import UnreadableSubmission

# A link may point at a file that its maker cannot read, and a pipe must not keep us waiting. Not every system
# has all of these.
GUARDS = ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of an ordinary file; at most one more than `limit`, however large it is or grows.

    Raises UnreadableSubmission for all that is not one: a folder, a link, a pipe, a device.
    """
    with ordinary_file(path) as file:
        content = file.read(limit + 1)
    if not content or (len(content) <= limit and content.isspace()):
        raise UnreadableSubmission("file-empty", path=str(path))
    return content


@contextmanager
def ordinary_file(path: Path) -> Iterator[BufferedReader]:
    """An ordinary file, open to be read. Raises UnreadableSubmission for all that is not one, and where reading it fails."""
    try:
        _demand_ordinary(path, path.lstat().st_mode)  # opening a device could already do something
        with os.fdopen(_opened(path), "rb") as file:
            _demand_ordinary(path, os.fstat(file.fileno()).st_mode)
            yield file
    except FileNotFoundError:
        raise UnreadableSubmission("file-missing", path=str(path)) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableSubmission("file-is-link", path=str(path)) from None
        raise UnreadableSubmission("file-unreadable", path=str(path), reason=error.strerror or "") from None


def _opened(path: Path) -> int:
    flags = os.O_RDONLY
    for guard in GUARDS:
        flags |= getattr(os, guard, 0)
    return os.open(path, flags)


def _demand_ordinary(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise UnreadableSubmission("file-is-folder", path=str(path))
    if stat.S_ISLNK(mode):
        raise UnreadableSubmission("file-is-link", path=str(path))
    if not stat.S_ISREG(mode):
        raise UnreadableSubmission("file-not-regular", path=str(path))
