"""What is stored comes back, also to a later grader; and the tables are those that the steps make."""

import json
import math
import shutil
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, inspect
from sqlalchemy.orm import Session

from grader.exercise import PACKAGE
from grader.gradebook.book import open_gradebook
from grader.gradebook.schema import VERSION_TABLE
from grader.gradebook.stored import report_from, text_from, to_json, with_digest
from grader.gradebook.tables import HandIn, Table
from grader.model import Finding, Parameters, Report, Text
from grader.text import shown
from tests.command import python
from tests.gradebooks import graded, rows
from tests.made_records import any_of

# Text as UTF-8 can hold it, and as a learner's process may send it: with halves of surrogate pairs.
WHOLE, BROKEN = st.text(max_size=9), st.text(st.characters(categories=["Cs", "L", "Cc"]), max_size=9)
MANY = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None
)


@MANY
@given(any_of(Report, WHOLE))
def test_a_report_comes_back_as_it_was(report: Report) -> None:
    assert report_from(to_json(report)) == report
    assert with_digest(report_from(to_json(report))) == with_digest(report)
    assert with_digest(report)[0] == to_json(report)


@MANY
@given(any_of(Report, BROKEN))
def test_text_that_no_json_can_hold_comes_back_as_escapes(report: Report) -> None:
    stored = to_json(report)
    assert "\0" not in stored
    assert to_json(report_from(stored)) == stored


@given(any_of(Text, WHOLE))
def test_a_sentence_comes_back_as_it_was(sentence: Text) -> None:
    assert text_from(to_json(sentence)) == sentence


def test_a_number_that_is_none_is_worded_as_before() -> None:
    params: Parameters = {"before": math.nan, "after": -math.inf, "rate": 0.1}
    finding = Finding(
        mistake="m", confidence="likely", cell=1, line=1, params=params, evidence={"loss": math.inf}
    )
    (back,) = report_from(to_json(msgspec.structs.replace(graded(7), findings=(finding,)))).findings
    assert shown(back.params) == shown(finding.params) == {"before": "nan", "after": "-inf", "rate": "0.1"}
    assert shown(back.evidence) == {"loss": "inf"}


def test_reports_outlive_the_program_that_wrote_them() -> None:
    """What a later one adds is passed over at every level, and what an earlier one did not know has its default."""
    earliest = {
        "exercise": "e",
        "submission": "a",
        "sha256": "0",
        "status": "graded",
        "score": 1,
        "max_score": 2,
    }
    assert report_from(json.dumps(earliest)) == Report(
        exercise="e", submission="a", sha256="0", status="graded", score=1.0, max_score=2.0
    )
    later = json.loads(to_json(graded(7, "step-missing")))
    later["mood"] = later["findings"][0]["mood"] = {"of": ["the", "day"]}
    assert report_from(json.dumps(later)) == graded(7, "step-missing")


# ---- the tables ---------------------------------------------------------------------------------


def test_the_steps_make_the_tables_that_the_models_say(place: str) -> None:
    open_gradebook(place).close()
    with rows(place) as database:
        assert database.read(differences) == []
        names = database.read(lambda session: set(inspect(session.connection()).get_table_names()))
    assert names == {VERSION_TABLE, *Table.metadata.tables}


def differences(session: Session) -> list[object]:
    """What Alembic would write a further step for."""
    context = MigrationContext.configure(session.connection(), opts={"version_table": VERSION_TABLE})
    return list(compare_metadata(context, Table.metadata))


def test_opening_one_leaves_nothing_but_the_file_and_no_word(tmp_path: Path) -> None:
    """No settings are read from the working folder, and Alembic's log is set up for nobody."""
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = elsewhere\n")
    script = (
        "import logging; from grader.gradebook.book import open_gradebook; open_gradebook('grades.db').close();"
        "print(logging.getLogger().handlers, logging.getLogger('alembic').level)"
    )
    done = python("-c", script, folder=tmp_path)
    assert (done.code, done.out, done.err) == (0, "[] 0\n", "")
    assert {path.name for path in tmp_path.iterdir()} == {"alembic.ini", "grades.db"}


def test_foreign_keys_are_held(place: str) -> None:
    open_gradebook(place).close()
    with rows(place) as database, pytest.raises(Exception, match=r"(?i)foreign key"):
        database.write(
            lambda session: session.execute(
                insert(HandIn).values(batch=99, student="s", name="", attempts=0, late=False)
            )
        )


STEP = '''"""A table of its own."""
import sqlalchemy as sa

revision, down_revision = "{name}", "{before}"


def upgrade(op):
    """Make it."""
    op.create_table("{name}", sa.Column("id", sa.Integer(), primary_key=True))
'''
OPENED = """
import sqlite3, sys
sys.path.insert(0, ".")
import grader
assert grader.__file__.startswith(sys.argv[1]), grader.__file__
from grader.exercise import PACKAGE
from grader.gradebook.book import open_gradebook
open_gradebook("grades.db").close()
print(*sorted(name for (name,) in sqlite3.connect("grades.db").execute("select name from sqlite_master where name like 'own%'")))
"""


@pytest.mark.slow
@pytest.mark.parametrize("first", ["own_a", "own_b"])
def test_steps_that_know_nothing_of_each_other_may_come_in_any_order(first: str, tmp_path: Path) -> None:
    """Two parts of the program add a step after the same one; a gradebook may know either of them first."""
    shutil.copytree(PACKAGE, tmp_path / "grader", ignore=shutil.ignore_patterns("__pycache__", "course"))
    versions = tmp_path / "grader" / "gradebook" / "versions"
    for name in (first, "own_b" if first == "own_a" else "own_a"):
        (versions / f"v900_{name}.py").write_text(STEP.format(name=name, before="002"))
        done = python("-c", OPENED, tmp_path, folder=tmp_path)
        assert done.code == 0, done.err
    assert done.out == "own_a own_b\n"
