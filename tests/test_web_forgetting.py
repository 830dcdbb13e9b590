"""What is forgotten is gone, from each table and from the disk, and nothing else is: on SQLite and on a real PostgreSQL server."""

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.gradebook import pushes
from grader.gradebook.records import Pushed
from grader.gradebook.tables import Table
from grader.lms.lti.records import ChoiceWanted, Launch
from grader.model import Text
from grader.web.store import (
    attempts,
    clearing,
    deliveries,
    forgetting,
    jobs,
    people,
    platforms,
    regrades,
    reviews,
    standing,
)
from grader.web.store.records import Destination, Outcome
from grader.web.store.store import Store, open_store
from grader.web.store.tables import Attempt, Delivery, Job, Person
from grader.web.store.teaching import Regrade, Review, Sheet, Trial
from tests.gradebooks import EXERCISE, graded, identity
from tests.web import NOTEBOOK, OTHER, OWNER, School, folder_of

SUBJECT = "subject-of-ann"
THERE = Destination(
    issuer="https://lms.example", client_id="1", line_item="https://lms.example/1", scopes=(), subject=SUBJECT
)
SECRETS = ("Ann Onymous", "ann-onymous", SUBJECT, "Ann was ill")


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def grade(store: Store, score: float) -> None:
    """Grade what waits longest, with a report under the file's name."""
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    report = graded(score, sha256=leased.sha256, name=leased.file)
    assert store.write(
        jobs.finish, leased.job, OWNER, Outcome(identity=identity(leased.sha256), report=report)
    )


def with_everything(store: Store, school: School) -> int:
    """Ann Onymous, of whom each table that can has something."""
    person = school.learner("Ann Onymous")
    store.write(people.begin_visit, person)
    for number, content in enumerate((OTHER, NOTEBOOK)):
        school.receive(person, content, f"ann-onymous-{number}.ipynb")
        grade(store, 7)
    store.write(deliveries.aim, school.asked.id, person, msgspec.json.encode(THERE).decode())
    store.write(platforms.next_stamp, THERE.line_item, SUBJECT, 1)
    name = pseudonym(store, person)
    store.write(standing.decide, school.asked, name, 9.0, "Ann was ill")
    store.write(pushes.begin, EXERCISE, "there", Pushed(student=name, person=SUBJECT, points=1.0, says="x"))
    wanted = ChoiceWanted(return_url="https://lms.example", multiple=False, line_items=True, data=None)
    launch = Launch(
        issuer="i", client_id="1", deployment="1", message="choose", subject=SUBJECT, role="teacher", target="t",
        choice=wanted,
    )  # fmt: skip
    store.write(platforms.keep_choice, person, launch)
    return person


def pseudonym(store: Store, person: int) -> str:
    return store.read(lambda session: session.get_one(Person, person).pseudonym)


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""

    def rows(session: Session) -> dict[str, list[tuple[object, ...]]]:
        tables = Table.metadata.sorted_tables
        return {table.name: sorted(map(tuple, session.execute(select(table))), key=repr) for table in tables}

    return store.read(rows)


def count(store: Store, table: type[Table]) -> int:
    return store.read(lambda session: session.scalar(select(func.count()).select_from(table)) or 0)


# ---- one person ---------------------------------------------------------------------------------


def test_a_person_is_gone_from_everywhere_and_others_are_as_before(store: Store) -> None:
    school = School(store)
    bob = school.learner("Bob")
    school.receive(bob, NOTEBOOK, "bob.ipynb")
    grade(store, 7)
    before = everything(store)
    ann = with_everything(store, school)
    name = pseudonym(store, ann)
    shared, own = store.files.put(NOTEBOOK), store.files.put(OTHER)
    assert all(secret in repr(everything(store)) for secret in SECRETS)
    clearing.forget(store, ann)
    after = everything(store)
    assert not [secret for secret in (*SECRETS, name, own) if secret in repr(after)]
    (decision,) = after.pop("overrides")
    assert before.pop("overrides") == []
    assert (decision[1], decision[3:5]) == (EXERCISE, (9.0, ""))
    assert after == before
    assert folder_of(store.files.folder) == [f"{shared[:2]}/{shared[2:]}"]


def test_what_was_deleted_is_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "service.sqlite"
    with open_store(str(place), tmp_path / "files") as store:
        clearing.forget(store, with_everything(store, School(store)))
    assert not [secret for secret in SECRETS if secret.encode() in place.read_bytes()]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [place.name]


def test_who_is_graded_meanwhile_ends_that_cleanly_and_others_lose_nothing(store: Store) -> None:
    school = School(store)
    ann, bob = school.learner("Ann"), school.learner("Bob")
    for one in (ann, bob):
        school.receive(one)
    leased = [store.write(jobs.lease, OWNER, 60.0) for _ in range(2)]
    clearing.forget(store, ann)
    first, second = (one for one in leased if one is not None)
    done = Outcome(identity=identity(first.sha256), report=graded(7, sha256=first.sha256))
    assert not store.write(jobs.finish, first.job, OWNER, done)
    assert store.write(jobs.finish, second.job, OWNER, done)
    assert store.files.get(first.sha256) == NOTEBOOK
    (grade_of_bob,) = store.book.grades(EXERCISE, school.asked.batch)
    assert (grade_of_bob.name, grade_of_bob.score) == ("Bob", 7)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_score_that_is_under_way_meanwhile_is_no_fault(store: Store, arrives: bool) -> None:
    school = School(store)
    ann = with_everything(store, school)
    due = store.write(deliveries.take, OWNER, 60.0)
    assert due is not None
    clearing.forget(store, ann)
    if arrives:
        store.write(deliveries.arrived, due, OWNER)
    else:
        store.write(deliveries.failed, due, OWNER, "", again=True)
    assert count(store, Delivery) == 0


def test_who_is_gone_meanwhile_hands_in_nothing_is_not_let_in_and_is_given_no_score(store: Store) -> None:
    school = School(store)
    ann = school.learner()
    name = pseudonym(store, ann)
    clearing.forget(store, ann)
    clearing.forget(store, ann)  # once more is no error
    assert store.write(people.change_visit, "", ann) is None
    assert school.receive(ann) == Text(id="web-sign-in-first")
    with pytest.raises(UsageError, match="student-unknown"):
        store.write(standing.decide, school.asked, name, 5.0, "x")


def test_no_number_is_given_twice(store: Store) -> None:
    """Whose file or score is under way when they are forgotten must not be taken for who comes next."""
    school = School(store)
    numbers = []
    for content in (NOTEBOOK, OTHER):
        person = school.learner()
        attempt = school.receive(person, content)
        leased = store.write(jobs.lease, OWNER, 60.0)
        assert leased is not None
        numbers.append((person, attempt, leased.job))
        clearing.forget(store, person)
    assert all(one != other for one, other in zip(*numbers, strict=True))


def test_somebody_is_found_by_what_they_are_called(store: Store) -> None:
    school, other = School(store), School(store, "other")
    ann, code = store.write(people.join, school.asked.course, "Ann")
    other.learner("Ann")
    for who in ("ann", " Ann ", code, code.upper(), pseudonym(store, ann)):
        assert store.read(forgetting.whom, "DL101", who) == (ann, "Ann")
    twin = school.learner("ANN")
    with pytest.raises(UsageError, match="person-several") as several:
        store.read(forgetting.whom, school.code, "Ann")
    assert pseudonym(store, twin) in str(several.value.params["known"])
    for who in ("", "Bob", "\0", "teacher"):
        with pytest.raises(UsageError, match="person-unknown"):
            store.read(forgetting.whom, school.code, who)
    with pytest.raises(UsageError, match="course-unknown"):
        store.read(forgetting.whom, "dl999", "Ann")


# ---- a course -----------------------------------------------------------------------------------


def test_a_course_is_gone_with_all_in_it_and_another_is_as_before(store: Store) -> None:
    other = School(store, "other")
    other.receive(other.learner("Bob"))
    grade(store, 7)
    before = everything(store)
    school = School(store)
    with_everything(store, school)
    store.write(people.teacher_of_code, school.teacher_code)
    clearing.remove(store, "DL101")
    after = everything(store)
    assert len(after.pop("overrides")) == 1
    before.pop("overrides")
    assert after == before
    with pytest.raises(UsageError, match="course-unknown"):
        clearing.remove(store, "dl101")


def taught(store: Store, school: School, *learners: int) -> int:
    """What a teacher does: looks at an attempt of each learner, has a table filled in, and begins a regrade of all."""
    teacher = store.write(people.teacher_of_code, school.teacher_code)
    assert teacher is not None
    for learner in learners:
        school.receive(learner, b"%d" % learner + NOTEBOOK)
        grade(store, 7)
    with_results = store.read(lambda session: session.execute(select(Attempt.id, Attempt.result)).all())
    for attempt, result in with_results:
        assert store.write(reviews.settle, attempt, result, teacher)
    sheet = Sheet(person=teacher, assignment=school.asked.id, record="Ann Onymous", made="2026-01-01")
    store.write(lambda session: session.add(sheet))
    assert store.write(regrades.begin, school.asked, identity("", exercise_version=2), person=teacher) == 1
    return teacher


def test_what_teachers_did_about_somebody_is_forgotten_with_them(store: Store) -> None:
    school = School(store)
    ann, bob = school.learner("Ann Onymous"), school.learner("Bob")
    taught(store, school, ann, bob)
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    clearing.forget(store, ann)
    outcome = Outcome(identity=identity(leased.sha256), report=graded(8, sha256=leased.sha256))
    assert not store.write(jobs.finish, leased.job, OWNER, outcome)
    assert [count(store, table) for table in (Review, Trial, Sheet, Job)] == [1, 1, 0, 1]
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    report = graded(8, sha256=leased.sha256)
    outcome = Outcome(identity=identity(leased.sha256, exercise_version=2), report=report)
    assert store.write(jobs.finish, leased.job, OWNER, outcome)
    asked, today = school.asked, identity("", exercise_version=2)
    assert store.write(regrades.confirm, asked, 1, today) is None
    while store.write(regrades.proceed):
        pass
    assert [one.score for one in store.read(attempts.of_person, asked.id, bob)] == [8.0]


def test_what_a_teacher_did_stays_when_they_are_forgotten_and_goes_with_the_course(store: Store) -> None:
    school = School(store)
    teacher = taught(store, school, school.learner("Bob"))
    clearing.forget(store, teacher)
    assert [count(store, table) for table in (Review, Regrade, Trial, Sheet)] == [1, 1, 1, 0]
    [look] = store.read(reviews.settled, school.asked)
    assert look.by == ""
    clearing.remove(store, school.code)
    assert [count(store, table) for table in (Review, Regrade, Trial, Sheet, Job)] == [0] * 5
