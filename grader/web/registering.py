"""A platform registers itself here (dynamic registration), by an invitation that is used up by that."""

import time

from starlette.responses import Response

from grader.errors import PlatformFault
from grader.lms.lti import registration
from grader.model import Text, said_by
from grader.web.frames import origin, origins
from grader.web.service import Call, Refusal
from grader.web.store import platforms

LONGEST = 8192


def register(call: Call) -> Response:
    """Take a platform in. Nothing is asked of any other machine without an invitation; one that led to nothing is given back."""
    store, lti = call.service.store, call.service.lti
    said = {name: value for name, value in call.request.query_params.items() if len(value) <= LONGEST}
    now, address = time.time(), said.get("openid_configuration", "")
    invitation = said.get("invitation", "")
    call.request.state.frames = origins([address])  # a refusal is read there too; it leads nowhere
    if not store.write(platforms.take_invitation, invitation, now):
        raise Refusal(403, Text(id="lti-invitation-unknown"))
    try:
        platform = registration.register(
            address, said.get("registration_token"), tool=lti.tool, outbound=lti.outbound
        )
    except PlatformFault as fault:
        store.write(platforms.give_back, invitation, now)
        call.service.log.failed("platform-not-registered", fault)
        why = said_by(fault)
        raise Refusal(502, why) from fault
    store.write(platforms.register, platform)
    return call.page("registered", platform=platform, opener=origin(platform.issuer))
