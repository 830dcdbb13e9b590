"""What the service remembers, on SQLite and on a real PostgreSQL server: courses, people, attempts."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.errors import UsageError
from grader.model import Text
from grader.web.store import attempts, courses, jobs, people, standing
from grader.web.store.records import Outcome
from grader.web.store.store import Store
from grader.web.store.tables import Course, Person, Visit
from tests.gradebooks import EXERCISE, identity, ungradable
from tests.web import NOTEBOOK, OTHER, OWNER, School, grade_next

# ---- courses and people -------------------------------------------------------------------------


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def test_a_course_has_one_code_however_it_is_typed(store: Store) -> None:
    School(store, "DL101")
    assert store.read(people.course_of_code, "  dl101 ") is not None
    with pytest.raises(UsageError, match="course-code-taken"):
        store.write(courses.add, "Dl101", "Another")
    with pytest.raises(UsageError, match="course-unknown"):
        store.write(courses.assign, "dl102", EXERCISE, points=None, deadline=None, most=None)


def test_an_assignment_is_changed_and_not_added_twice(store: Store) -> None:
    school = School(store)
    again = store.write(courses.assign, school.code, EXERCISE, points=20.0, deadline=None, most=3)
    assert (again.id, again.batch, again.points, again.most) == (school.asked.id, school.asked.batch, 20, 3)
    assert store.read(courses.listed) == [("dl101", "Deep learning dl101", [again])]


def test_a_learner_comes_back_by_their_own_code_in_their_own_course(store: Store) -> None:
    one, other = School(store), School(store, "other")
    person, code = store.write(people.join, one.asked.course, " Ann ")
    assert store.read(people.returning, one.asked.course, f" {code.upper()} ") == person
    assert store.read(people.returning, other.asked.course, code) is None
    assert store.read(people.returning, one.asked.course, "") is None


def test_no_text_is_too_strange_to_be_stored(store: Store) -> None:
    strange = "\0 \ud800 \N{RIGHT-TO-LEFT OVERRIDE}" + "x" * 500
    school = School(store)
    person = school.learner(strange)
    assert isinstance(school.receive(person, file=strange), int)
    grade_next(store, 7)
    (grade,) = store.book.grades(EXERCISE, school.asked.batch)
    assert grade.name.startswith("\\x00 \\ud800")
    assert store.read(people.course_of_code, strange) is None
    assert store.read(people.returning, school.asked.course, strange) is None
    assert store.read(people.learner, school.asked.course, strange) is None
    assert store.write(people.teacher_of_code, strange) is None


def test_of_secrets_only_digests_are_stored(store: Store) -> None:
    school = School(store)
    person, code = store.write(people.join, school.asked.course, "Ann")
    token = store.write(people.begin_visit, person)
    kept = store.read(
        lambda session: [
            *session.scalars(select(Course.teacher)),
            *session.scalars(select(Person.key)),
            *session.scalars(select(Visit.token)),
        ]
    )
    assert len(kept) == 3
    assert not {school.teacher_code, code, token} & set(kept)


def test_a_visit_ends(store: Store) -> None:
    token = store.write(people.begin_visit, School(store).learner())
    visitor = store.read(people.visitor, token)
    assert visitor is not None
    assert (visitor.name, visitor.role) == ("Ann", "learner")
    store.write(people.end_visit, token)
    assert store.read(people.visitor, token) is None


def test_a_visit_that_is_over_is_worth_nothing(store: Store) -> None:
    token = store.write(people.begin_visit, School(store).learner())

    def age(session: Session) -> None:
        for row in session.scalars(select(Visit)):
            row.expires = "2020-01-01T00:00:00.000+00:00"

    store.write(age)
    assert store.read(people.visitor, token) is None


def test_teachers_enter_by_the_newest_code(store: Store) -> None:
    school = School(store)
    teacher = store.write(people.teacher_of_code, school.teacher_code)
    assert teacher == store.write(people.teacher_of_code, school.teacher_code) is not None
    fresh = store.write(courses.renew_teacher_code, school.code)
    assert store.write(people.teacher_of_code, school.teacher_code) is None
    assert store.write(people.teacher_of_code, fresh) == teacher


@pytest.mark.parametrize("text", ["tomorrow", "", "2026-13-01", "9999-12-31T23:59:59-23:00"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="deadline-malformed"):
        courses.moment(text)


def test_a_time_is_stored_in_utc() -> None:
    assert courses.moment("2026-12-24T18:00+08:00") == "2026-12-24T10:00:00.000+00:00"


# ---- attempts -----------------------------------------------------------------------------------


def test_attempts_never_exceed_the_limit_however_many_come_at_once(store: Store) -> None:
    school = School(store, most=3)
    person = school.learner()
    contents = [NOTEBOOK + b" " * n for n in range(12)]
    begin = threading.Barrier(len(contents))

    def hand_in(content: bytes) -> object:
        begin.wait()
        return school.receive(person, content)

    with ThreadPoolExecutor(len(contents)) as pool:
        taken = list(pool.map(hand_in, contents))
    refused = [each for each in taken if isinstance(each, Text)]
    assert len(refused) == 9
    assert {each.id for each in refused} == {"web-attempts-used"}
    own = store.read(attempts.of_person, school.asked.id, person)
    assert [one.number for one in own] == [3, 2, 1]
    assert store.read(jobs.waiting) == (3, 0)


def test_the_same_file_that_still_waits_is_the_same_attempt(store: Store) -> None:
    school = School(store, most=2)
    person = school.learner()
    assert school.receive(person) == school.receive(person)
    assert school.receive(school.learner("Bob")) != school.receive(person)
    assert len(store.read(attempts.of_person, school.asked.id, person)) == 1
    for _ in range(2):
        grade_next(store, 7)
    assert isinstance(school.receive(person), int)  # graded: another attempt, as somebody may want
    assert isinstance(school.receive(person, OTHER), Text)


def test_what_could_not_be_graded_is_no_attempt_used(store: Store) -> None:
    school = School(store, most=1)
    person = school.learner()
    assert isinstance(school.receive(person), int)
    leased = store.write(jobs.lease, OWNER, 60.0)
    assert leased is not None
    broken = Outcome(identity=identity(leased.sha256), report=ungradable(leased.sha256))
    assert store.write(jobs.finish, leased.job, OWNER, broken)
    assert isinstance(school.receive(person), int)
    assert isinstance(school.receive(person, OTHER), Text)


def test_nothing_is_taken_after_the_deadline(store: Store) -> None:
    school = School(store, deadline=courses.moment("2020-01-01T00:00+00:00"))
    refused = school.receive(school.learner())
    assert isinstance(refused, Text)
    assert refused == Text(id="web-deadline-over", params={"deadline": "2020-01-01 00:00"})


def test_the_best_attempt_counts_and_stands_in_the_gradebook(store: Store) -> None:
    school = School(store)
    person = school.learner()
    for content, score in ((NOTEBOOK, 4.0), (OTHER, 9.0), (NOTEBOOK + b" ", 6.0)):
        school.receive(person, content)
        grade_next(store, score)
    own = store.read(attempts.of_person, school.asked.id, person)
    best = attempts.best(own)
    assert best is not None
    assert (best.number, best.score) == (2, 9)
    (grade,) = store.book.grades(EXERCISE, school.asked.batch)
    assert (grade.name, grade.score) == ("Ann", 9)
    assert grade.handed_in is not None
    assert grade.handed_in.attempts == 3


def test_a_score_of_a_persons_own_counts_also_of_who_handed_in_nothing(store: Store) -> None:
    school = School(store)
    school.learner()
    (line,) = store.read(standing.lines, school.asked)
    store.write(standing.decide, school.asked, line.pseudonym, 8.0, "shown on paper")
    (line,) = store.read(standing.lines, school.asked)
    assert line.override is not None
    assert (line.override.score, line.override.reason, line.best) == (8, "shown on paper", None)
    store.write(standing.decide, school.asked, line.pseudonym, None, "")
    assert store.read(standing.decided, school.asked, line.pseudonym) is None
