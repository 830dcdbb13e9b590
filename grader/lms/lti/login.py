"""The first step of a launch: a platform announces somebody, and the browser is sent back there for a signed token."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from grader.errors import LaunchRefused
from grader.lms.lti.records import LoginStart, LoginState, Platform, Storage
from grader.lms.lti.remembered import Platforms, States
from grader.lms.lti.tool import Tool

# How long a browser may take to come back, in seconds; the platform asks nobody anything (prompt=none).
LOGIN_SECONDS = 600
# Hints are opaque, and some are whole tokens.
LONGEST, SHOWN = 8192, 120
_FRAME = re.compile(r"[\w.:-]{1,100}")


def begin(
    form: Mapping[str, str], tool: Tool, platforms: Platforms, states: States, now: float
) -> LoginStart:
    """Answer a login that a platform initiated, by GET or POST. Raises LaunchRefused."""
    for name in ("iss", "login_hint", "target_link_uri"):
        if not form.get(name):
            raise LaunchRefused("lti-login-incomplete", status=400, name=name)
    if any(len(value) > LONGEST for value in form.values()):
        raise LaunchRefused("lti-login-too-long", status=400)
    platform = _announced(form, platforms)
    target = form["target_link_uri"]
    if not tool.leads_here(target):
        raise LaunchRefused("lti-target-elsewhere", status=400, target=target[:SHOWN], ours=tool.launch)
    deployment = form.get("lti_deployment_id", "")
    if deployment and deployment not in platform.deployments:
        raise LaunchRefused("lti-deployment-unknown", status=403, deployment=deployment[:SHOWN])
    secret = secrets.token_urlsafe(32)
    state = LoginState(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        browser=fingerprint(secret),
        issuer=platform.issuer,
        client_id=platform.client_id,
        deployment=deployment,
        target=target,
        expires=now + LOGIN_SECONDS,
        storage=_frame(form.get("lti_storage_target")),
        origin=_origin(platform.login_url),
    )
    states.keep(state)
    return LoginStart(
        redirect=_redirect(platform, state, form, tool),
        cookie=cookie(state.state),
        secret=secret,
        storage=storage(state, secret),
    )


def fingerprint(secret: str) -> str:
    """What is remembered of a browser's secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def cookie(state: str) -> str:
    """The name of the cookie of one login: one each, so that several tabs may be opened at once."""
    return f"lti-{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()[:16]}"


def storage(state: LoginState, secret: str | None) -> Storage | None:
    """How a page keeps the secret of a login in the platform's frame, or asks for it with None; None if it offers no frame."""
    if state.storage is None:
        return None
    return Storage(target=state.storage, origin=state.origin, key=cookie(state.state), value=secret)


def _announced(form: Mapping[str, str], platforms: Platforms) -> Platform:
    """The platform that a login is from; one that serves several clients has to say which."""
    issuer, client_id = form["iss"], form.get("client_id") or None
    found = platforms.of(issuer, client_id)
    if not found:
        raise LaunchRefused("lti-platform-unknown", status=403, issuer=issuer[:SHOWN])
    if len(found) > 1:
        raise LaunchRefused("lti-client-unsaid", status=400, issuer=issuer[:SHOWN])
    return found[0]


def _redirect(platform: Platform, state: LoginState, form: Mapping[str, str], tool: Tool) -> str:
    """The platform's address with the request for a token; what stood in its query stays there."""
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": platform.client_id,
        "redirect_uri": tool.launch,
        "login_hint": form["login_hint"],
        "state": state.state,
        "nonce": state.nonce,
    }
    if form.get("lti_message_hint"):
        query["lti_message_hint"] = form["lti_message_hint"]
    joint = "&" if "?" in platform.login_url else "?"
    return f"{platform.login_url}{joint}{urlencode(query, errors='replace')}"


def _frame(offered: str | None) -> str | None:
    return offered if offered and _FRAME.fullmatch(offered) else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
