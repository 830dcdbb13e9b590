"""Transactions on a gradebook's database: whole or not at all, tried again while what hinders them may pass."""

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from grader.gradebook.address import shown
from grader.gradebook.faults import explained, may_pass

# Waits between two tries, in seconds: the first, how fast they grow, and the longest.
FIRST_WAIT, GROWTH, LONGEST_WAIT = 0.02, 2.0, 1.0
# How long psycopg waits for a connection.
CONNECT_SECONDS = 10
# Who may read a new file: it names people.
OWN = 0o600
# As many connections as threads ask for; and what is written, which names people, stands in no error and so in no log.
ENGINE: dict[str, Any] = {"max_overflow": -1, "hide_parameters": True}

T = TypeVar("T")


class Database:
    """A database by its URL. Threads may share one; each process opens its own.

    patience: for how many seconds a transaction is tried again while the server is away or others are in its way.
    """

    def __init__(self, url: URL, patience: float) -> None:
        self.place, self.patience = shown(url), patience
        self._reading = _sqlite(url, patience) if url.drivername == "sqlite" else _postgres(url)
        self._writing = self._reading.execution_options(begin="BEGIN IMMEDIATE")

    def read(self, work: Callable[[Session], T]) -> T:
        """What `work` answers, which may be called several times. Raises GradebookError where the database fails."""
        return self._whole(self._reading, work, self.patience)

    def write(self, work: Callable[[Session], T], patience: float | None = None) -> T:
        """The same, and what it did is committed; it sees no write of others between its first word and its last in SQLite."""
        return self._whole(self._writing, work, self.patience if patience is None else patience)

    def close(self) -> None:
        """Give up the connections."""
        self._reading.dispose()

    def _whole(self, engine: Engine, work: Callable[[Session], T], patience: float) -> T:
        deadline = time.monotonic() + patience
        for wait in _waits():
            try:
                with Session(engine, expire_on_commit=False) as session, session.begin():
                    return work(session)
            except DBAPIError as error:
                if not may_pass(error) or time.monotonic() + wait > deadline:
                    if (fault := explained(error, self.place)) is not None:
                        raise fault from None
                    raise
            time.sleep(wait)
        raise AssertionError


def _waits() -> Iterator[float]:
    wait = FIRST_WAIT
    while True:
        yield wait
        wait = min(wait * GROWTH, LONGEST_WAIT)


def _postgres(url: URL) -> Engine:
    waiting = {"connect_timeout": CONNECT_SECONDS}
    return create_engine(url, pool_pre_ping=True, connect_args=waiting, **ENGINE)


def _sqlite(url: URL, lock_seconds: float) -> Engine:
    """A file that is new is for one's own account alone, and so is what SQLite puts beside it."""
    with contextlib.suppress(OSError):  # where it is there, or cannot be made; SQLite says why
        os.close(os.open(str(url.database), os.O_CREAT | os.O_EXCL, OWN))
    engine = create_engine(url, connect_args={"timeout": lock_seconds}, **ENGINE)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """WAL lets others read while one writes, and what is deleted is overwritten.

    Transactions are begun below, not by the driver, so that tables are made in one too.
    """
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    """Who will write takes the lock at once: to ask for it after reading would fail without waiting where another has written."""
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
