"""The gradebook by its face, on SQLite and on a real PostgreSQL server: what is known, and what counts."""

import msgspec
import pytest
from sqlalchemy import update

from grader.errors import UsageError
from grader.gradebook.book import Gradebook, open_gradebook
from grader.gradebook.tables import Result
from grader.grades import Grade
from grader.model import Text
from tests.gradebooks import BOB, EXERCISE, graded, handed_in, identity, results, rows, scores, ungradable

# ---- results ------------------------------------------------------------------------------------


def test_what_is_kept_is_known_to_whoever_opens_it_next(book: Gradebook, ready_place: str) -> None:
    assert book.known(identity()) is None
    book.keep(identity(), graded(7, "step-missing"))
    with open_gradebook(ready_place) as another:
        assert another.known(identity()) == graded(7, "step-missing")


@pytest.mark.parametrize(
    "other",
    [
        {"sha256": BOB},
        {"exercise": "two"},
        {"exercise_version": 2},
        {"grader_version": "0.2.0"},
        {"seed": 0},
        {"conditions": "others"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_grading_is_not_known_by_it(book: Gradebook, other: dict[str, int | str]) -> None:
    book.keep(identity(), graded(7))
    assert book.known(identity(**other)) is None  # type: ignore[arg-type]
    book.keep(identity(**other), graded(3))  # type: ignore[arg-type]
    assert book.known(identity()) == graded(7)


def test_what_could_not_be_graded_is_kept_but_not_known(book: Gradebook, ready_place: str) -> None:
    book.keep(identity(), ungradable())
    assert book.known(identity()) is None
    book.keep(identity(), graded(7))
    book.keep(identity(), ungradable())
    assert book.known(identity()) == graded(7)
    assert [row.score for row in results(ready_place)] == [None, 7, None]


def test_the_same_result_counts_once_and_each_other_one_stays_in_history(
    book: Gradebook, ready_place: str
) -> None:
    for report in (
        graded(8),
        graded(8),
        graded(8, name="b.ipynb", seconds=0.7),
        graded(6),
        graded(8),
        graded(8, "step-missing"),
    ):
        book.keep(identity(), report)
    assert [(row.number, row.score, row.seconds) for row in results(ready_place)] == [
        *((1, 8, 0.5), (2, 6, 0.5), (3, 8, 0.5), (4, 8, 0.5))
    ]
    assert book.known(identity()) == graded(8, "step-missing")


def test_a_report_in_words_of_a_later_grader_leaves_its_points(book: Gradebook, ready_place: str) -> None:
    book.keep(identity(), graded(7))
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"))
    later = '{"exercise": "linear_regression", "submission": "a", "status": "partly", "score": 7}'
    with rows(ready_place) as database:
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


def test_the_same_file_in_two_exercises_has_a_grading_in_each(book: Gradebook) -> None:
    book.hand_in(book.begin(EXERCISE, "all.zip"), handed_in("ann"))
    book.hand_in(book.begin("two", "all.zip"), handed_in("ann"))
    book.keep(identity(), graded(7))
    book.keep(identity(exercise="two"), graded(1))
    book.override("two", "ann", 2, "by hand")
    assert [grade.score for exercise in (EXERCISE, "two") for grade in book.grades(exercise)] == [7, 2]
    assert book.changes(EXERCISE) == []


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
