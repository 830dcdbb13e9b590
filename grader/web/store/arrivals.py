"""Who comes from a learning platform: their course, assignment and person are made, or found again."""

from typing import NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.gradebook.results import now
from grader.lms.lti.records import Launch, Link
from grader.web.store import courses, deliveries, people, platforms
from grader.web.store.codes import digest, new_code
from grader.web.store.records import Destination, Role, Terms
from grader.web.store.tables import Context, Course, RegisteredPlatform

LONGEST_TITLE, LONGEST_OF_A_LINK = 200, 80


class Arrived(NamedTuple):
    """Somebody who is in now. token: their visit's; assignment, choice: what they came for, one of the two."""

    course: int
    person: int
    token: str
    assignment: int | None
    choice: int | None


def arrive(  # noqa: PLR0913 - what a launch says, and what we make of it
    session: Session,
    launch: Launch,
    role: Role,
    terms: Terms | None,
    *,
    frames: str = "",
    language: str | None = None,
) -> Arrived:
    """Let somebody in. terms: how their link asks for its exercise; None where they came to choose one.

    Each link has an assignment of its own, to which it has people led, and whose scores go to its column from then on.
    All is one transaction, so that nobody is forgotten on their way in.
    """
    course = _course(session, launch)
    key = people.key_elsewhere(launch.issuer, launch.subject)
    person = people.known_by(session, course.id, key, launch.name or "", role)
    session.flush()
    token = people.begin_visit(session, person, frames=frames, language=language)
    if terms is None or launch.link is None:
        return Arrived(course.id, person, token, None, platforms.keep_choice(session, person, launch))
    assignment = _assignment(session, course, launch.link, terms)
    if launch.scores is not None and (column := launch.scores.line_item) is not None:
        if role == "learner":
            there = Destination(
                issuer=launch.issuer,
                client_id=launch.client_id,
                line_item=column,
                scopes=launch.scores.scopes,
                subject=launch.subject,
            )
            deliveries.aim(session, assignment, person, msgspec.json.encode(there).decode())
        deliveries.leave(session, column, to=assignment, person=person)
    return Arrived(course.id, person, token, assignment, None)


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


def _assignment(session: Session, course: Course, link: Link, terms: Terms) -> int:
    """What a link leads to, on today's terms. One that was changed to another exercise leads to what it asked of that before, if it did."""
    return courses.assign(
        session,
        course.code,
        terms.exercise,
        points=terms.points,
        deadline=terms.deadline,
        most=terms.most,
        link=link.id,
        title=link.title.strip()[:LONGEST_OF_A_LINK],
    ).id
