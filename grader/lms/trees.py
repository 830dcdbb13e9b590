"""A folder or a zip of handed-in files, as one thing: paths, and how each is read."""

import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from grader.archive import ARCHIVE_SUFFIX, IGNORED, OF_A_CLASS, Content, Member, is_safe, listed
from grader.errors import UnreadableSubmission, UsageError
from grader.files import read_file

# Of a folder no more files are listed; a hundred thousand students have one or two each.
MAX_FILES = 500_000
MAX_DEPTH = 12


class Leaf(NamedTuple):
    """A file. path: inside the folder or zip; shown: what messages call it. modified: seconds since 1970, 0 if nobody knows.

    `read` gives the bytes, or what is wrong with them.
    """

    path: PurePosixPath
    shown: str
    modified: float
    read: Callable[[], Content | None]


def leaves(root: Path, wanted: Sequence[str], largest: int) -> Iterator[Leaf | UnreadableSubmission]:
    """The files with a wanted suffix below a folder or in a zip, and what is wrong with those that cannot be trusted.

    `largest` is the most bytes that a file may have. Raises UsageError if there is no such folder or zip, UnreadableSubmission
    if the zip as a whole cannot be read.
    """
    if root.is_dir():
        yield from _of_folder(root, wanted, largest)
    elif root.suffix.lower() == ARCHIVE_SUFFIX:
        for member in listed(root, wanted, largest, OF_A_CLASS):
            if (leaf := _of_member(root, member, wanted)) is not None:
                yield leaf
    else:
        raise UsageError("batch-neither-folder-nor-zip", path=str(root))


def _of_folder(root: Path, wanted: Sequence[str], largest: int) -> Iterator[Leaf]:
    """A link is a file that cannot be read, and leads nowhere."""
    count = 0
    for folder, folders, files in os.walk(root, onerror=_unreadable):
        below = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if not IGNORED.search(f"{name}/"))
        if len(below.parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(files):
            path = Path(folder) / name
            if path.suffix.lower() in wanted and not IGNORED.search(name):
                count += 1
                if count > MAX_FILES:
                    raise UsageError("batch-too-many-files", path=str(root), limit=MAX_FILES)
                yield Leaf(
                    PurePosixPath(below.as_posix()) / name,
                    str(path),
                    path.lstat().st_mtime,
                    partial(_read, path, largest),
                )


def _unreadable(error: OSError) -> None:
    raise UsageError(
        "batch-folder-unreadable", path=str(error.filename), reason=error.strerror or ""
    ) from None


def _read(path: Path, largest: int) -> Content:
    try:
        content = read_file(path, largest)
    except UnreadableSubmission as error:
        return error
    if len(content) > largest:
        return UnreadableSubmission("file-too-large", path=str(path), limit_mb=largest // 1_000_000)
    return content


def _of_member(root: Path, member: Member, wanted: Sequence[str]) -> Leaf | UnreadableSubmission | None:
    path = PurePosixPath(member.name)
    if is_safe(member.name) and path.suffix.lower() in wanted and not IGNORED.search(member.name):
        return Leaf(path, f"{root}/{member.name}", _seconds(member.modified), member.read)
    content = member.read()  # what is neither wanted nor wrong has none
    return content if isinstance(content, UnreadableSubmission) else None


def _seconds(moment: tuple[int, int, int, int, int, int]) -> float:
    try:
        return datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp()
    except ValueError:
        return 0.0
