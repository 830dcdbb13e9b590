"""The second step of a launch: the browser is back with a signed token, and each claim in it is held to its rule."""

import hmac
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import jwt

from grader.errors import LaunchRefused
from grader.lms.lti.claims import Choice, Claims, Place, Presentation, Scores, read, scalars
from grader.lms.lti.keys import PlatformKeys
from grader.lms.lti.login import SHOWN, fingerprint, storage
from grader.lms.lti.records import (
    ChoiceWanted,
    Course,
    Launch,
    Link,
    LoginState,
    Message,
    Platform,
    ScoreService,
    Storage,
)
from grader.lms.lti.remembered import Platforms, States
from grader.lms.lti.roles import reduced

# How far clocks may differ, and how old a token may be, in seconds: it is made at the moment when the browser is sent here.
SKEW, MAX_AGE = 60.0, 300.0
# Tokens are two or three thousand characters long; identifiers have at most 255 by the standard.
LONGEST_TOKEN, LONGEST_ID = 65536, 255
T = TypeVar("T")
_MESSAGES: Mapping[str, Message] = {"LtiResourceLinkRequest": "exercise", "LtiDeepLinkingRequest": "choose"}


class Launches:
    """Where browsers come back to. Threads may share it."""

    def __init__(self, platforms: Platforms, states: States, keys: PlatformKeys) -> None:
        self._platforms, self._states, self._keys = platforms, states, keys

    def storage_wanted(self, form: Mapping[str, str], secret: str | None) -> Storage | None:
        """What a page has to ask the platform's frame for, before the form is posted again with it; None if nothing.

        secret: the cookie's value, if there was one. The state is left where it is.
        """
        state = self._states.look(form.get("state", "")) if secret is None else None
        return None if state is None else storage(state, None)

    def receive(self, form: Mapping[str, str], secret: str | None, now: float) -> Launch:
        """Who came, and for what. secret: what the browser kept, in its cookie or in the platform's frame. Raises LaunchRefused."""
        state = _state(form, secret, self._states, now)
        if form.get("error"):
            raise LaunchRefused("lti-platform-declined", status=401, error=form["error"][:SHOWN])
        found = self._platforms.of(state.issuer, state.client_id)
        if len(found) != 1:
            raise LaunchRefused("lti-platform-unknown", status=403, issuer=state.issuer)
        claims = read(_verified(form.get("id_token", ""), found[0], self._keys))
        _hold_identity(claims, found[0], state)
        _hold_times(claims, now)
        message = _hold_message(claims, found[0], state)
        return _launch(claims, found[0], state, message)


def _state(form: Mapping[str, str], secret: str | None, states: States, now: float) -> LoginState:
    """The login that this answers; it is used up by this, whatever comes of it."""
    if not form.get("state"):
        raise LaunchRefused("lti-state-missing", status=400)
    state = states.take(form["state"])
    if state is None:
        raise LaunchRefused("lti-state-unknown", status=403)
    if now >= state.expires:
        raise LaunchRefused("lti-state-expired", status=403)
    if not secret:
        raise LaunchRefused("lti-browser-forgot", status=403)
    if not hmac.compare_digest(fingerprint(secret), state.browser):
        raise LaunchRefused("lti-browser-other", status=403)
    return state


def _verified(token: str, platform: Platform, keys: PlatformKeys) -> bytes:
    """The payload of a token that the platform signed."""
    if not token:
        raise LaunchRefused("lti-token-missing", status=400)
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise LaunchRefused("lti-token-malformed", status=400)
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise LaunchRefused("lti-token-malformed", status=400) from None
    if header.get("alg") != "RS256":
        raise LaunchRefused("lti-token-algorithm", status=401)
    if not header.get("kid"):
        raise LaunchRefused("lti-token-key-unnamed", status=401)
    key = keys.key(platform, header["kid"])
    try:
        payload: bytes = jwt.PyJWS(["RS256"]).decode(token, key, ["RS256"])
    except jwt.PyJWTError:
        raise LaunchRefused("lti-token-forged", status=401) from None
    return payload


def _hold_identity(claims: Claims, platform: Platform, state: LoginState) -> None:
    """From whom the token is, for whom, and for which login."""
    if _there(claims.iss, "iss", 401) != platform.issuer:
        raise LaunchRefused("lti-token-issuer", status=401)
    audience = _there(claims.aud, "aud", 401)
    audience = [audience] if isinstance(audience, str) else audience
    if platform.client_id not in audience:
        raise LaunchRefused("lti-token-audience", status=401)
    if (len(audience) > 1 or claims.azp is not None) and claims.azp != platform.client_id:
        raise LaunchRefused("lti-token-party", status=401)
    nonce = _there(claims.nonce, "nonce", 401)
    if not hmac.compare_digest(nonce.encode("utf-8", "replace"), state.nonce.encode()):
        raise LaunchRefused("lti-token-nonce", status=401)


def _hold_times(claims: Claims, now: float) -> None:
    """That the token was made just now, and still holds."""
    expires, made = _there(claims.exp, "exp", 401), _there(claims.iat, "iat", 401)
    if expires <= made:
        raise LaunchRefused("lti-token-times", status=401)
    if now >= expires + SKEW or now - made > MAX_AGE + SKEW:
        raise LaunchRefused("lti-token-expired", status=401)
    if max(made, claims.nbf or made) > now + SKEW:
        raise LaunchRefused("lti-token-early", status=401)


def _hold_message(claims: Claims, platform: Platform, state: LoginState) -> Message:
    """That it is a message that is known here, from a place that is registered, about what the login was for."""
    if _there(claims.version, "version") != "1.3.0":
        raise LaunchRefused("lti-version", status=400, version=str(claims.version)[:SHOWN])
    kind = _there(claims.message_type, "message_type")
    if kind not in _MESSAGES:
        raise LaunchRefused("lti-message-unknown", status=400, message=kind[:SHOWN])
    deployment = _identifier(claims.deployment_id, "deployment_id")
    if deployment not in platform.deployments:
        raise LaunchRefused("lti-deployment-unknown", status=403, deployment=deployment[:SHOWN])
    if state.deployment not in {"", deployment}:
        raise LaunchRefused("lti-deployment-other", status=403)
    _identifier(claims.sub, "sub")
    if claims.roles is None:
        _there(None, "roles")
    # A request to choose an exercise need not say where it leads to.
    if _MESSAGES[kind] == "exercise" or claims.target_link_uri is not None:
        target = _there(claims.target_link_uri, "target_link_uri")
        if target != state.target:
            raise LaunchRefused("lti-target-other", status=403)
    return _MESSAGES[kind]


def _launch(claims: Claims, platform: Platform, state: LoginState, message: Message) -> Launch:
    """What the claims say, of which each has been held to its rule by now, but for those of the message itself."""
    shown = claims.presentation or Presentation()
    course, link = claims.context, claims.resource_link
    return Launch(
        issuer=platform.issuer,
        client_id=platform.client_id,
        deployment=str(claims.deployment_id),
        message=message,
        subject=str(claims.sub),
        role=reduced(claims.roles or []),
        target=state.target,
        name=claims.name or " ".join(filter(None, (claims.given_name, claims.family_name))) or None,
        email=claims.email or None,
        course=_course(course) if course else None,
        link=_link(link) if message == "exercise" else None,
        locale=shown.locale or claims.locale or None,
        return_url=shown.return_url if _for_browsers(shown.return_url) else None,
        custom=scalars(claims.custom),
        choice=_choice(claims.choice) if message == "choose" else None,
        scores=_scores(claims.scores),
        roster_url=claims.roster.context_memberships_url if claims.roster else None,
    )


def _course(course: Place) -> Course:
    return Course(id=_identifier(course.id, "context.id"), title=course.title or course.label or "")


def _link(link: Place | None) -> Link:
    found = _there(link, "resource_link")
    return Link(id=_identifier(found.id, "resource_link.id"), title=found.title or "")


def _choice(settings: Choice | None) -> ChoiceWanted:
    """What a teacher's choice has to be like; a platform that takes no links at all is refused at once."""
    found = _there(settings, "deep_linking_settings")
    back = _there(found.deep_link_return_url, "deep_linking_settings.deep_link_return_url")
    if not _for_browsers(back):
        raise LaunchRefused(
            "lti-claim-malformed", status=400, claim="deep_linking_settings.deep_link_return_url"
        )
    if "ltiResourceLink" not in _there(found.accept_types, "deep_linking_settings.accept_types"):
        raise LaunchRefused("lti-choice-unsuited", status=400)
    return ChoiceWanted(
        return_url=back,
        multiple=found.accept_multiple in {True, "true"},
        line_items=found.accept_lineitem not in {False, "false"},
        data=found.data,
        title=found.title or "",
    )


def _scores(found: Scores | None) -> ScoreService | None:
    if found is None:
        return None
    return ScoreService(
        scopes=tuple(found.scope or ()), line_item=found.lineitem or None, line_items=found.lineitems or None
    )


def _there(value: T | None, claim: str, status: int = 400) -> T:
    """A claim that has to be there: neither null nor empty."""
    if value is None or value in ("", []):
        raise LaunchRefused("lti-claim-missing", status=status, claim=claim)
    return value


def _identifier(value: str | None, claim: str) -> str:
    found = _there(value, claim)
    if len(found) > LONGEST_ID:
        raise LaunchRefused("lti-claim-malformed", status=400, claim=claim)
    return found


def _for_browsers(url: str | None) -> bool:
    """Whether a browser may be sent there: no `javascript:`, and nothing that is no address."""
    try:
        parts = urlsplit(url or "")
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
