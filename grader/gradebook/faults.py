"""What goes wrong with a database: whether it may pass, and what to tell the person at the keyboard."""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError

from grader.errors import GradebookError

LOW_BYTE = 0xFF
# SQLite: another process holds the lock. A row that is there already was added by another process meanwhile: every writer
# looks before it adds, and will see it the next time.
LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
THERE_ALREADY = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
NO_DATABASE = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
# PostgreSQL's classes 08 (connection) and 57P (it shuts down or starts), lost races, that for a row which another is about to refer to
# or has forgotten among them, and too many connections.
PASSING_CLASSES = ("08", "57P")
PASSING = {"40001", "40P01", "23505", "23503", "53300"}
NOT_ALLOWED = {"42501", "25006"}


def may_pass(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed a little later."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = _code(cause)
        return code & LOW_BYTE in LOCKED or code in THERE_ALREADY
    if (state := _state(error)) is not None:
        return state.startswith(PASSING_CLASSES) or state in PASSING
    return error.connection_invalidated or isinstance(error, OperationalError)


def explained(error: DBAPIError, place: str) -> GradebookError | None:
    """The error in words; None where the program is at fault, not the database."""
    cause, reason = error.orig, _first_line(error)
    if isinstance(cause, sqlite3.Error):
        code = _code(cause) & LOW_BYTE
        if code in NO_DATABASE:
            return GradebookError("gradebook-no-database", place=place, reason=reason)
        if code in LOCKED:
            return GradebookError("gradebook-busy", place=place)
        return (
            GradebookError("gradebook-not-written", place=place, reason=reason) if _outside(error) else None
        )
    if _state(error) in NOT_ALLOWED:
        return GradebookError("gradebook-not-allowed", place=place, reason=reason)
    return GradebookError("gradebook-not-reached", place=place, reason=reason) if _outside(error) else None


def _outside(error: DBAPIError) -> bool:
    return error.connection_invalidated or isinstance(error, OperationalError)


def _code(cause: sqlite3.Error) -> int:
    """SQLite's extended code; 0 for errors of the driver's own."""
    return getattr(cause, "sqlite_errorcode", 0)


def _state(error: DBAPIError) -> str | None:
    """PostgreSQL's code; None where no server answered."""
    return getattr(error.orig, "sqlstate", None)


def _first_line(error: DBAPIError) -> str:
    return next(iter(str(error.orig).splitlines()), type(error.orig).__name__)
