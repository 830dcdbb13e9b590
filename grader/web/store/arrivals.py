"""Who comes from a learning platform: their course, assignment and person are made, or found again."""

from typing import NamedTuple

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grader.gradebook.results import now
from grader.lms.lti.records import Launch
from grader.web.store import courses, deliveries, people
from grader.web.store.codes import digest, new_code
from grader.web.store.records import Asked, Destination, Role, Terms
from grader.web.store.tables import Context, Course, RegisteredPlatform, ResourceLink

LONGEST_TITLE = 200


class Arrived(NamedTuple):
    """Somebody who is in now. assignment: what they came for; None of who chooses an exercise."""

    course: int
    person: int
    assignment: int | None


def arrive(session: Session, launch: Launch, role: Role, terms: Terms | None) -> Arrived:
    """Let somebody in. terms: how their link asks for its exercise; None where they came without one.

    A learner's scores go to the column of the link from then on.
    """
    course = _course(session, launch)
    key = people.key_elsewhere(launch.issuer, launch.subject)
    person = people.known_by(session, course.id, key, launch.name or "", role)
    session.flush()
    if terms is None or launch.link is None:
        return Arrived(course.id, person, None)
    assignment, newest = _assignment(session, course, launch.link.id, terms)
    column = launch.scores.line_item if launch.scores else None
    if role == "learner" and newest and launch.scores is not None and column is not None:
        there = Destination(
            issuer=launch.issuer,
            client_id=launch.client_id,
            line_item=column,
            scopes=launch.scores.scopes,
            subject=launch.subject,
        )
        deliveries.aim(session, assignment, person, msgspec.json.encode(there).decode())
    return Arrived(course.id, person, assignment)


def _course(session: Session, launch: Launch) -> Course:
    """The course by platform, deployment and context; a link outside of any course is one of its own."""
    platform = session.scalars(
        select(RegisteredPlatform).where(
            RegisteredPlatform.issuer == launch.issuer, RegisteredPlatform.client_id == launch.client_id
        )
    ).one()
    link = "" if launch.link is None else launch.link.id
    context = f"link {link}" if launch.course is None else f"course {launch.course.id}"
    row = session.scalar(
        select(Context).where(
            Context.platform == platform.id,
            Context.deployment == launch.deployment,
            Context.context == context,
        )
    )
    named = launch.course or launch.link
    title = (named.title if named else "").strip()[:LONGEST_TITLE]
    if row is None:
        course = Course(
            # Nobody knows these codes, so nobody enters by them.
            code=new_code(),
            teacher=digest("teacher", new_code()),
            title=title or platform.name or platform.issuer,
            created=now(),
        )
        session.add(course)
        session.flush()
        row = Context(platform=platform.id, deployment=launch.deployment, context=context, course=course.id)
        session.add(row)
    else:
        course = session.get_one(Course, row.course)
        course.title = title or course.title
    row.roster = launch.roster_url or row.roster
    session.flush()
    return course


def _assignment(session: Session, course: Course, link: str, terms: Terms) -> tuple[int, bool]:
    """The assignment of a link, and whether the link is the newest that leads there, whose terms hold."""
    row = session.scalar(
        select(ResourceLink).where(ResourceLink.course == course.id, ResourceLink.link == link)
    )
    asked = next(
        (one for one in courses.assignments(session, course.id) if one.exercise == terms.exercise), None
    )
    if row is None or asked is None or row.assignment != asked.id:
        asked = _ask(session, course, terms)
        if row is not None:
            session.delete(row)
            session.flush()
        session.add(ResourceLink(course=course.id, link=link, assignment=asked.id))
        return asked.id, True
    newest = session.scalar(select(func.max(ResourceLink.id)).where(ResourceLink.assignment == asked.id))
    if row.id != newest:
        return asked.id, False
    if (asked.points, asked.deadline, asked.most) != (terms.points, terms.deadline, terms.most):
        _ask(session, course, terms)
    return asked.id, True


def _ask(session: Session, course: Course, terms: Terms) -> Asked:
    return courses.assign(
        session,
        course.code,
        terms.exercise,
        points=terms.points,
        deadline=terms.deadline,
        most=terms.most,
    )
