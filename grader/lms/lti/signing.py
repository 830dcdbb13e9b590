"""Our own keys: which one signs, which ones are published, and how a new one takes over.

A new key is published for a day before it signs, since platforms keep what they fetched; the old one stays for a day after, for what it
signed. So while keys change, there are two.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from grader.lms.lti.records import SigningKey
from grader.lms.lti.remembered import KeyChest

BITS = 2048
DAY = 86400.0
# How long a key signs, and how long it is published before and after that, in seconds.
LIFE, AHEAD, AFTER = 90 * DAY, DAY, DAY
# How far a platform's clock may be behind ours, in seconds: Moodle takes no token that was made a second ahead of its own clock.
BEHIND = 60


def new_key(now: float) -> SigningKey:
    """A fresh key. It takes a second of computing at most."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return SigningKey(id=thumbprint(private.public_key()), pem=pem, made=now)


def thumbprint(key: rsa.RSAPublicKey) -> str:
    """The SHA-256 of a key's public half (RFC 7638)."""
    jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    canonical = msgspec.json.encode({name: jwk[name] for name in ("e", "kty", "n")})
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode("ascii")


def turned(keys: tuple[SigningKey, ...], now: float, *, at_once: bool = False) -> tuple[SigningKey, ...]:
    """The keys as they should be now, oldest first: one more where the newest nears its end, or `at_once`; none that is past use."""
    kept = sorted(keys, key=lambda key: key.made)
    waiting = len(kept) > 1 and now - kept[-1].made < AHEAD
    if not kept or (at_once and not waiting) or now - kept[-1].made >= LIFE:
        kept.append(new_key(now))
    signing = kept.index(_signing(kept, now))
    if now - kept[signing].made >= AHEAD + AFTER:
        kept = kept[signing:]
    return tuple(kept)


class OurKeys:
    """Our keys, out of a chest that all processes share; they are turned when they are used. Threads may share it."""

    def __init__(self, chest: KeyChest) -> None:
        self._chest = chest
        # Reading a key takes a tenth of a second, since it is checked.
        self._read: dict[str, rsa.RSAPrivateKey] = {}

    def sign(self, claims: Mapping[str, Any], now: float, seconds: float) -> str:
        """A token of ours, which holds for so many seconds, and already holds where the clock is a little behind ours."""
        key = _signing(self._turned(now), now)
        times = {"iat": int(now) - BEHIND, "exp": int(now + seconds)}
        return jwt.encode({**claims, **times}, self._private(key), "RS256", {"kid": key.id})

    def published(self, now: float) -> bytes:
        """Our public keys as a JWKS, in JSON."""
        keys = [_public(key.id, self._private(key).public_key()) for key in self._turned(now)]
        return msgspec.json.encode({"keys": keys})

    def turn(self, now: float) -> None:
        """Have a new key take over, before its time."""
        self._turned(now, at_once=True)

    def _turned(self, now: float, *, at_once: bool = False) -> tuple[SigningKey, ...]:
        """The keys as they should be; where another process turned them meanwhile, its keys are as good."""
        keys = self._chest.keys()
        if (new := turned(keys, now, at_once=at_once)) == tuple(sorted(keys, key=lambda key: key.made)):
            return new
        return new if self._chest.exchange(keys, new) else turned(self._chest.keys(), now)

    def _private(self, key: SigningKey) -> rsa.RSAPrivateKey:
        if key.id not in self._read:
            private = load_pem_private_key(key.pem.encode("ascii"), password=None)
            assert isinstance(private, rsa.RSAPrivateKey)
            self._read[key.id] = private
        return self._read[key.id]


def _signing(keys: list[SigningKey] | tuple[SigningKey, ...], now: float) -> SigningKey:
    """The newest of the keys that have been published long enough, oldest first; else the oldest."""
    return next((key for key in reversed(keys) if now - key.made >= AHEAD), keys[0])


def _public(id: str, key: rsa.RSAPublicKey) -> dict[str, str]:
    jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": id, "alg": "RS256", "use": "sig"}
