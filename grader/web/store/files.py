"""What was handed in, on disk: each content once, under its own digest."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from grader.errors import GradebookError

FOLDER_LETTERS = 2


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
            content = path.read_bytes()
        except OSError as error:
            raise GradebookError("file-store-lost", path=str(path), reason=error.strerror or "") from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise GradebookError("file-store-changed", path=str(path))
        return content

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:FOLDER_LETTERS] / sha256[FOLDER_LETTERS:]


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
