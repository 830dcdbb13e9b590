"""The outbox, on SQLite and on a real PostgreSQL server: what counts comes there, the newest last, and once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.gradebook.stored import to_json
from grader.model import Text
from grader.web.store import courses, deliveries, standing
from grader.web.store.store import Store, open_store
from grader.web.store.tables import Delivery
from tests.gradebooks import EXERCISE
from tests.web import NOTEBOOK, OTHER, OWNER, School, grade_next

THERE = '{"line_item": "https://lms.example/items/1"}'
AWAY = to_json(Text(id="lti-score-failed"))


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def take(store: Store, owner: str = OWNER, seconds: float = 60.0) -> tuple[float, float | None] | None:
    """Send what is due, which arrives; its score."""
    due = store.write(deliveries.take, owner, seconds)
    if due is None:
        return None
    store.write(deliveries.arrived, due, owner)
    return due.score, due.full


def row(store: Store) -> Delivery:
    return store.read(lambda session: session.scalars(select(Delivery)).one())


def test_a_score_goes_where_it_is_to_go_and_once(store: Store) -> None:
    school = School(store)
    person = school.learner()
    store.write(deliveries.aim, school.asked.id, person, THERE)
    assert take(store) is None
    school.receive(person)
    grade_next(store, 7)
    assert take(store) == (7, 10)
    assert take(store) is None
    school.receive(person, OTHER)
    grade_next(store, 5)  # the better one still counts
    assert take(store) is None
    store.write(deliveries.aim, school.asked.id, person, THERE)
    assert take(store) is None


def test_who_has_no_destination_has_no_delivery(store: Store) -> None:
    school = School(store)
    person = school.learner()
    school.receive(person)
    grade_next(store, 7)
    assert take(store) is None
    store.write(deliveries.aim, school.asked.id, person, THERE)  # what there is goes there now
    assert take(store) == (7, 10)
    store.write(deliveries.aim, school.asked.id, person, THERE.replace("1", "2"))
    assert take(store) == (7, 10)


def test_what_a_person_decides_goes_there_too(store: Store) -> None:
    school = School(store)
    person = school.learner()
    store.write(deliveries.aim, school.asked.id, person, THERE)
    school.receive(person)
    grade_next(store, 7)
    (line,) = store.read(standing.lines, school.asked)
    store.write(standing.decide, school.asked, line.pseudonym, 9.5, "shown on paper")
    assert take(store) == (9.5, 10)  # the newest alone
    assert take(store) is None
    store.write(standing.decide, school.asked, line.pseudonym, None, "")
    assert take(store) == (7, 10)


def rescaled(store: Store, school: School, points: float | None) -> list[tuple[float, float | None]]:
    """Have full marks be worth so many points; what is sent then."""
    store.write(courses.assign, school.code, EXERCISE, points=points, deadline=None, most=3)
    sent = []
    while (one := take(store)) is not None:
        sent.append(one)
    return sent


def test_other_full_marks_have_what_counts_sent_once_more_on_their_scale(store: Store) -> None:
    school = School(store)
    for name, scores in (("Ann", (4, 7)), ("Bob", (6,)), ("Cy", ())):
        person = school.learner(name)
        store.write(deliveries.aim, school.asked.id, person, THERE)
        for number, score in enumerate(scores):
            school.receive(person, f"{name}{number}".encode())
            grade_next(store, score)
    (line,) = [one for one in store.read(standing.lines, school.asked) if one.name == "Bob"]
    store.write(standing.decide, school.asked, line.pseudonym, 8.0, "shown on paper")
    assert rescaled(store, school, None) == [(7, 10), (8, 10)]
    assert rescaled(store, school, 20.0) == [(14, 20), (16, 20)]
    assert rescaled(store, school, 20.0) == []
    assert rescaled(store, school, 10.0) == [(7, 10), (8, 10)]
    assert rescaled(store, school, None) == []  # which is worth the same


def test_a_score_that_is_on_its_way_while_full_marks_change_goes_there_on_the_new_scale_next(
    store: Store,
) -> None:
    school = School(store)
    person = school.learner()
    store.write(deliveries.aim, school.asked.id, person, THERE)
    school.receive(person)
    grade_next(store, 7)
    held = store.write(deliveries.take, OWNER, 60.0)
    assert held is not None
    assert rescaled(store, school, 20.0) == []  # not before the one before has arrived
    store.write(deliveries.arrived, held, OWNER)
    assert take(store) == (14, 20)
    assert take(store) is None


def test_one_that_fails_is_tried_again_later_and_later(store: Store) -> None:
    school = School(store)
    person = school.learner()
    store.write(deliveries.aim, school.asked.id, person, THERE)
    school.receive(person)
    grade_next(store, 7)
    waits = []
    for _ in range(14):
        due = store.write(deliveries.take, OWNER, 60.0)
        assert due is not None
        store.write(deliveries.failed, due, OWNER, AWAY, again=True)
        assert store.write(deliveries.take, OWNER, 60.0) is None
        waits.append(round(seconds_until(row(store).due)))
        make_due(store)
    assert waits == [*(5 * 2**n for n in range(10)), *[3600] * 4]
    assert (row(store).error, row(store).tries) == (AWAY, 14)
    school.receive(person, OTHER)
    grade_next(store, 9)  # a new score is tried at once
    assert take(store) == (9, 10)
    assert row(store).error is None


def test_one_that_is_refused_for_good_waits_for_the_next_score(store: Store) -> None:
    school = School(store)
    person = school.learner()
    store.write(deliveries.aim, school.asked.id, person, THERE)
    school.receive(person)
    grade_next(store, 7)
    due = store.write(deliveries.take, OWNER, 60.0)
    assert due is not None
    store.write(deliveries.failed, due, OWNER, AWAY, again=False)
    assert (row(store).due, row(store).error) == (None, AWAY)
    school.receive(person, OTHER)
    grade_next(store, 9)
    assert take(store) == (9, 10)


def seconds_until(moment: str | None) -> float:
    assert moment is not None
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


def make_due(store: Store) -> None:
    """As if the time had passed."""
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="milliseconds")
    store.write(lambda session: setattr(session.scalars(select(Delivery)).one(), "due", past))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("outbox")
    with open_store(str(folder / "a.sqlite"), folder / "files") as store:
        yield store


STEPS = st.lists(
    st.sampled_from(["score", "take", "lose", "arrive", "fail", "wait"]), min_size=1, max_size=25
)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_whatever_happens_the_newest_score_comes_last_and_none_comes_twice(
    shared: Store, steps: list[str]
) -> None:
    school = School(shared, f"course-{datetime.now(UTC).timestamp()}")
    person = school.learner()
    shared.write(deliveries.aim, school.asked.id, person, THERE)
    score, held, came = 0.0, None, list[float]()
    for number, step in enumerate(steps):
        if step == "score":
            school.receive(person, NOTEBOOK + b" " * number)
            score += 0.25
            grade_next(shared, score)
        elif step in {"take", "lose"} and held is None:
            held = shared.write(deliveries.take, OWNER, 60.0 if step == "take" else -1.0)
            held = held if step == "take" else None
        elif step == "arrive" and held is not None:
            came.append(held.score)
            shared.write(deliveries.arrived, held, OWNER)
            held = None
        elif step == "fail" and held is not None:
            shared.write(deliveries.failed, held, OWNER, AWAY, again=True)
            held = None
        elif step == "wait":
            shared.write(_make_all_due)
    if held is not None:
        came.append(held.score)
        shared.write(deliveries.arrived, held, OWNER)
    shared.write(_make_all_due)
    while (last := take(shared)) is not None:
        came.append(last[0])
    assert came == sorted(set(came))
    assert came[-1:] == ([score] if score else [])


def _make_all_due(session: Session) -> None:
    for one in session.scalars(select(Delivery).where(Delivery.due.is_not(None))):
        one.due = "2020-01-01T00:00:00.000+00:00"
