"""New databases on SQLite, for tests: making the tables takes a moment, so they are made once and copied."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from grader.web.store.store import Store, open_store


@contextmanager
def new_store(folder: Path) -> Iterator[Store]:
    """A new one in a folder, on SQLite."""
    place = folder / "service.sqlite"
    place.write_bytes(empty())
    with open_store(str(place), folder / "files", patience=20.0) as store:
        yield store


@cache
def empty() -> bytes:
    """A file with all tables."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "empty.sqlite"
        open_store(str(place), Path(folder) / "files").book.close()
        return place.read_bytes()
