"""A teacher adds exercises to a course of a learning platform (deep linking): a list to choose from, and the answer that goes back."""

import time
from datetime import UTC, datetime

from starlette.responses import Response

from grader.errors import LaunchRefused
from grader.exercise import course_folder, slugs
from grader.lms.lti.deeplinking import answer
from grader.lms.lti.records import Chosen, Launch
from grader.model import Text, said_by
from grader.web.frames import origins
from grader.web.service import Call, Refusal
from grader.web.store import platforms
from grader.web.terms import terms

# What full marks are worth where a teacher says nothing else.
POINTS = "10"


def choices(call: Call) -> Response:
    """The list, with what else a link says."""
    return _list(call, _launch(call))


def choose(call: Call) -> Response:
    """The answer, which the page posts to the platform at once; with nothing chosen, that is said there."""
    launch = _launch(call)
    given = (
        [] if call.form is None else [one for one in call.form.getlist("exercise") if isinstance(one, str)]
    )
    known = slugs(course_folder(call.service.settings.course))
    try:
        chosen = [_chosen(call, slug) for slug in given if slug in known]
        lti = call.service.lti
        token = answer(launch, chosen, tool=lti.tool, keys=lti.keys, now=time.time())
    except LaunchRefused as refused:
        return _list(call, launch, said_by(refused))
    if call.service.store.write(platforms.take_choice, call.number("choice"), call.who.person) is None:
        raise Refusal(404, Text(id="lti-choice-over"))
    assert launch.choice is not None
    page = call.page("chosen", token=token, to=launch.choice.return_url)
    page.headers["content-security-policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none';"
        f" form-action 'self' {origins([launch.choice.return_url, *(call.who.frames or '').split()])}"
    )
    return page


def _chosen(call: Call, slug: str) -> Chosen:
    """An exercise with what the form says. Raises LaunchRefused where that cannot be read."""
    said = {name: call.field(name) for name in ("points", "attempts", "deadline")}
    if said["deadline"]:
        said["deadline"] = _in_utc(said["deadline"])
    asked = terms(slug, said)
    return Chosen(
        exercise=slug,
        title=call.service.exercise(slug).manifest.title[call.spoken],
        points=asked.points or float(POINTS),
        attempts=asked.most,
        deadline=asked.deadline,
    )


def _in_utc(text: str) -> str:
    """A time of a form, which names no zone, in UTC, as the pages show all times."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _list(call: Call, launch: Launch, why: Text | None = None) -> Response:
    assert launch.choice is not None
    known = slugs(course_folder(call.service.settings.course))
    rows = [(slug, call.service.exercise(slug).manifest.title[call.spoken]) for slug in known]
    return call.page(
        "choices",
        200 if why is None else 422,
        rows=rows,
        several=launch.choice.multiple,
        why=why,
        choice=call.number("choice"),
        points_given=call.field("points") or POINTS,
    )


def _launch(call: Call) -> Launch:
    """What the visitor came to choose for. Raises Refusal where that is done, too old, or another's."""
    found = call.service.store.read(platforms.choice, call.number("choice"), call.who.person)
    if found is None:
        raise Refusal(404, Text(id="lti-choice-over"))
    return found
