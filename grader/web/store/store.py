"""The store's face: one database with the gradebook's tables and the service's, and the files that were handed in."""

from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy.orm import Session

from grader.gradebook.address import address
from grader.gradebook.book import PATIENCE, PATIENCE_AT_START, Gradebook
from grader.gradebook.database import Database
from grader.gradebook.schema import upgrade
from grader.web.store.files import Files

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """What the service remembers. Threads may share one; each process opens its own. All raise GradebookError where the database fails.

    What is asked of it are the functions of the modules beside this one, each in a transaction of its own.
    """

    def __init__(self, database: Database, files: Files) -> None:
        """For `open_store`."""
        self._database, self.files = database, files
        self.book = Gradebook(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()

    def read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **named: P.kwargs) -> T:
        """What a function answers. It may be called several times."""
        return self._database.read(lambda session: work(session, *args, **named))

    def write(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **named: P.kwargs) -> T:
        """The same, and what it did is committed when this returns."""
        return self._database.write(lambda session: work(session, *args, **named))


def open_store(place: str, folder: Path, *, patience: float = PATIENCE) -> Store:
    """Open what the service remembers, and make it if it is new: a gradebook's address, and a folder for files.

    Raises GradebookError for what cannot be opened, is no gradebook, or was written by a newer grader.
    """
    files = Files(folder)
    database = Database(address(place), patience)
    try:
        database.write(
            lambda session: upgrade(session, database.place), patience=min(patience, PATIENCE_AT_START)
        )
    except BaseException:
        database.close()
        raise
    return Store(database, files)
