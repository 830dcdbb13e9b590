"""The way in from learning platforms: the login that one announces, the launch that follows, and our keys.

Most people come in a frame of the platform's page. Where the browser keeps no cookies there, the platform keeps the secret of the login
for us if it offers to, and the visit goes on in a new tab; where it does not offer that, the login begins anew in one.
"""

import time
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from grader.errors import LaunchRefused
from grader.exercise import course_folder, slugs
from grader.lms.lti import login as logins
from grader.lms.lti.launch import LONGEST_TOKEN
from grader.lms.lti.records import Launch
from grader.lms.lti.tool import LOGIN
from grader.model import Text
from grader.web.frames import in_frame, origin, origins
from grader.web.languages import of_locale
from grader.web.service import SECONDS_OF_A_DAY, Call, Refusal
from grader.web.store import arrivals, people, platforms
from grader.web.store.records import Role, Terms
from grader.web.terms import terms

# A token, and what comes with it.
LAUNCH_BYTES = LONGEST_TOKEN + 64_000
# The field in which our own page posts what the platform's frame has kept.
KEPT = "kept"
# Where a visit leads to.
ASSIGNMENTS, CHOICES = "/assignments/", "/lti/choices/"
ROLES: dict[str, Role] = {"learner": "learner", "teacher": "teacher", "administrator": "teacher"}


def login(call: Call) -> Response:
    """Send a browser back for a token; in a frame, by a page of ours, which looks first whether cookies are kept there."""
    lti, said = call.service.lti, _said(call)
    start = logins.begin(said, lti.tool, lti.remembered, lti.remembered, time.time())
    unsaid = "sec-fetch-dest" not in call.request.headers
    if in_frame(call.request) or (unsaid and start.storage is not None):
        again = {name: value for name, value in said.items() if name != "lti_storage_target"}
        call.request.state.frames = _all_frames(call)
        answer = call.page("arriving", start=start, again=f"{LOGIN}?{urlencode(again)}")
    else:
        answer = RedirectResponse(start.redirect, 303)
    call.keep_framed(start.cookie, start.secret, answer, seconds=logins.LOGIN_SECONDS, below="/lti/")
    return answer


def launch(call: Call) -> Response:
    """Let somebody in, to what they came for."""
    lti, said = call.service.lti, _said(call)
    kept = said.pop(KEPT, None)
    if origin(call.request.headers.get("origin")) != origin(lti.tool.base):
        kept = None  # another site may post what it likes: the secret would be its own
    secret = call.request.cookies.get(logins.cookie(said.get("state", "")))
    if secret is None and kept is None:
        wanted = lti.launches.storage_wanted(said, None)
        if wanted is not None:
            call.request.state.frames = _all_frames(call)
            return call.page("asking", storage=wanted, said=said)
    came = lti.launches.receive(said, secret or kept, time.time())
    return _let_in(call, came, with_cookies=secret is not None)


def enter(call: Call) -> Response:
    """Go on in a new tab, with a visit that began in a frame where no cookies are kept."""
    if origin(call.request.headers.get("origin")) != origin(call.service.lti.tool.base):
        raise Refusal(403, Text(id="web-form-stale"))
    token = call.field("visit")
    visitor = call.service.store.read(people.visitor, token)
    if visitor is None:
        raise Refusal(401, Text(id="lti-state-unknown"))
    return _go_on(call, token, call.field("path"))


def keys(call: Call) -> Response:
    """Our public keys."""
    published = call.service.lti.keys.published(time.time())
    headers = {"cache-control": "public, max-age=300", "cross-origin-resource-policy": "cross-origin"}
    return Response(published, media_type="application/json", headers=headers)


def _let_in(call: Call, came: Launch, *, with_cookies: bool) -> Response:
    """Begin a visit, and lead it to its page."""
    store, spoken = call.service.store, of_locale(came.locale)
    if (role := ROLES.get(came.role)) is None:
        raise LaunchRefused("lti-role-none", status=403)
    choosing = came.message == "choose"
    if choosing and role != "teacher":
        raise LaunchRefused("lti-choice-teachers", status=403)
    asked = None if choosing else _asked(call, came)
    frames = origins(
        [came.issuer, came.return_url, *store.read(platforms.frames, came.issuer, came.client_id)]
    )
    arrived = store.write(arrivals.arrive, came, role, asked, frames=frames, language=spoken)
    if choosing:
        path = f"{CHOICES}{arrived.choice}"
    else:
        path = f"{ASSIGNMENTS}{arrived.assignment}{'/class' if role == 'teacher' else ''}"
    call.request.state.frames = frames
    if with_cookies:
        return _go_on(call, arrived.token, path)
    return call._replace(spoken=spoken or call.spoken).page("new_tab", token=arrived.token, to=path)


def _asked(call: Call, came: Launch) -> Terms:
    """What a link asks for. Raises LaunchRefused where that is nothing that there is here."""
    slug = call.service.lti.tool.exercise_meant(came.target, came.custom)
    if slug is None:
        raise LaunchRefused("lti-exercise-unsaid", status=400)
    if slug not in (known := slugs(course_folder(call.service.settings.course))):
        raise LaunchRefused("lti-exercise-unknown", status=400, exercise=slug, known=", ".join(known))
    return terms(slug, came.custom)


def _go_on(call: Call, token: str, path: str) -> Response:
    answer = call.go(path if path.startswith((ASSIGNMENTS, CHOICES)) else "/course")
    name = call.service.framed_cookie
    call.keep_framed(name, token, answer, seconds=people.FRAMED_DAYS * SECONDS_OF_A_DAY)
    return answer


def _said(call: Call) -> dict[str, str]:
    """What the platform had the browser send: a form's fields, or the address's."""
    given = call.request.query_params if call.form is None else call.form
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _all_frames(call: Call) -> str:
    return origins(call.service.store.read(platforms.frames))
