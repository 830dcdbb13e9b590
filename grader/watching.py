"""Grades a file again each time it is saved."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from grader.archive import ARCHIVE_SUFFIX
from grader.errors import UnreadableSubmission, UsageError
from grader.model import Text

# A save is over when nothing has happened for so long; some editors write in several steps.
QUIET_MS = 60
# Something always happens in some folders.
AT_MOST_MS = 300
# How often one looks without having been told: there are file systems that tell nothing.
LOOK_MS = 1_000
# A file that is replaced is missing for a moment; one that is missed twice in a row is gone.
GONE = 2


class Save(NamedTuple):
    """What tells one save from the next."""

    modified: int
    size: int
    node: int


def demand_watchable(files: Sequence[Path], *, on_screen: bool) -> None:
    """Raise UsageError if it is not one file that is to be watched, and UnreadableSubmission if it is not there."""
    if len(files) != 1 or files[0].suffix.lower() == ARCHIVE_SUFFIX:
        raise UsageError("watch-one-file")
    if not on_screen:
        raise UsageError("watch-on-screen")
    if not files[0].exists():
        raise UnreadableSubmission("file-missing", path=str(files[0]))


def on_each_save(path: Path, grade: Callable[[], int], tell: Callable[[Text], None]) -> int:
    """Grade a file now and after each save, until Ctrl-C; returns what the last grading did.

    `tell` is called with what happens between gradings. An interrupt while it grades goes on to the caller.
    """
    code, graded, missed = 0, None, 0
    with closing(_changes(path)) as changes:
        while True:
            save = _last_save(path)
            missed = 0 if save is not None else missed + 1
            if save is not None and save != graded:
                graded = save  # what is saved from here on is graded next
                code = grade()
                tell(Text(id="watch-waiting", params={"path": str(path), "time": _now()}))
                continue
            if missed == GONE:
                tell(Text(id="watch-gone", params={"path": str(path), "time": _now()}))
            try:
                next(changes)
            except KeyboardInterrupt:
                return code


def _changes(path: Path) -> Generator[object]:
    """Gives something when the file may have changed. Its folder is watched, since editors put a new file in the old one's place."""
    from watchfiles import watch  # noqa: PLC0415 - only where it is asked for

    return watch(
        path.parent,
        watch_filter=lambda _, changed: Path(changed).name == path.name,
        step=QUIET_MS,
        debounce=AT_MOST_MS,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        recursive=False,
    )


def _last_save(path: Path) -> Save | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Save(found.st_mtime_ns, found.st_size, found.st_ino)


def _now() -> str:
    return f"{datetime.now():%H:%M:%S}"
