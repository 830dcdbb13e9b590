"""The gradebook by its face, on SQLite and on a real PostgreSQL server: what is known, what counts, what a person decided."""

from collections.abc import Iterator

import msgspec
import pytest
from sqlalchemy import update

from grader.errors import UsageError
from grader.gradebook.book import Gradebook, open_gradebook
from grader.gradebook.tables import Result
from grader.grades import Grade
from grader.model import Report, Text
from tests.gradebooks import (
    ANN,
    BOB,
    EXERCISE,
    decisions,
    graded,
    handed_in,
    identity,
    results,
    rows,
    ungradable,
)


@pytest.fixture
def book(place: str) -> Iterator[Gradebook]:
    with open_gradebook(place) as book:
        yield book


def scores(book: Gradebook, batch: int | None = None) -> dict[str, float | None]:
    return {grade.student: grade.score for grade in book.grades(EXERCISE, batch)}


# ---- results ------------------------------------------------------------------------------------


def test_what_is_kept_is_known_to_whoever_opens_it_next(book: Gradebook, place: str) -> None:
    assert book.known(identity()) is None
    book.keep(identity(), graded(7, "step-missing"))
    with open_gradebook(place) as another:
        assert another.known(identity()) == graded(7, "step-missing")


@pytest.mark.parametrize(
    "other",
    [{"sha256": BOB}, {"exercise": "two"}, {"exercise_version": 2}, {"grader_version": "0.2.0"}, {"seed": 0}],
    ids=lambda other: next(iter(other)),
)
def test_another_grading_is_not_known_by_it(book: Gradebook, other: dict[str, int | str]) -> None:
    book.keep(identity(), graded(7))
    assert book.known(identity(**other)) is None  # type: ignore[arg-type]
    book.keep(identity(**other), graded(3))  # type: ignore[arg-type]
    assert book.known(identity()) == graded(7)


def test_what_could_not_be_graded_is_kept_but_not_known(book: Gradebook, place: str) -> None:
    book.keep(identity(), ungradable())
    assert book.known(identity()) is None
    book.keep(identity(), graded(7))
    book.keep(identity(), ungradable())
    assert book.known(identity()) == graded(7)
    assert [row.score for row in results(place)] == [None, 7, None]


def test_the_same_result_counts_once_and_each_other_one_stays_in_history(book: Gradebook, place: str) -> None:
    for report in (
        graded(8),
        graded(8),
        graded(8, name="b.ipynb", seconds=0.7),
        graded(6),
        graded(8),
        graded(8, "step-missing"),
    ):
        book.keep(identity(), report)
    assert [(row.number, row.score, row.seconds) for row in results(place)] == [
        *((1, 8, 0.5), (2, 6, 0.5), (3, 8, 0.5), (4, 8, 0.5))
    ]
    assert book.known(identity()) == graded(8, "step-missing")


def test_a_report_in_words_of_a_later_grader_leaves_its_points(book: Gradebook, place: str) -> None:
    book.keep(identity(), graded(7))
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"))
    later = '{"exercise": "linear_regression", "submission": "a", "status": "partly", "score": 7}'
    with rows(place) as database:
        database.write(lambda session: session.execute(update(Result).values(report=later)))
    assert book.known(identity()) is None
    (grade,) = book.grades(EXERCISE)
    assert grade.score == 7
    assert grade.report is not None
    assert [note.id for note in grade.report.notes] == ["gradebook-report-newer"]
    assert book.changes(EXERCISE) == []


# ---- batches ------------------------------------------------------------------------------------


def test_a_batch_gives_back_what_was_handed_in_in_its_order(book: Gradebook) -> None:
    unread = msgspec.structs.replace(
        handed_in("cy", "c" * 64), problem=Text(id="file-empty", params={"path": "c"})
    )
    all = [
        handed_in("bob", BOB, name="Bob B.", attempts=3),
        handed_in("ann"),
        Grade(student="dee", name="Dee"),
        unread,
    ]
    batch = book.begin(EXERCISE, "all.zip")
    book.hand_in(batch, *all[:2])
    book.hand_in(batch, *all[2:])
    book.end(batch)
    assert book.grades(EXERCISE) == all


def test_who_handed_in_the_same_file_shares_its_grading_under_a_path_of_their_own(book: Gradebook) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"), handed_in("bob"), handed_in("cy", BOB))
    book.keep(identity(), graded(7, name="all.zip: ann/work.ipynb"))
    reports = [grade.report for grade in book.grades(EXERCISE)]
    assert [None if report is None else (report.submission, report.score) for report in reports] == [
        ("all.zip: ann/work.ipynb", 7),
        ("all.zip: bob/work.ipynb", 7),
        None,
    ]


def test_what_was_graded_last_counts_and_an_ungradable_report_only_for_want_of_a_better(
    book: Gradebook,
) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"), handed_in("bob", BOB))
    book.keep(identity(), graded(7))
    book.keep(identity(grader_version="0.2.0"), graded(9))
    book.keep(identity(), ungradable())
    book.keep(identity(BOB), ungradable(BOB))
    ann, bob = book.grades(EXERCISE)
    assert ann.score == 9
    assert bob.report is not None
    assert (bob.report.status, bob.score) == ("ungradable", None)


def test_who_is_noted_again_in_a_batch_is_noted_anew(book: Gradebook) -> None:
    batch = book.begin(EXERCISE, "all.zip")
    book.hand_in(batch, Grade(student="ann", name="Ann"), handed_in("bob", BOB))
    book.hand_in(batch, handed_in("ann", name="Ann A."))
    assert book.grades(EXERCISE) == [handed_in("ann", name="Ann A."), handed_in("bob", BOB)]


def test_the_newest_batch_counts_and_the_others_can_be_asked_for(book: Gradebook) -> None:
    book.keep(identity(), graded(7))
    book.keep(identity(BOB), graded(9, sha256=BOB))
    first = book.begin(EXERCISE, "monday")
    book.hand_in(first, handed_in("ann"))
    book.hand_in(book.begin(EXERCISE, "tuesday"), handed_in("ann", BOB), handed_in("bob"))
    other = book.begin("backprop_quadratic", "all.zip")
    assert scores(book) == {"ann": 9, "bob": 7}
    assert scores(book, first) == {"ann": 7}
    with pytest.raises(UsageError) as refused:
        book.grades(EXERCISE, other)
    assert (refused.value.text, refused.value.params["batch"]) == ("batch-unknown", other)


def test_an_exercise_without_a_batch_says_so(book: Gradebook) -> None:
    for asked in (book.grades, book.changes):
        with pytest.raises(UsageError) as refused:
            asked(EXERCISE)
        assert refused.value.text == "batch-none"
    for note in (book.hand_in, book.end):
        with pytest.raises(UsageError) as refused:
            note(99)
        assert refused.value.text == "batch-not-begun"


def test_a_large_class_comes_back_whole(book: Gradebook) -> None:
    class_ = [handed_in(f"s{n}", f"{n:064}") for n in range(450)]
    book.hand_in(book.begin(EXERCISE, "all.zip"), *class_)
    book.keep(identity(f"{449:064}"), graded(4))
    back = list(book.each_grade(EXERCISE))
    assert [grade.student for grade in back] == [grade.student for grade in class_]
    assert [grade.score for grade in back] == [None] * 449 + [4]


def test_names_that_no_database_can_hold_are_written_as_escapes(book: Gradebook) -> None:
    batch = book.begin(EXERCISE, "\udcff.zip")
    for _ in range(2):
        book.hand_in(batch, handed_in("\udc80"), handed_in("\udc81"), handed_in("nul\0"))
    book.override(EXERCISE, "nul\0", 3, "as agreed")
    assert scores(book) == {"\\udc80": None, "\\udc81": None, "nul\\x00": 3}
    book.withdraw(EXERCISE, "nul\0")
    assert scores(book)["nul\\x00"] is None


# ---- what a person decides ----------------------------------------------------------------------


def test_an_override_stands_in_front_through_regrades_until_it_is_withdrawn(
    book: Gradebook, place: str
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
    assert [(row.score, row.reason) for row in decisions(place)] == [
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
    book: Gradebook, place: str, asked: tuple[str, float, str], text: str, near: str | None
) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("anna", name="Anna Arendt"), handed_in("bob"))
    book.keep(identity(), graded(7))
    with pytest.raises(UsageError) as refused:
        book.override(EXERCISE, *asked)
    assert (refused.value.text, refused.value.params.get("near")) == (text, near)
    assert decisions(place) == []


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
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann", BOB), handed_in("bob", ANN))
    (change,) = book.changes(EXERCISE)
    assert (change.student, change.before.sha256, change.after.sha256) == ("ann", ANN, BOB)
    assert (change.before.score, change.after.score) == (6, 10)
