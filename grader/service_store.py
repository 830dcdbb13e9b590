"""What the commands of the web service share: where it remembers things, and its options.

Heavy imports wait until a command needs them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.answering import answering
from grader.errors import UsageError
from grader.model import Language
from grader.options import LanguageOption

if TYPE_CHECKING:
    from grader.settings import Settings
    from grader.web.store.store import Store

DATABASE, FILES = "service.sqlite", "files"
# Seconds for which a page waits for a database that is away; a reader would not wait for long.
PATIENCE = 10.0

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="GRADER_DATABASE",
        show_envvar=True,
        metavar="FILE|URL",
        help="Where everything but files is kept: a SQLite file, or a postgresql:// URL; by default a file in your data folder.",
    ),
]
FilesOption = Annotated[
    Path | None,
    typer.Option("--files", help="The folder for what is handed in; beside a SQLite file by default."),
]
Code = Annotated[str, typer.Argument(metavar="CODE", help="The code that learners enter the course by.")]
KeepDays = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Forget what was handed in more than so many days ago, and people who have nothing here any more; else all is kept.",
    ),
]
SealOption = Annotated[
    Path | None,
    typer.Option(
        "--seal",
        envvar="GRADER_SEAL",
        show_envvar=True,
        metavar="FILE",
        help="A file with keys that our private keys in the database are encrypted by: 32 bytes in base64, a line each, the newest first.",
    ),
]


@contextmanager
def opened(database: str | None, files: Path | None = None) -> "Iterator[Store]":
    """What the service remembers: where it was said, or in the data folder; files beside a SQLite file. Raises GraderError."""
    from grader.web.serving import data_folder  # noqa: PLC0415
    from grader.web.store.store import open_store  # noqa: PLC0415

    own = data_folder()
    if database is None:
        try:
            own.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageError("file-not-written", path=str(own), reason=error.strerror or "") from None
    place = database or str(own / DATABASE)
    beside = own / FILES if "://" in place else Path(f"{place}.{FILES}")
    with open_store(place, files or beside, patience=PATIENCE) as store:
        yield store


@contextmanager
def store_of(
    database: str | None,
    language: LanguageOption,
    course: str | None = None,
    seed: int | None = None,
    files: Path | None = None,
) -> "Iterator[tuple[Store, Language, Settings]]":
    """For a command: what the service remembers, the language, the settings."""
    with answering(language, course, seed) as (settings, spoken):
        require_packages()
        with opened(database, files) as store:
            yield store, spoken, settings


def require_packages() -> None:
    """Raise UsageError where the packages of the service are not installed."""
    try:
        import prometheus_client  # noqa: F401, PLC0415
        import python_multipart  # noqa: F401, PLC0415
        import starlette  # noqa: F401, PLC0415
        import uvicorn  # noqa: F401, PLC0415
    except ImportError:
        raise UsageError("service-missing") from None
