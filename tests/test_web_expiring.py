"""What is old goes, what a crash left behind is swept, and nothing else: on SQLite and on a real PostgreSQL server."""

import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook.tables import Result
from grader.web.store import attempts, clearing, deliveries, forgetting, people, standing
from grader.web.store.store import Store, open_store
from grader.web.store.tables import Attempt, Delivery, Person, Visit
from tests.gradebooks import EXERCISE
from tests.test_web_forgetting import THERE, count, grade, pseudonym, with_everything
from tests.web import NOTEBOOK, OTHER, School, folder_of

# ---- what is old --------------------------------------------------------------------------------


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def age(store: Store, days: int, *numbers: int) -> None:
    """Let attempts, or, without any, people, be so many days older."""

    def work(session: Session) -> None:
        before = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds")
        for number in numbers:
            session.get_one(Attempt, number).received = before
        for person in session.scalars(select(Person)) if not numbers else ():
            person.created = before

    store.write(work)


def test_what_is_old_goes_and_what_counts_is_the_best_of_the_rest(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    contents = [NOTEBOOK + b" " * n for n in range(3)]
    for content, score in zip(contents, (9, 4, 6), strict=True):
        school.receive(ann, content)
        grade(store, score)
    waiting = school.receive(ann, OTHER)
    store.write(deliveries.aim, school.asked.id, ann, msgspec.json.encode(THERE).decode())
    sent = store.read(lambda session: session.scalars(select(Delivery.wanted)).one())
    assert isinstance(waiting, int)
    age(store, 40, 1, 2, waiting)
    assert clearing.expire(store, 30) == (2, 0)
    assert [one.number for one in store.read(attempts.of_person, school.asked.id, ann)] == [4, 3]
    (kept,) = store.book.grades(EXERCISE, school.asked.batch)
    assert (kept.score, kept.handed_in is not None and kept.handed_in.attempts) == (6, 2)
    assert count(store, Result) == 1
    assert len(folder_of(store.files.folder)) == 2
    assert store.read(lambda session: session.scalars(select(Delivery.wanted)).one()) == sent
    assert clearing.expire(store, 30) == (0, 0)


def test_who_has_nothing_here_any_more_is_forgotten_after_as_long(store: Store) -> None:
    school = School(store)
    store.write(people.teacher_of_code, school.teacher_code)
    names = ("gone", "signed in", "decided", "has attempts")
    gone, here, decided, busy = (school.learner(name) for name in names)
    school.receive(gone)
    school.receive(busy, OTHER)
    for _ in range(2):
        grade(store, 7)
    store.write(people.begin_visit, here)
    store.write(standing.decide, school.asked, pseudonym(store, decided), 5.0, "x")
    age(store, 40)
    fresh = school.learner("fresh")
    age(store, 40, 1)
    assert clearing.expire(store, 30) == (1, 1)
    left = store.read(lambda session: set(session.scalars(select(Person.name))))
    assert left == {"", "signed in", "decided", "has attempts", "fresh"}
    assert store.read(lambda session: session.get(Person, gone)) is None
    assert fresh


def test_many_go_in_several_transactions_and_it_can_be_stopped(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    for number in range(60):
        school.receive(ann, NOTEBOOK + b" " * number)
        grade(store, 7)
    age(store, 40, *range(1, 61))
    assert clearing.expire(store, 30, lambda: True) == (0, 0)
    assert clearing.expire(store, 30) == (60, 0)
    assert folder_of(store.files.folder) == []


# ---- files --------------------------------------------------------------------------------------


def older(store: Store) -> None:
    """Let all files be two days old."""
    for path in store.files.folder.rglob("*"):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)


def test_what_a_crash_left_behind_is_swept_and_nothing_else(store: Store) -> None:
    school = School(store)
    ann = with_everything(store, school)
    bob = school.learner("Bob")
    kept = store.files.put(NOTEBOOK + b"  ")
    school.receive(bob, NOTEBOOK + b"  ")
    store.write(forgetting.person, ann)  # and there the process was lost
    beside = store.files.folder / kept[:2] / ".0123456789abcdef"
    beside.write_bytes(b"half of a fi")
    assert clearing.sweep(store) == 0
    older(store)
    assert clearing.sweep(store) == 2
    assert folder_of(store.files.folder) == [f"{kept[:2]}/{kept[2:]}"]


def test_a_file_that_was_about_to_go_when_the_process_was_lost_comes_back_if_it_is_wanted(
    store: Store,
) -> None:
    school = School(store)
    school.receive(school.learner())
    sha256, nobodys = store.files.put(NOTEBOOK), store.files.put(OTHER)
    for one in (sha256, nobodys):
        path = store.files.folder / one[:2] / one[2:]
        path.rename(path.with_name(f".{path.name}.aside"))
    older(store)
    for _ in range(2):
        clearing.sweep(store)
    assert store.files.get(sha256) == NOTEBOOK
    assert len(folder_of(store.files.folder)) == 1


def test_visits_that_are_over_are_swept(store: Store) -> None:
    store.write(people.begin_visit, School(store).learner())
    clearing.sweep(store)
    assert count(store, Visit) == 1
    store.write(lambda session: setattr(session.scalars(select(Visit)).one(), "expires", "2020-01-01"))
    clearing.sweep(store)
    assert count(store, Visit) == 0


def test_a_folder_belongs_to_one_database(store: Store, tmp_path: Path) -> None:
    clearing.claim(store)
    clearing.claim(store)
    another = open_store(str(tmp_path / "another"), store.files.folder)
    with another, pytest.raises(GradebookError) as caught:
        clearing.claim(another)
    assert caught.value.text == "file-store-another"
    assert clearing.sweep(store) == 0
    clearing.claim(store)


@pytest.mark.slow
def test_who_hands_in_the_same_while_another_is_forgotten_loses_nothing(store: Store) -> None:
    school = School(store)
    ending, sha256 = threading.Event(), hashlib.sha256(NOTEBOOK).hexdigest()

    def come_and_go() -> None:
        while not ending.is_set():
            ann = school.learner()
            school.receive(ann)
            clearing.forget(store, ann)

    def hand_in(name: str) -> int:
        person = school.learner(name)
        assert isinstance(school.receive(person), int)
        store.files.put(NOTEBOOK)  # as the page does it
        assert store.files.get(sha256) == NOTEBOOK
        return person

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(come_and_go) for _ in range(2)]
        try:
            for number in range(40):
                clearing.forget(store, hand_in(str(number)))
            kept = [hand_in(f"kept {number}") for number in range(20)]
        finally:
            ending.set()
        for one in others:
            one.result()
    assert store.files.get(sha256) == NOTEBOOK
    assert count(store, Attempt) == len(kept)
