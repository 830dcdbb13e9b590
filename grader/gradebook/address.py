"""Where a gradebook is: the path of a SQLite file, or the URL of a SQLite or PostgreSQL database."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from grader.errors import GradebookError

POSTGRES = ("postgresql", "postgres")


def address(text: str) -> URL:
    """Read what names a gradebook. Raises GradebookError; its message never repeats a URL, which may hold a password."""
    if "://" not in text:
        return _file(URL.create("sqlite", database=text))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise GradebookError("gradebook-address-malformed") from None
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        return _file(url.set(drivername="sqlite"))
    if kind not in POSTGRES:
        raise GradebookError("gradebook-kind-unknown", kind=kind)
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra, which only PostgreSQL needs
    except ImportError:
        raise GradebookError("gradebook-needs-psycopg") from None
    return url.set(drivername="postgresql+psycopg")


def _file(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise GradebookError("gradebook-address-malformed")
    return url


def shown(url: URL) -> str:
    """What messages call it: a file's path, or the URL without password and options."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
