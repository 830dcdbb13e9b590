"""A database in which links to one exercise shared an assignment is brought up to date: nobody's attempts or scores are lost."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from grader.gradebook import overrides, versions
from grader.gradebook.address import address
from grader.gradebook.book import open_gradebook
from grader.gradebook.database import Database
from grader.gradebook.schema import VERSION_TABLE
from grader.lms.lti.records import Course as There
from grader.lms.lti.records import Launch, Link, ScoreService
from grader.web.store import arrivals, attempts, clearing, courses, people, standing
from grader.web.store.records import Destination, Terms
from grader.web.store.store import Store, open_store
from grader.web.store.tables import Delivery
from tests.gradebooks import ANN, EXERCISE, rows
from tests.test_gradebook_stored import differences

PLATFORM = "https://lms.example"
KEY = people.key_elsewhere(PLATFORM, "ann")
TWICE = (
    "INSERT INTO assignments SELECT 99, course, exercise, points, deadline, most, batch, link, title"
    " FROM assignments WHERE id = 1"
)


def to(column: str) -> str:
    """A destination as JSON, in which nothing looks like a parameter."""
    there = Destination(issuer="lms", client_id="us", line_item=column, scopes=(), subject="ann")
    return msgspec.json.format(msgspec.json.encode(there)).decode()


# Course 1 is a platform's: two links lead to assignment 1, the second of them is the newer, and none to assignment 2 any more.
# Course 2 was added by hand. Ann and Bob are in one each; cy is in a batch of the command line, which is the fourth.
ROWS = (
    *(f"INSERT INTO courses VALUES ({n}, 'course-{n}', 'Course {n}', 'teacher-{n}', 'now')" for n in (1, 2)),
    f"INSERT INTO platforms VALUES (1, '{PLATFORM}', 'us', '[]', '', '', '', '', 'School', '')",
    "INSERT INTO contexts VALUES (1, 1, '1', 'course there', 1, NULL)",
    *(
        f"INSERT INTO batches VALUES ({n}, '{EXERCISE}', 'course', 'now', NULL, NULL, NULL)"
        for n in (1, 3, 4)
    ),
    "INSERT INTO batches VALUES (2, 'temperature', 'course', 'now', NULL, NULL, NULL)",
    f"INSERT INTO assignments VALUES (1, 1, '{EXERCISE}', 10, NULL, 2, 1)",
    "INSERT INTO assignments VALUES (2, 1, 'temperature', NULL, NULL, NULL, 2)",
    f"INSERT INTO assignments VALUES (3, 2, '{EXERCISE}', NULL, '2099-01-01', NULL, 3)",
    "INSERT INTO links VALUES (1, 1, 'older', 1)",
    "INSERT INTO links VALUES (2, 1, 'newer', 1)",
    f"INSERT INTO people VALUES (1, 1, '{KEY}', 'ann', 'Ann', 'learner', 'now')",
    "INSERT INTO people VALUES (2, 2, 'key-b', 'bob', 'Bob', 'learner', 'now')",
    f"INSERT INTO results VALUES (1, '{ANN}', '{EXERCISE}', 1, '0.1.0', 0, 1, 'graded', 7, 10, 1, 'd', '{{}}', 'now', '')",
    *(
        f"INSERT INTO attempts VALUES ({n}, {assignment}, {person}, 1, '{ANN}', 'a.ipynb', 'now', 'graded', :no, NULL, 1)"
        for n, assignment, person in ((1, 1, 1), (2, 2, 1), (3, 3, 2))
    ),
    *(f"INSERT INTO jobs VALUES ({n}, {n}, 'done', NULL, NULL, 1, NULL)" for n in (1, 2, 3)),
    "INSERT INTO regrades VALUES (1, 1, NULL, NULL, :no, 'now', 'dropped', 'now')",
    "INSERT INTO sheets VALUES (1, 2, 3, '{}', 'now')",
    *(
        f"INSERT INTO deliveries VALUES ({n}, {n}, 1, '{to(column)}', 7, 10, 1, 1, 0, NULL, NULL, NULL, NULL)"
        for n, column in ((1, "older"), (2, "newer"))
    ),
    *(
        f"INSERT INTO overrides VALUES ({n}, '{exercise}', '{student}', {n}, 'said', 'now')"
        for n, exercise, student in (
            (1, EXERCISE, "ann"),
            (2, "temperature", "ann"),
            (3, EXERCISE, "bob"),
            (4, EXERCISE, "cy"),
        )
    ),
)


def before(session: Session) -> None:
    """What the grader made in which links shared assignments, with two courses in it."""
    (folder,) = versions.__path__
    steps = ScriptDirectory(str(Path(folder).parent), version_locations=[folder])

    def until(heads: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        ahead = reversed([*steps.iterate_revisions("009", "base")])
        return [MigrationStep.upgrade_from_script(steps.revision_map, step) for step in ahead]

    context = MigrationContext.configure(
        session.connection(), opts={"version_table": VERSION_TABLE, "fn": until}
    )
    context.run_migrations(op=Operations(context))
    for row in ROWS:
        session.execute(text(row), {"no": False} if ":no" in row else {})
    if session.connection().dialect.name == "postgresql":  # which counts only the numbers that it gave itself
        for table in dict.fromkeys(row.split()[2] for row in ROWS):
            session.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))


@pytest.fixture
def stored(place: str) -> str:
    with contextlib.closing(Database(address(place), patience=5.0)) as database:
        database.write(before)
    return place


def all_of(store: Store, table: str, columns: str) -> list[tuple[object, ...]]:
    query = text(f"SELECT {columns} FROM {table} ORDER BY id")
    return store.read(lambda session: [tuple(row) for row in session.execute(query)])


def test_the_newest_link_keeps_the_assignment_and_all_that_was_handed_in(stored: str, tmp_path: Path) -> None:
    with open_store(stored, tmp_path / "files") as store:
        assert all_of(
            store, "assignments", "id, course, exercise, points, deadline, most, batch, link, title"
        ) == [
            (1, 1, EXERCISE, 10, None, 2, 1, "newer", ""),
            (2, 1, "temperature", None, None, None, 2, "", ""),
            (3, 2, EXERCISE, None, "2099-01-01", None, 3, "", ""),
        ]
        assert all_of(store, "attempts", "id, assignment, result") == [(1, 1, 1), (2, 2, 1), (3, 3, 1)]
        assert all_of(store, "jobs", "id, attempt") == [(1, 1), (2, 2), (3, 3)]
        assert all_of(store, "regrades", "id, assignment") == [(1, 1)]
        assert all_of(store, "sheets", "id, assignment") == [(1, 3)]
        assert all_of(store, "deliveries", "id, assignment") == [
            (1, 1)
        ]  # the other column is another's by now
        assert all_of(store, "overrides", "id, student, score, batch") == [
            (1, "ann", 1, 1),
            (2, "ann", 2, 2),
            (3, "bob", 3, 3),
            (4, "cy", 4, None),
        ]
    with rows(stored) as database:
        assert database.read(differences) == []
        assert "links" not in database.read(lambda session: inspect(session.connection()).get_table_names())
        assert database.read(lambda session: overrides.in_force(session, EXERCISE)).keys() == {"cy"}
        assert database.read(gives_no_number_twice)
    open_gradebook(stored).close()  # once more there is nothing to do


def gives_no_number_twice(session: Session) -> bool:
    """Of an assignment that is gone; PostgreSQL never does."""
    if session.connection().dialect.name == "postgresql":
        return True
    made = session.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'assignments'"))
    return "AUTOINCREMENT" in made


def test_an_older_link_gets_an_assignment_of_its_own_when_somebody_comes(stored: str, tmp_path: Path) -> None:
    with open_store(stored, tmp_path / "files") as store:
        newer, older = (come(store, name) for name in ("newer", "older"))
        assert (newer.assignment, older.assignment) == (1, 4)
        assert newer.person == older.person
        (asked,) = [one for one in store.read(courses.assignments, 1) if one.id == 1]
        assert len(store.read(attempts.of_person, 1, 1)) == 1
        assert store.read(standing.decided, asked, "ann") is not None


def test_a_score_goes_to_no_column_that_is_another_links(stored: str, tmp_path: Path) -> None:
    """Ann came by the older link, whose column had the scores of the assignment then."""
    with open_store(stored, tmp_path / "files") as store:
        assert columns(store) == {1: "older"}
        assert come(store, "older").person == 1
        assert columns(store) == {4: "older"}
        come(store, "newer")
        assert columns(store) == {1: "newer", 4: "older"}


def test_references_are_held_afterwards_too(stored: str, tmp_path: Path) -> None:
    with open_store(stored, tmp_path / "files", patience=0.1) as store:
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            store.write(lambda session: session.execute(text("DELETE FROM assignments")))
        with pytest.raises(Exception, match=r"(?i)unique"):
            store.write(lambda session: session.execute(text(TWICE)))
        for code in ("course-1", "course-2"):
            clearing.remove(store, code)
        assert all_of(store, "assignments", "id") == []


def test_many_who_come_first_by_a_new_link_come_to_one_assignment(stored: str, tmp_path: Path) -> None:
    with open_store(stored, tmp_path / "files") as store, ThreadPoolExecutor(8) as pool:
        came = list(pool.map(lambda n: come(store, "new", f"learner-{n}").assignment, range(8)))
        assert set(came) == {4}
        assert len(store.read(courses.assignments, 1)) == 3


def come(store: Store, link: str, subject: str = "ann") -> arrivals.Arrived:
    launch = Launch(
        issuer=PLATFORM,
        client_id="us",
        deployment="1",
        message="exercise",
        subject=subject,
        role="learner",
        target="",
        course=There(id="there"),
        link=Link(id=link),
        scores=ScoreService(scopes=(), line_item=link, line_items=None),
    )
    return store.write(arrivals.arrive, launch, "learner", Terms(exercise=EXERCISE, points=10.0))


def columns(store: Store) -> dict[int, str]:
    """Where scores go, by assignment."""
    found = store.read(lambda session: session.query(Delivery).order_by(Delivery.id).all())
    return {one.assignment: msgspec.json.decode(one.destination, type=Destination).line_item for one in found}
