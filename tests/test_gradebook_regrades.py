"""A regrade that was broken off goes on; which result a batch has; and a gradebook of the first tables is brought up to date."""

import contextlib

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.orm import Session

from grader.gradebook.address import address
from grader.gradebook.book import Gradebook, open_gradebook
from grader.gradebook.database import Database
from grader.gradebook.schema import VERSION_TABLE
from grader.gradebook.versions import v001_first
from tests.gradebooks import ANN, BOB, EXERCISE, graded, handed_in, identity, results, scores, ungradable

REGRADE = (EXERCISE, "/all.zip", "as ever")


def test_a_regrade_goes_on_until_its_end_and_then_another_begins(book: Gradebook) -> None:
    book.end(book.begin(EXERCISE, "/all.zip"))
    first = book.regrade(*REGRADE)
    second = book.regrade(*REGRADE)
    assert (first.first, second.first, second.began) == (first.batch, first.batch, first.began)
    assert second.batch > first.batch
    book.end(second.batch)
    third = book.regrade(*REGRADE)
    assert third.first == third.batch > second.batch


@pytest.mark.parametrize(
    "other", [("two", *REGRADE[1:]), (EXERCISE, "/b.zip", "as ever"), (*REGRADE[:2], "others")]
)
def test_a_regrade_of_something_else_is_one_of_its_own(book: Gradebook, other: tuple[str, str, str]) -> None:
    first = book.regrade(*REGRADE)
    another = book.regrade(*other)
    assert another.first == another.batch
    assert book.regrade(*REGRADE).first == first.first


def test_in_a_regrade_is_known_what_was_graded_in_it(book: Gradebook, ready_place: str) -> None:
    book.keep(identity(), graded(7), book.begin(EXERCISE, "/all.zip"), [handed_in("ann")])
    regrade = book.regrade(*REGRADE)
    assert book.known(identity(), regrade) is None
    book.keep(identity(), ungradable(), regrade.batch, [handed_in("ann")])
    assert book.known(identity(), regrade) is None
    book.keep(identity(), graded(7), regrade.batch, [handed_in("ann")])
    gone_on = book.regrade(*REGRADE)
    assert book.known(identity(), gone_on) == graded(7)
    book.hand_in(gone_on.batch, handed_in("ann"), known=identity())
    book.end(gone_on.batch)
    assert book.known(identity(), book.regrade(*REGRADE)) is None
    assert scores(book, gone_on.batch) == {"ann": 7}
    assert [row.score for row in results(ready_place)] == [7, None, 7]


def test_the_result_that_a_batch_has_counts_in_it_though_others_came_later(book: Gradebook) -> None:
    """As when a check was changed, and changed back."""
    strict, light = identity(), identity(conditions="lighter")
    book.keep(strict, graded(5), book.begin(EXERCISE, "a"), [handed_in("ann")])
    lighter = book.begin(EXERCISE, "a")
    book.keep(light, graded(8), lighter, [handed_in("ann")])
    assert (scores(book), [each.after.score for each in book.changes(EXERCISE)]) == ({"ann": 8}, [8])
    book.hand_in(book.begin(EXERCISE, "a"), handed_in("ann"), known=strict)
    assert scores(book) == {"ann": 5}
    (change,) = book.changes(EXERCISE)
    assert (change.before.score, change.after.score) == (8, 5)
    assert scores(book, lighter) == {"ann": 8}


def test_what_a_batch_could_not_grade_has_the_score_of_before(book: Gradebook) -> None:
    book.keep(identity(), graded(7), book.begin(EXERCISE, "a"), [handed_in("ann")])
    book.keep(identity(), ungradable(), book.begin(EXERCISE, "a"), [handed_in("ann")])
    assert scores(book) == {"ann": 7}


def test_a_result_and_those_whose_it_is_are_noted_together_or_not_at_all(
    book: Gradebook, ready_place: str
) -> None:
    with pytest.raises(Exception, match="batch-not-begun"):
        book.keep(identity(), graded(7), 99, [handed_in("ann")])
    assert results(ready_place) == []


def test_a_gradebook_of_the_first_tables_keeps_what_is_in_it(place: str) -> None:
    with contextlib.closing(Database(address(place), patience=5.0)) as database:
        database.write(first_tables)
    with open_gradebook(place) as book:
        assert scores(book) == {"ann": 7, "bob": None}
        assert book.known(identity()) is None
        book.keep(identity(), graded(8), book.begin(EXERCISE, "b"), [handed_in("ann"), handed_in("bob", BOB)])
        assert scores(book)["ann"] == 8
        assert [each.before.score for each in book.changes(EXERCISE)] == [7]


def first_tables(session: Session) -> None:
    """What the first grader made, with a class in it."""
    context = MigrationContext.configure(session.connection(), opts={"version_table": VERSION_TABLE})
    v001_first.upgrade(Operations(context))
    context._ensure_version_table()
    for row in (
        f"INSERT INTO {VERSION_TABLE} VALUES ('001')",
        "INSERT INTO results VALUES (1, :ann, :exercise, 1, '0.1.0', 0, 1, 'graded', 7, 10, 1, 'd', :report, 'w')",
        "INSERT INTO batches VALUES (1, :exercise, 'a', 's', NULL)",
        "INSERT INTO hand_ins VALUES (1, 1, 'ann', '', 'f', 'p', :ann, 1, :late, NULL)",
        "INSERT INTO hand_ins VALUES (2, 1, 'bob', '', 'f', 'p', :bob, 1, :late, NULL)",
    ):
        report = f'{{"exercise":"{EXERCISE}","submission":"a","sha256":"{ANN}","status":"graded","score":7,"max_score":10}}'
        values = {"ann": ANN, "bob": BOB, "exercise": EXERCISE, "report": report, "late": False}
        session.execute(text(row), {name: value for name, value in values.items() if f":{name}" in row})
