"""What a person decides about a score, and what a regrade changes, on SQLite and PostgreSQL."""

import pytest

from grader.errors import UsageError
from grader.gradebook import overrides
from grader.gradebook.book import Gradebook
from grader.model import Report
from tests.gradebooks import (
    ANN,
    BOB,
    EXERCISE,
    decisions,
    graded,
    handed_in,
    identity,
    rows,
    scores,
    ungradable,
)

# ---- what a person decides ----------------------------------------------------------------------


def test_an_override_stands_in_front_through_regrades_until_it_is_withdrawn(
    book: Gradebook, ready_place: str
) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"), handed_in("bob", BOB))
    book.keep(identity(), graded(7))
    book.override(EXERCISE, "ann", 8.5, " shown in the lab ")
    book.keep(identity(grader_version="0.2.0"), graded(2))
    book.hand_in(book.begin(EXERCISE, "again"), handed_in("ann", BOB), handed_in("bob", BOB))
    ann, bob = book.grades(EXERCISE)
    assert ann.override is not None
    assert (ann.score, ann.override.reason, bob.override) == (8.5, "shown in the lab", None)
    book.override(EXERCISE, "ann", 0, "copied")
    assert scores(book)["ann"] == 0
    book.withdraw(EXERCISE, "ann")
    book.keep(identity(BOB), graded(5, sha256=BOB))
    assert scores(book) == {"ann": 5, "bob": 5}
    assert [(row.score, row.reason) for row in decisions(ready_place)] == [
        (8.5, "shown in the lab"),
        (0, "copied"),
        (None, ""),
    ]


@pytest.mark.parametrize(
    ("asked", "text", "near"),
    [
        (("anna", 11, "why"), "override-above-most", None),
        (("anna", -0.5, "why"), "override-below-zero", None),
        (("anna", float("nan"), "why"), "override-below-zero", None),
        (("anna", 5, "  "), "override-without-reason", None),
        (("ana", 5, "why"), "student-unknown-near", "anna (Anna Arendt)"),
        (("Anna Ahrendt", 5, "why"), "student-unknown-near", "anna (Anna Arendt)"),
        (("zzzzzz", 5, "why"), "student-unknown", None),
    ],
)
def test_an_override_that_cannot_be_is_refused(
    book: Gradebook, ready_place: str, asked: tuple[str, float, str], text: str, near: str | None
) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("anna", name="Anna Arendt"), handed_in("bob"))
    book.keep(identity(), graded(7))
    with pytest.raises(UsageError) as refused:
        book.override(EXERCISE, *asked)
    assert (refused.value.text, refused.value.params.get("near")) == (text, near)
    assert decisions(ready_place) == []


def test_one_that_names_a_batch_counts_there_alone_and_the_newest_counts(
    book: Gradebook, ready_place: str
) -> None:
    one, other = (book.begin(EXERCISE, name) for name in ("practice", "exam"))
    for batch in (one, other):
        book.keep(identity(), graded(7), batch, [handed_in("ann")])
    with rows(ready_place) as database:
        database.write(lambda session: overrides.put(session, EXERCISE, "ann", 9, "lab", batch=other))
        assert [scores(book, batch)["ann"] for batch in (one, other)] == [7, 9]
        with pytest.raises(UsageError, match="override-none"):
            book.withdraw(EXERCISE, "ann")
        book.override(EXERCISE, "ann", 4, "by hand")
        assert [scores(book, batch)["ann"] for batch in (one, other)] == [4, 4]
        database.write(lambda session: overrides.take_back(session, EXERCISE, "ann", batch=other))
    assert [scores(book, batch)["ann"] for batch in (one, other)] == [4, 7]


def test_where_no_points_are_known_any_score_will_do(book: Gradebook) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"))
    book.override(EXERCISE, "ann", 120, "by hand")
    assert scores(book) == {"ann": 120}


def test_what_was_not_overridden_cannot_be_withdrawn(book: Gradebook) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"))
    for student, text in (("ann", "override-none"), ("any", "student-unknown-near")):
        with pytest.raises(UsageError) as refused:
            book.withdraw(EXERCISE, student)
        assert refused.value.text == text


# ---- what a regrade changed ---------------------------------------------------------------------


def test_a_regrade_shows_what_it_changed_and_nothing_else(book: Gradebook) -> None:
    class_ = {"ann": ANN, "bob": BOB, "cy": "c" * 64, "dee": "d" * 64}
    book.hand_in(
        book.begin(EXERCISE, "all.zip"), *(handed_in(name, sha256) for name, sha256 in class_.items())
    )
    before = {"ann": graded(6), "bob": graded(9), "cy": graded(5, "step-missing"), "dee": ungradable()}
    after = {
        "ann": graded(8, "leaf-rebound"),
        "bob": graded(9),
        "cy": graded(5, "updated-twice"),
        "dee": graded(4),
    }
    for version, reports in (("0.1.0", before), ("0.2.0", after)):
        for name, report in reports.items():
            book.keep(identity(class_[name], grader_version=version), report)
    seen = [
        (each.student, each.before.score, each.before.mistakes, each.after.score, each.after.mistakes)
        for each in book.changes(EXERCISE)
    ]
    assert seen == [("ann", 6, (), 8, ("leaf-rebound",)), ("cy", 5, ("step-missing",), 5, ("updated-twice",))]
    versions = [(each.before.grader_version, each.after.grader_version) for each in book.changes(EXERCISE)]
    assert versions == [("0.1.0", "0.2.0")] * 2


def test_a_new_attempt_is_compared_with_the_one_before(book: Gradebook) -> None:
    reports: dict[str, Report] = {ANN: graded(6), BOB: graded(10, sha256=BOB)}
    for sha256, report in reports.items():
        book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann", sha256), handed_in("bob", ANN))
        book.keep(identity(sha256), report)
        book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann", ""))  # one that could not be read
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann", BOB), handed_in("bob", ANN))
    (change,) = book.changes(EXERCISE)
    assert (change.student, change.before.sha256, change.after.sha256) == ("ann", ANN, BOB)
    assert (change.before.score, change.after.score) == (6, 10)
