"""A gradebook under bad luck: killed processes, several at once, servers that go away, and databases that are none."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from grader.errors import GradebookError
from grader.gradebook.book import open_gradebook
from grader.model import Language
from grader.text import say
from tests.attacks.world import available
from tests.command import environment, python
from tests.gradebooks import ANN, EXERCISE, graded, handed_in, identity, results, rows
from tests.postgres import Server

ROOT = Path(__file__).parents[1]
USED = """
import os, signal, sys
from grader.gradebook.book import open_gradebook
from tests.gradebooks import *

def keep(book, *hashes):
    for sha256 in hashes:
        book.keep(identity(f"{sha256:064}"), graded(7))

"""


def process(script: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process of its own that uses a gradebook."""
    command = [sys.executable, "-c", USED + script, *arguments]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=environment(), text=True, **streams)  # type: ignore[call-overload,no-any-return]


def refused(place: str) -> GradebookError:
    """Why a gradebook cannot be opened; it has words in both languages."""
    with pytest.raises(GradebookError) as error:
        open_gradebook(place, patience=0.1)
    languages: tuple[Language, Language] = ("en", "zh")
    for language in languages:
        assert say(error.value.text, language, error.value.params)
    return error.value


# ---- processes ----------------------------------------------------------------------------------


def test_what_was_kept_survives_the_death_of_its_process(place: str) -> None:
    dying = process("keep(open_gradebook(sys.argv[1]), 1); os.kill(os.getpid(), signal.SIGKILL)", place)
    dying.communicate()
    assert dying.returncode == -9
    with open_gradebook(place) as book:
        assert book.known(identity(f"{1:064}")) == graded(7)


def test_processes_may_open_a_new_gradebook_and_keep_results_at_once(place: str) -> None:
    """They start together; what both graded counts once."""
    script = "print('ready', flush=True); input(); keep(open_gradebook(sys.argv[1]), *map(int, sys.argv[2:]))"
    both = range(100, 130)
    running = [process(script, place, *map(str, (*range(first, first + 20), *both))) for first in (0, 20)]
    for each in running:
        assert each.stdout is not None
        each.stdout.readline()
    for each in running:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in running:
        each.communicate(timeout=100)
        assert each.returncode == 0
    assert sorted(int(row.sha256) for row in results(place)) == [*range(40), *both]


def test_threads_may_share_one(place: str) -> None:
    with open_gradebook(place) as book:
        threads = [threading.Thread(target=lambda: book.keep(identity(), graded(7))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [row.number for row in results(place)] == [1]


# ---- what is no gradebook of ours ---------------------------------------------------------------


def test_a_newer_gradebook_is_left_as_it_is(place: str) -> None:
    with open_gradebook(place) as book:
        book.keep(identity(), graded(7))
    with rows(place) as database:
        database.write(
            lambda session: session.execute(text("UPDATE gradebook_version SET version_num = '999'"))
        )
    assert refused(place).text == "gradebook-newer"
    assert len(results(place)) == 1


def test_a_database_of_something_else_is_left_as_it_is(place: str) -> None:
    with rows(place) as database:
        database.write(
            lambda session: session.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        )
    error = refused(place)
    assert (error.text, error.params["tables"]) == ("gradebook-not-ours", "alembic_version")
    with rows(place) as database, pytest.raises(Exception, match="results"):
        database.read(lambda session: session.execute(text("SELECT * FROM results")))


@pytest.mark.parametrize("content", [b"student,score\nann,7\n" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "grades.csv").write_bytes(content)
    error = refused(str(tmp_path / "grades.csv"))
    assert (error.text, error.params["place"]) == ("gradebook-no-database", str(tmp_path / "grades.csv"))
    assert (tmp_path / "grades.csv").read_bytes() == content


def test_a_folder_that_is_not_there_and_one_that_is_the_file_say_so(tmp_path: Path) -> None:
    assert refused(str(tmp_path / "none" / "grades.db")).text == "gradebook-not-written"
    assert refused(str(tmp_path)).text == "gradebook-not-written"


@pytest.mark.parametrize("made_before", [False, True])
def test_a_folder_that_may_not_be_written_says_so(tmp_path: Path, *, made_before: bool) -> None:
    if os.geteuid() == 0 and not available():
        pytest.skip("needs a world of its own, in which to be another user than root")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    if made_before:
        open_gradebook(str(tmp_path / "grades.db")).close()
    tmp_path.chmod(0o555)
    script = f"{USED}\ntry:\n    open_gradebook(sys.argv[1])\nexcept Exception as error:\n    print(error.text, error.params)"
    as_user = ("-m", "tests.attacks.unprivileged", sys.executable)
    done = python(*as_user, "-c", script, str(tmp_path / "grades.db"), folder=ROOT)
    tmp_path.chmod(0o755)
    assert done.out.startswith("gradebook-not-written"), done
    assert "grades.db" in done.out


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("", "gradebook-address-malformed"),
        ("sqlite://", "gradebook-address-malformed"),
        (":memory:", "gradebook-address-malformed"),
        ("postgresql://ann:secret@host:port/grades", "gradebook-address-malformed"),
        ("mysql://ann:secret@host/grades", "gradebook-kind-unknown"),
    ],
)
def test_an_address_that_names_no_gradebook_is_refused_without_repeating_its_password(
    place: str, text: str
) -> None:
    error = refused(place)
    assert error.text == text
    assert "secret" not in repr(error.params)


def test_without_its_driver_a_server_names_the_package(tmp_path: Path) -> None:
    script = "sys.modules['psycopg'] = None\ntry:\n    open_gradebook('postgresql://host/grades')\nexcept Exception as error:\n    print(error.text)"
    done = python(
        "-c", USED.replace("from tests", "sys.path.insert(0, '.')\nfrom tests") + script, folder=ROOT
    )
    assert done.out == "gradebook-needs-psycopg\n", done.err


def test_a_file_in_use_for_too_long_says_so(tmp_path: Path) -> None:
    place = str(tmp_path / "grades.db")
    with open_gradebook(place, patience=0.1) as book:
        other = sqlite3.connect(place, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradebookError) as error:
            book.keep(identity(), graded(7))
        assert (error.value.text, error.value.params["place"]) == ("gradebook-busy", place)
        assert book.known(identity()) is None
        other.close()
        book.keep(identity(), graded(7))


# ---- a server that goes away --------------------------------------------------------------------


@pytest.fixture
def running(postgres: Server) -> Iterator[Server]:
    """A server that a test may stop."""
    yield postgres
    postgres.stop()
    postgres.start()


def test_a_server_that_is_not_there_says_so(tmp_path: Path) -> None:
    error = refused(f"postgresql://ann:secret@/grades?host={tmp_path}")
    assert error.text == "gradebook-not-reached"
    assert "secret" not in repr(error.params)


def test_a_database_or_user_that_is_not_there_says_so(postgres: Server) -> None:
    for url in (postgres.url("no_such_database"), postgres.url("postgres", user="nobody_of_this_name")):
        error = refused(url)
        assert error.text == "gradebook-not-reached"
        assert "does not exist" in str(error.params["reason"])


def test_a_user_who_may_not_make_tables_is_told_so(postgres: Server) -> None:
    place = postgres.database()
    name = place.split("/")[3].partition("?")[0]
    with rows(place) as database:
        database.write(lambda session: session.execute(text("CREATE ROLE reader LOGIN")))
    assert refused(postgres.url(name, user="reader")).text == "gradebook-not-allowed"


def test_a_server_that_was_restarted_between_two_calls_costs_nothing(running: Server) -> None:
    place = running.database()
    with open_gradebook(place) as book:
        book.keep(identity(), graded(7))
        running.stop()
        running.start()
        book.keep(identity(), graded(8))
        assert book.known(identity()) == graded(8)
    assert [row.score for row in results(place)] == [7, 8]


def test_a_call_waits_for_a_server_that_is_coming_back(running: Server) -> None:
    place = running.database()
    with open_gradebook(place) as book:
        batch = book.begin(EXERCISE, "all.zip")
        running.stop()
        starting = threading.Timer(0.5, running.start)
        starting.start()
        try:
            book.hand_in(batch, handed_in("ann"))
        finally:
            starting.join()
        assert book.grades(EXERCISE) == [handed_in("ann", ANN)]


def test_a_server_that_stays_away_ends_in_an_error_that_says_so(running: Server) -> None:
    with open_gradebook(running.database(), patience=0.3) as book:
        book.keep(identity(), graded(7))
        running.stop()
        with pytest.raises(GradebookError) as error:
            book.keep(identity(), graded(8))
        assert error.value.text == "gradebook-not-reached"
        running.start()
        assert book.known(identity()) == graded(7)
