"""The platforms' public keys, fetched when they are needed and kept for a while."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import PyJWTError

from grader.errors import LaunchRefused, PlatformFault
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.records import Platform

# How long keys are believed, in seconds: a key that the platform takes back is refused from then on.
KEPT_SECONDS = 3600.0
# A platform's keys are fetched at most this often within so many seconds, however many tokens name keys that nobody knows.
FETCHES, WITHIN_SECONDS = 4, 60.0
SMALLEST_BITS = 2048


class _KeySet(msgspec.Struct, frozen=True):
    """A JWKS, as it is fetched: each key is looked at by itself."""

    keys: list[Any]


class _Kept:
    """The keys of one address, and when they were asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keys: Mapping[str, RSAPublicKey] = {}
        self.fetched = float("-inf")
        self.asked: deque[float] = deque(maxlen=FETCHES)


class PlatformKeys:
    """The public keys of all platforms. Threads may share one; each process has its own."""

    def __init__(self, outbound: Outbound, clock: Callable[[], float] = time.time) -> None:
        self._outbound, self._clock = outbound, clock
        self._kept: defaultdict[str, _Kept] = defaultdict(_Kept)
        self._lock = threading.Lock()

    def key(self, platform: Platform, id: str) -> RSAPublicKey:
        """A platform's key by its id; an unknown one is looked for once more. Raises LaunchRefused."""
        with self._lock:
            kept = self._kept[platform.jwks_url]
        with kept.lock:
            now = self._clock()
            if now - kept.fetched >= KEPT_SECONDS or id not in kept.keys:
                self._fetch(platform, kept, now)
            if now - kept.fetched >= KEPT_SECONDS:
                raise LaunchRefused("lti-keys-unavailable", status=401, issuer=platform.issuer)
            if id not in kept.keys:
                raise LaunchRefused("lti-token-key-unknown", status=401, issuer=platform.issuer)
            return kept.keys[id]

    def _fetch(self, platform: Platform, kept: _Kept, now: float) -> None:
        """Fetch the keys, unless that has been done too often; what cannot be fetched leaves the old ones to their age."""
        if len(kept.asked) == FETCHES and now - kept.asked[0] < WITHIN_SECONDS:
            return
        kept.asked.append(now)
        try:
            found = self._outbound.get(platform.jwks_url, "application/json").parsed(_KeySet)
        except PlatformFault as fault:
            raise LaunchRefused("lti-keys-unavailable", status=401, issuer=platform.issuer) from fault
        kept.keys = {id: key for jwk in found.keys for id, key in usable(jwk)}
        kept.fetched = now


def usable(jwk: object) -> list[tuple[str, RSAPublicKey]]:
    """The id and the key, if it is an RSA key for RS256 that has an id and is long enough; nothing for any other."""
    if not isinstance(jwk, dict) or not isinstance(id := jwk.get("kid"), str):
        return []
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", "RS256") != "RS256":
        return []
    try:
        # Its public half alone, also where a platform publishes the other one by mistake.
        key = RSAAlgorithm.from_jwk({name: jwk.get(name) for name in ("kty", "n", "e")})
    except (PyJWTError, ValueError, TypeError):
        return []
    return [(id, key)] if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_BITS else []
