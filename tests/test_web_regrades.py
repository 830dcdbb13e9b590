"""Grading again, on SQLite and on a real PostgreSQL server: nothing counts before somebody lets it, and then all of it, once."""

from collections.abc import Sequence

import pytest

from grader.errors import UsageError
from grader.gradebook.records import Identity
from grader.model import CheckResult, Text
from grader.web.store import attempts, courses, deliveries, jobs, previews, regrades, standing, trials
from grader.web.store.records import Asked, Outcome, Preview
from grader.web.store.store import Store
from tests.gradebooks import EXERCISE, graded, identity, ungradable
from tests.web import NOTEBOOK, OTHER, OWNER, School

BEFORE = identity("")
TODAY = identity("", exercise_version=2, conditions="today")
THERE = '{"line_item": "https://lms.example/items/1"}'


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def grade(store: Store, score: float | None, *checks: float, known: Identity = BEFORE) -> bool:
    """Grade what waits longest; False where nothing does."""
    leased = store.write(jobs.lease, OWNER, 60.0)
    if leased is None:
        return False
    report = ungradable(leased.sha256) if score is None else graded(score, sha256=leased.sha256)
    if checks:
        found = tuple(
            CheckResult(id=f"test_{n}", titles={"en": f"Check {n}."}, status="passed", score=one, max_score=5)
            for n, one in enumerate(checks)
        )
        report = graded(score or 0, sha256=leased.sha256)
        report = type(report)(
            **{name: getattr(report, name) for name in report.__struct_fields__} | {"checks": found}
        )
    own = identity(leased.sha256, exercise_version=known.exercise_version, conditions=known.conditions)
    return store.write(jobs.finish, leased.job, OWNER, Outcome(identity=own, report=report))


def again(store: Store, asked: Asked, *scores: float | None, anew: bool = False) -> int:
    """Grade all attempts again, which find these scores; the regrade."""
    begun = store.write(regrades.begin, asked, TODAY, anew=anew)
    assert begun is not None
    for score in scores:
        assert grade(store, score, known=TODAY)
    assert not store.read(jobs.any_free)
    return begun


def count(store: Store, asked: Asked, regrade: int, seen: str | None = None) -> Text | None:
    why = store.write(regrades.confirm, asked, regrade, TODAY, seen)
    while why is None and store.write(regrades.proceed):
        pass
    return why


def shown(found: Sequence[Preview]) -> list[tuple[object, ...]]:
    return [
        (one.name, one.now and one.now[0], one.then and one.then[0], [each.change for each in one.attempts])
        for one in found
    ]


def scores(store: Store, asked: Asked, person: int) -> list[float | None]:
    return [one.score for one in store.read(attempts.of_person, asked.id, person)]


def sent(store: Store) -> list[float]:
    found = []
    while (due := store.write(deliveries.take, OWNER, 60.0)) is not None:
        store.write(deliveries.arrived, due, OWNER)
        found.append(due.score)
    return found


def test_nothing_counts_or_is_sent_before_it_is_let_count_and_then_once(store: Store) -> None:
    school = School(store)
    ann, bob = school.learner(), school.learner("Bob")
    for person in (ann, bob):
        store.write(deliveries.aim, school.asked.id, person, THERE)
    school.receive(ann)
    school.receive(bob, OTHER)
    grade(store, 7, 5, 2)
    grade(store, 10)
    assert sent(store) == [7, 10]
    regrade = store.write(regrades.begin, school.asked, TODAY)
    assert regrade is not None
    assert grade(store, 8, 5, 3, known=TODAY)
    assert store.write(regrades.confirm, school.asked, regrade, TODAY) == Text(id="regrade-not-done")
    assert grade(store, 10, known=TODAY)
    found = store.read(previews.preview, school.asked, regrade)
    assert shown(found) == [("Ann", 7, 8, ["points"])]
    assert [(one.check, one.before, one.after) for one in found[0].attempts[0].why] == [("test_1", 2, 3)]
    assert (scores(store, school.asked, ann), sent(store)) == ([7], [])
    assert [one.score for one in store.book.grades(EXERCISE, school.asked.batch)] == [7, 10]
    assert count(store, school.asked, regrade) is None
    assert (scores(store, school.asked, ann), sent(store)) == ([8], [8])
    assert [one.score for one in store.book.grades(EXERCISE, school.asked.batch)] == [8, 10]
    done = store.read(regrades.regraded, school.asked.course, regrade)
    assert done is not None
    assert (done.settled, done.over, done.total) == ("counted", True, 0)
    assert count(store, school.asked, regrade) is None
    assert sent(store) == []
    assert store.read(regrades.gradable, school.asked, TODAY).same == 2
    assert store.write(regrades.begin, school.asked, TODAY) is None  # nothing has changed since


def test_one_that_is_dropped_leaves_nothing(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    for content in (NOTEBOOK, OTHER):
        school.receive(ann, content)
        grade(store, 7)
    regrade = store.write(regrades.begin, school.asked, TODAY)
    assert regrade is not None
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    assert grade(store, 1, known=TODAY)
    assert store.write(regrades.drop, regrade) is None
    late = Outcome(identity=identity(leased.sha256, conditions="today"), report=graded(2))
    assert not store.write(jobs.finish, leased.job, OWNER, late)
    assert (scores(store, school.asked, ann), store.read(jobs.waiting)) == ([7, 7], (0, 0))
    assert store.read(regrades.of_assignment, school.asked.id) is None
    assert count(store, school.asked, regrade) == Text(id="regrade-over")
    assert store.write(regrades.begin, school.asked, TODAY) not in {None, regrade}


def test_an_assignment_has_one_at_a_time(store: Store) -> None:
    school = School(store)
    school.receive(school.learner())
    grade(store, 7)
    regrade = store.write(regrades.begin, school.asked, TODAY)
    assert store.write(regrades.begin, school.asked, TODAY, anew=True) == regrade


def test_what_happens_meanwhile_is_in_what_is_shown_and_has_to_be_seen(store: Store) -> None:
    school = School(store)
    ann, bob = school.learner(), school.learner("Bob")
    school.receive(ann)
    grade(store, 7)
    school.receive(bob, OTHER)
    grade(store, 3)
    regrade = again(store, school.asked, 5, 4)
    seen = previews.digest(store.read(previews.preview, school.asked, regrade))
    school.receive(ann, OTHER + b" ")
    grade(store, 9, known=TODAY)
    (line,) = [one for one in store.read(standing.lines, school.asked) if one.name == "Bob"]
    store.write(standing.decide, school.asked, line.pseudonym, 6.0, "shown on paper")
    assert count(store, school.asked, regrade, seen) == Text(id="regrade-moved")
    found = store.read(previews.preview, school.asked, regrade)
    assert shown(found) == [("Ann", 9, 9, ["points"]), ("Bob", 6, 6, ["points"])]
    assert found[1].override is not None
    assert count(store, school.asked, regrade, previews.digest(found)) is None
    assert scores(store, school.asked, ann) == [9, 5]
    assert scores(store, school.asked, bob) == [4]
    decided = store.read(standing.decided, school.asked, line.pseudonym)
    assert decided is not None
    assert decided.score == 6


def test_what_was_found_by_what_has_changed_since_cannot_count(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    school.receive(ann)
    grade(store, 7)
    regrade = again(store, school.asked, 5)
    tomorrow = identity("", exercise_version=3, conditions="tomorrow")
    assert store.read(previews.outdated, regrade, tomorrow)
    why = store.write(regrades.confirm, school.asked, regrade, tomorrow)
    assert why == Text(id="regrade-outdated")
    assert not store.read(regrades.any_confirmed)


def test_what_fails_takes_nothing_away_and_what_had_failed_may_be_graded(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    for content, score in ((NOTEBOOK, 7.0), (OTHER, None)):
        school.receive(ann, content)
        grade(store, score)
    assert store.read(regrades.gradable, school.asked, identity("")).failed == 1
    regrade = again(store, school.asked, None, 8)
    (found,) = store.read(previews.preview, school.asked, regrade)
    assert (found.now, found.then) == ((7, 10), (8, 10))
    assert [each.change for each in found.attempts] == ["ungradable", "points"]
    assert count(store, school.asked, regrade) is None
    own = store.read(attempts.of_person, school.asked.id, ann)
    assert [(one.score, one.state) for one in own] == [(8, "graded"), (7, "graded")]


def test_one_attempt_can_be_graded_alone_and_anew(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    for content in (NOTEBOOK, OTHER):
        school.receive(ann, content)
        grade(store, 7, known=TODAY)
    assert store.read(regrades.is_same, 2, TODAY)
    assert store.write(regrades.begin, school.asked, TODAY) is None
    regrade = store.write(regrades.begin, school.asked, TODAY, attempt=2, anew=True)
    assert regrade is not None
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    assert (leased.regrade, leased.anew, leased.sha256) == (regrade, True, school.store.files.put(OTHER))
    store.write(jobs.give_back, OWNER)
    assert grade(store, 7, known=TODAY)
    assert store.read(previews.preview, school.asked, regrade) == []
    assert count(store, school.asked, regrade) is None


def test_the_same_content_is_graded_once_whoever_handed_it_in(store: Store) -> None:
    school = School(store)
    for name in ("Ann", "Bob"):
        school.receive(school.learner(name))
        grade(store, 7)
    regrade = store.write(regrades.begin, school.asked, TODAY, anew=True)
    assert regrade is not None
    known = identity(school.store.files.put(NOTEBOOK), exercise_version=2, conditions="today")
    assert store.read(trials.found, regrade, known, "b.ipynb") is None
    assert grade(store, 8, known=TODAY)
    found = store.read(trials.found, regrade, known, "b.ipynb")
    assert found is not None
    assert found.score == 8
    assert store.read(trials.found, regrade, known, "b.py") is None  # it is read in another way
    tomorrow = identity(known.sha256, exercise_version=2, conditions="tomorrow")
    assert store.read(trials.found, regrade, tomorrow, "b.ipynb") is None


def test_a_process_that_is_lost_while_results_are_made_to_count_leaves_the_rest_to_the_next(
    store: Store,
) -> None:
    school = School(store)
    people = [school.learner(name) for name in "abcde"]
    for number, person in enumerate(people):
        school.receive(person, NOTEBOOK + b" " * number)
        grade(store, 5)
    regrade = again(store, school.asked, *[6] * 5)
    assert store.write(regrades.confirm, school.asked, regrade, TODAY) is None
    assert store.write(regrades.proceed, 2)  # and then no more of this process
    assert [scores(store, school.asked, person) for person in people] == [[6], [6], [5], [5], [5]]
    assert store.write(regrades.begin, school.asked, TODAY) == regrade
    assert store.write(regrades.drop, regrade) == Text(id="regrade-over")
    assert store.read(regrades.any_confirmed)
    while store.write(regrades.proceed):
        pass
    assert [scores(store, school.asked, person) for person in people] == [[6]] * 5
    assert not store.read(regrades.any_confirmed)


def test_an_assignment_that_is_not_asked_for_is_told(store: Store) -> None:
    School(store)
    with pytest.raises(UsageError, match="course-asks-not"):
        store.read(courses.asks, "dl101", "temperature")
