"""The queue, on SQLite and on a real PostgreSQL server: each job is done once, whatever processes do."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from grader.web.store import attempts, jobs, regrades
from grader.web.store.records import Leased
from grader.web.store.store import Store, open_store
from grader.web.store.tables import Job
from tests.gradebooks import identity
from tests.web import NOTEBOOK, OTHER, OWNER, School, grade_next, outcome


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def test_jobs_are_taken_in_the_order_in_which_they_came_and_by_one_process_each(store: Store) -> None:
    school = School(store)
    for name in ("Ann", "Bob", "Cy"):
        school.receive(school.learner(name))
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda owner: store.write(jobs.lease, owner, 60.0), "abcdef"))
    leased = [each for each in taken if each is not None]
    assert sorted(each.job for each in leased) == [1, 2, 3]
    assert not store.read(jobs.any_free)
    assert store.read(jobs.waiting) == (0, 3)


def test_what_a_lost_process_held_is_taken_again_and_its_late_word_does_not_count(store: Store) -> None:
    school = School(store)
    person = school.learner()
    school.receive(person)
    lost = store.write(jobs.lease, "lost", -1.0)
    again = store.write(jobs.lease, "heir", 60.0)
    assert lost is not None
    assert again is not None
    assert (again.job, again.tries) == (lost.job, 2)
    assert not store.write(jobs.finish, lost.job, "lost", outcome(1, lost.sha256))
    assert store.write(jobs.finish, again.job, "heir", outcome(9, again.sha256))
    assert not store.write(jobs.finish, again.job, "heir", outcome(3, again.sha256))
    (own,) = store.read(attempts.of_person, school.asked.id, person)
    assert (own.score, own.state) == (9, "graded")


def test_a_process_that_lives_keeps_what_it_has_and_one_that_ends_gives_it_back(store: Store) -> None:
    school = School(store)
    school.receive(school.learner())
    store.write(jobs.lease, "one", -1.0)
    store.write(jobs.renew, "one", 60.0)
    assert store.write(jobs.lease, "two", 60.0) is None
    store.write(jobs.give_back, "one")
    again = store.write(jobs.lease, "two", 60.0)
    assert again is not None
    assert again.tries == 1


def test_who_waits_is_told_how_many_are_before(store: Store) -> None:
    school = School(store)
    numbers = [school.receive(school.learner(name)) for name in ("Ann", "Bob", "Cy")]
    ahead = [store.read(attempts.in_course, school.asked.course, number) for number in numbers]  # type: ignore[arg-type]
    assert [None if one is None else one.ahead for one in ahead] == [0, 1, 2]
    store.write(jobs.lease, OWNER, 60.0)
    ahead = [store.read(attempts.in_course, school.asked.course, number) for number in numbers]  # type: ignore[arg-type]
    assert [None if one is None else (one.ahead, one.begun) for one in ahead] == [
        *((0, True), (0, False), (1, False))
    ]


def test_what_was_just_handed_in_comes_before_what_is_graded_again(store: Store) -> None:
    school = School(store)
    ann, bob = school.learner(), school.learner("Bob")
    school.receive(ann)
    grade_next(store, 4)
    assert store.write(regrades.begin, school.asked, identity("", conditions="others")) is not None
    number = school.receive(bob, OTHER)
    assert isinstance(number, int)
    waits = store.read(attempts.in_course, school.asked.course, number)
    assert waits is not None
    assert waits.ahead == 0
    assert grade_next(store, 5) == 2
    assert grade_next(store, 6) == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["receive", "lease", "let go", "finish", "give back"]), st.integers(0, 3)),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=10, deadline=None)
def test_whatever_processes_do_each_job_is_done_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("queue")
    with open_store(str(folder / "a.sqlite"), folder / "files") as store:
        school = School(store)
        people_ = [school.learner(name) for name in "abcd"]
        held: dict[str, list[Leased]] = {f"owner {n}": [] for n in range(4)}
        done: list[int] = []
        for number, (step, who) in enumerate(steps):
            owner = f"owner {who}"
            if step == "receive":
                school.receive(people_[who], NOTEBOOK + b" " * number)
            elif step in {"lease", "let go"}:
                leased = store.write(jobs.lease, owner, 60.0 if step == "lease" else -1.0)
                held[owner] += [] if leased is None else [leased]
            elif step == "finish" and held[owner]:
                one = held[owner].pop()
                if store.write(jobs.finish, one.job, owner, outcome(who, one.sha256)):
                    done.append(one.job)
            elif step == "give back":
                store.write(jobs.give_back, owner)
        assert len(done) == len(set(done))
        states = store.read(lambda session: dict(session.execute(select(Job.id, Job.state)).all()))
        assert {job for job, state in states.items() if state == "done"} == set(done)
        for owner in held:
            store.write(jobs.give_back, owner)
        while store.read(jobs.any_free):  # whatever happened before, all of it comes to an end
            done.append(grade_next(store, 5))
        assert sorted(done) == sorted(states)
