"""Who is in a course, and who is signed in."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grader.gradebook.results import now
from grader.web.store.codes import as_typed, digest, new_code, new_pseudonym, new_token
from grader.web.store.records import Role, Visitor
from grader.web.store.tables import Course, Person, Visit

# Who comes from a learning platform comes through it each time.
VISIT_DAYS, FRAMED_DAYS = 7, 1
MAX_NAME = 100
TEACHER = "teacher"


def course_of_code(session: Session, code: str) -> int | None:
    """The course whose learners enter by a code."""
    return session.scalar(select(Course.id).where(Course.code == as_typed(code)))


def join(session: Session, course: int, name: str) -> tuple[int, str]:
    """Add a learner to a course; their number, and the code by which they come back, which is stored nowhere."""
    code = new_code()
    key = digest("learner", course, code)
    return _added(session, course, key, name.strip()[:MAX_NAME], "learner"), code


def returning(session: Session, course: int, own_code: str) -> int | None:
    """The learner of a course who comes back by their own code; None where nobody has it."""
    key = digest("learner", course, as_typed(own_code))
    return session.scalar(select(Person.id).where(Person.course == course, Person.key == key))


def key_elsewhere(issuer: str, subject: str) -> str:
    """By what somebody from a learning platform is known again."""
    return digest("lti", issuer, subject)


def keys(session: Session, course: int) -> set[str]:
    """By what everybody in a course is known again."""
    return set(session.scalars(select(Person.key).where(Person.course == course)))


def known_by(session: Session, course: int, key: str, name: str, role: Role) -> int:
    """Somebody who is known by a key elsewhere, with the name and the role that they have by now; an empty name changes nothing."""
    same = select(Person).where(Person.course == course, Person.key == key)
    row = session.scalar(same.with_for_update())  # or they might be forgotten before they are in
    if row is None:
        return _added(session, course, key, name.strip()[:MAX_NAME], role)
    row.role, row.name = role, name.strip()[:MAX_NAME] or row.name
    return row.id


def teacher_of_code(session: Session, code: str) -> int | None:
    """The teacher who enters by a code; None where no course has it."""
    course = session.scalar(select(Course.id).where(Course.teacher == digest("teacher", as_typed(code))))
    if course is None:
        return None
    known = session.scalar(select(Person.id).where(Person.course == course, Person.key == TEACHER))
    return _added(session, course, TEACHER, "", "teacher") if known is None else known


def change_visit(session: Session, token: str, person: int) -> str | None:
    """Sign somebody in, and whoever had a token out; None where the person was forgotten meanwhile."""
    end_visit(session, token)
    still = session.scalar(select(Person.id).where(Person.id == person).with_for_update())
    return None if still is None else begin_visit(session, person)


def begin_visit(
    session: Session, person: int, *, frames: str | None = None, language: str | None = None
) -> str:
    """Sign somebody in; the token for their cookie, which is stored nowhere. Visits that are over are forgotten.

    frames, language: of who comes from a learning platform, see `Visit`.
    """
    session.execute(delete(Visit).where(Visit.expires <= now()))
    token = new_token()
    days = VISIT_DAYS if frames is None else FRAMED_DAYS
    expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds")
    row = Visit(
        token=digest("visit", token), person=person, expires=expires, frames=frames, language=language
    )
    session.add(row)
    return token


def end_visit(session: Session, token: str) -> None:
    """Sign out."""
    session.execute(delete(Visit).where(Visit.token == digest("visit", token)))


def visitor(session: Session, token: str) -> Visitor | None:
    """Who has a token; None of a token that nobody has, or not any more."""
    row = session.execute(
        select(Person, Course.title, Visit)
        .join(Visit, Visit.person == Person.id)
        .join(Course, Course.id == Person.course)
        .where(Visit.token == digest("visit", token), Visit.expires > now())
    ).one_or_none()
    if row is None:
        return None
    person, title, visit = row
    return Visitor(
        person=person.id,
        pseudonym=person.pseudonym,
        name=person.name,
        role="teacher" if person.role == "teacher" else "learner",
        course=person.course,
        course_title=title,
        frames=visit.frames,
        language=visit.language,  # type: ignore[arg-type]
    )


def learner(session: Session, course: int, pseudonym: str) -> tuple[int, str] | None:
    """The number and name of a learner of a course, by pseudonym; None where it has none such."""
    row = session.scalar(
        select(Person).where(Person.course == course, Person.pseudonym == pseudonym, Person.role == "learner")
    )
    return None if row is None else (row.id, row.name)


def _added(session: Session, course: int, key: str, name: str, role: str) -> int:
    row = Person(course=course, key=key, pseudonym=new_pseudonym(), name=name, role=role, created=now())
    session.add(row)
    session.flush()
    return row.id
