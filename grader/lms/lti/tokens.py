"""Access tokens for a platform's services: asked for with an assertion that we sign, and used until shortly before they end."""

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

import msgspec

from grader.errors import PlatformFault
from grader.lms.lti.outbound import Answer, Outbound
from grader.lms.lti.records import Platform
from grader.lms.lti.signing import OurKeys

# Seconds: how long an assertion holds; how long before its end a token is no longer used; how long one lasts that does not say it.
ASSERTION_SECONDS, SPARE_SECONDS, UNSAID_SECONDS = 60.0, 30.0, 300.0
_GRANT = "client_credentials"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_UNAUTHORIZED = 401


class _Granted(msgspec.Struct, frozen=True):
    """What a token endpoint answers."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a kind
    expires_in: float | str | None = None
    scope: str | None = None


class Tokens:
    """The tokens of this process. Threads may share it."""

    def __init__(self, outbound: Outbound, keys: OurKeys, clock: Callable[[], float] = time.time) -> None:
        self._outbound, self._keys, self._clock = outbound, keys, clock
        self._kept: dict[tuple[str, str, str], tuple[str, float]] = {}

    def call(self, platform: Platform, scope: str, ask: Callable[[str], Answer]) -> Answer:
        """What `ask` answers, given a token for the scope; once more with a fresh one where the platform no longer takes it.

        Raises PlatformFault where no token can be had; the answer may have any status.
        """
        answer = ask(self._token(platform, scope, fresh=False))
        return ask(self._token(platform, scope, fresh=True)) if answer.status == _UNAUTHORIZED else answer

    def _token(self, platform: Platform, scope: str, *, fresh: bool) -> str:
        """One that holds. Two threads may both ask for one, of which the later one is kept: both hold."""
        kept_by = (platform.token_url, platform.client_id, scope)
        now = self._clock()
        token, ends = self._kept.get(kept_by, ("", now))
        if fresh or ends <= now:
            token, ends = self._kept[kept_by] = self._granted(platform, scope, now)
        return token

    def _granted(self, platform: Platform, scope: str, now: float) -> tuple[str, float]:
        """A token, and until when it is used."""
        asked = {
            "grant_type": _GRANT,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._assertion(platform, now),
            "scope": scope,
        }
        answer = self._outbound.post(
            platform.token_url,
            urlencode(asked).encode("ascii"),
            "application/x-www-form-urlencoded",
            accept="application/json",
        )
        # What was to be sent is as good as before: it is the registration, a clock, or that the platform could not fetch our keys,
        # which Moodle answers with 400 or 404.
        if (refused := answer.fault(passing=True)) is not None:
            raise refused
        granted = answer.parsed(_Granted)
        token = granted.access_token
        if granted.token_type.lower() != "bearer" or not (token and token.isascii() and token.isprintable()):
            raise PlatformFault("lti-answer-unreadable", retry=False, host=answer.host, detail="access_token")
        if granted.scope is not None and scope not in granted.scope.split():
            raise PlatformFault("lti-scope-denied", retry=False, host=answer.host, scope=scope)
        return token, now + _lasts(granted.expires_in) - SPARE_SECONDS

    def _assertion(self, platform: Platform, now: float) -> str:
        claims = {
            "iss": platform.client_id,
            "sub": platform.client_id,
            "aud": platform.token_audience or platform.token_url,
            "jti": secrets.token_urlsafe(24),
        }
        return self._keys.sign(claims, now, ASSERTION_SECONDS)


def _lasts(said: float | str | None) -> float:
    """How long a token lasts; some platforms say it as a string."""
    if isinstance(said, str):
        return float(said) if said.isascii() and said.isdecimal() else UNSAID_SECONDS
    return UNSAID_SECONDS if said is None else said
