"""What was handed in, on disk: each content once, under its own digest."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from grader.errors import GradebookError

FOLDER_LETTERS = 2
# What says whose the folder is; and how a name ends that is given to what may be about to go.
MARK, ASIDE = "database", ".aside"


class Files:
    """A folder of contents, `ab/cdef…` by their SHA-256. Threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder if need be. Raises GradebookError where that fails."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _not_kept(self.folder, error) from None

    def put(self, content: bytes) -> str:
        """Keep a content for good: it is on the disk, not only on its way there, when this returns its SHA-256.

        Raises GradebookError where it cannot be written.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        self.prepare()
        try:
            if not _holds(path, content):
                _write(path, content)
        except OSError as error:
            raise _not_kept(path, error) from None
        return sha256

    def get(self, sha256: str) -> bytes:
        """A content. Raises GradebookError where it is not there, or is not what was put there."""
        path = self._path(sha256)
        try:
            content = _read(path)
        except OSError as error:
            raise GradebookError("file-store-lost", path=str(path), reason=error.strerror or "") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise GradebookError("file-store-changed", path=str(path))
        return content

    def claim(self, key: str) -> None:
        """Have the folder be that of one database. Raises GradebookError where it is another's, or cannot be written."""
        self.prepare()
        mark = self.folder / MARK
        try:
            if not mark.exists():
                _write(mark, key.encode())
            if mark.read_bytes() != key.encode():
                raise GradebookError("file-store-another", path=str(self.folder), mark=str(mark))
        except OSError as error:
            raise _not_kept(mark, error) from None

    def drop(self, sha256: str, wanted: Callable[[], bool]) -> bool:
        """Take a content away; False where it is not there, or is wanted by now, which is asked when nobody finds it any more.

        Who has written down meanwhile that it is wanted, and puts it once more after that, has it.
        """
        path = self._path(sha256)
        aside = _aside(path)
        try:
            path.replace(aside)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _not_kept(path, error) from None
        if wanted():
            with contextlib.suppress(FileNotFoundError):  # another process has brought it back
                aside.replace(path)
            return False
        aside.unlink(missing_ok=True)
        return True

    def older_than(self, moment: float) -> Iterator[str]:
        """The contents that were written before a time, in seconds since 1970. What writing or dropping left behind is put in order."""
        for path in self.folder.glob(f"{'[0-9a-f]' * FOLDER_LETTERS}/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime >= moment:
                    continue
                if not path.name.startswith("."):
                    yield path.parent.name + path.name
                elif path.name.endswith(ASIDE):  # nobody had decided about it yet
                    path.replace(path.with_name(path.name.removeprefix(".").removesuffix(ASIDE)))
                else:
                    path.unlink()

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:FOLDER_LETTERS] / sha256[FOLDER_LETTERS:]


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}{ASIDE}")


def _read(path: Path) -> bytes:
    """A content, also where it is about to be brought back."""
    for place in (path, _aside(path)):
        with contextlib.suppress(FileNotFoundError):
            return place.read_bytes()
    return path.read_bytes()


def _holds(path: Path, content: bytes) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes() == content
    return False


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True, mode=0o700)
    beside = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)
    _sync_folder(path.parent.parent)


def _sync_folder(folder: Path) -> None:
    """So that the name is on the disk too; Windows opens no folders, and needs none opened."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _not_kept(path: Path, error: OSError) -> GradebookError:
    return GradebookError("file-store-not-written", path=str(path), reason=error.strerror or "")
