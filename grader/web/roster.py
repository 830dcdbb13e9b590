"""Who is in the course by its learning platform, and has not been here yet."""

from starlette.responses import Response

from grader.errors import PlatformFault
from grader.lms.lti import roster
from grader.model import Text, said_by
from grader.web.service import Call, Refusal
from grader.web.store import people, platforms
from grader.web.titles import title


def missing(call: Call) -> Response:
    """The learners of the platform's roster who never came; those who did stand on the page of the class."""
    asked = call.assignment()
    found = call.service.store.read(platforms.roster, asked.course)
    if found is None:
        raise Refusal(404, Text(id="web-roster-none"))
    platform, url = found
    lti = call.service.lti
    try:
        members = roster.members(url, platform, outbound=lti.outbound, tokens=lti.tokens)
    except PlatformFault as fault:
        call.service.log.failed("roster-not-read", fault)
        why = said_by(fault)
        raise Refusal(502, why) from fault
    known = call.service.store.read(people.keys, asked.course)
    absent = [
        one.name or one.email or one.subject
        for one in members
        if one.role == "learner"
        and one.active
        and people.key_elsewhere(platform.issuer, one.subject) not in known
    ]
    return call.page(
        "missing", asked=asked, title=title(call, asked), absent=sorted(absent, key=str.casefold)
    )
