"""Fixtures that several test files share: warm kernels, and files to grade."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.gradebook.book import Gradebook, open_gradebook
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Report
from grader.settings import Settings
from grader.web.store.store import Store, open_store
from tests.postgres import Server, server
from tests.stores import empty, new_store
from tests.web import Pages
from tests.web_lti import Lms, school

CORPUS = Path(__file__).parent / "corpus"
SAMPLE = CORPUS / "linear_regression" / "s077.ipynb"


@pytest.fixture(scope="session")
def kernels() -> Iterator[Kernels]:
    """A warm parent for the whole test run."""
    with Kernels(Settings()) as kernels:
        yield kernels


@pytest.fixture
def write_notebook(tmp_path: Path) -> Callable[..., Path]:
    """`write_notebook("cell 1", "cell 2", name="a.ipynb", exercise=None)` writes a notebook and returns its path."""

    def write(*sources: str, name: str = "submission.ipynb", exercise: str | None = None) -> Path:
        cells: list[dict[str, object]] = [
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": text,
            }
            for n, text in enumerate(sources)
        ]
        metadata: dict[str, object] = {} if exercise is None else {"grader": {"exercise": exercise}}
        path = tmp_path / name
        path.write_text(
            json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}), "utf-8"
        )
        return path

    return write


@pytest.fixture
def grade_cells(kernels: Kernels, write_notebook: Callable[..., Path]) -> Callable[..., Report]:
    """`grade_cells([...], exercise="linear_regression")` grades a notebook of these cells."""

    def run(
        sources: Sequence[str], exercise: str = "linear_regression", settings: Settings | None = None
    ) -> Report:
        path = write_notebook(*sources)
        chosen = settings or Settings()
        return grade(load(path), load_exercise(course_folder(None), exercise), chosen, kernels)

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for the whole test run; who stops it starts it again."""
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database."""
    return str(request.param)


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new gradebook can be made: a file, and a database on a real server."""
    if kind == "sqlite":
        return str(tmp_path / "grades.db")
    running: Server = request.getfixturevalue("postgres")
    return running.database()


@pytest.fixture
def ready_place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new gradebook is, with all its tables."""
    if kind == "sqlite":
        (tmp_path / "grades.db").write_bytes(empty())
        return str(tmp_path / "grades.db")
    running: Server = request.getfixturevalue("postgres")
    return running.copy()


@pytest.fixture
def book(ready_place: str) -> Iterator[Gradebook]:
    """A new gradebook, on each kind of database."""
    with open_gradebook(ready_place) as book:
        yield book


@pytest.fixture
def each_store(ready_place: str, tmp_path: Path) -> Iterator[Store]:
    """What a new web service remembers, on each kind of database."""
    with open_store(ready_place, tmp_path / "files", patience=20.0) as store:
        yield store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """What a new web service remembers, on SQLite."""
    with new_store(tmp_path) as store:
        yield store


@pytest.fixture
def pages(store: Store) -> Pages:
    """The pages of a new web service."""
    return Pages(store)


@pytest.fixture
def lms(tmp_path: Path) -> Iterator[Lms]:
    """A learning platform, and a new web service that is registered with it."""
    with school(tmp_path) as found:
        yield found
