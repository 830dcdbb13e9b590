"""A launch that is let in, of which tests change one thing."""

import base64
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from grader.lms.lti.addresses import LOOPBACK
from grader.lms.lti.keys import PlatformKeys
from grader.lms.lti.launch import Launches
from grader.lms.lti.login import begin
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.records import Launch, Platform
from grader.lms.lti.tool import Tool
from tests.lti_remembered import InMemory
from tests.lti_site import Site, in_json

NOW = 1_800_000_000.0
TOOL = Tool(base="https://grader.example.org")
ISSUER, CLIENT, DEPLOYMENT = "https://lms.example.org", "client-1", "7"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
IN_COURSE = "http://purl.imsglobal.org/vocab/lis/v2/membership"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key of the platform, or of whoever pretends to be it: the same for the same name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def jwk(name: str, **fields: object) -> dict[str, Any]:
    """The public half of a key, under its name."""
    public = RSAAlgorithm.to_jwk(rsa_key(name).public_key(), as_dict=True)
    return {
        "kty": "RSA",
        "n": public["n"],
        "e": public["e"],
        "kid": name,
        "alg": "RS256",
        "use": "sig",
        **fields,
    }


def signed(
    claims: Mapping[str, Any] | bytes, header: Mapping[str, Any], sign: Callable[[bytes], bytes] | None = None
) -> str:
    """A token, whatever is in it; signed with RS256 and the platform's key unless `sign` says otherwise."""
    payload = claims if isinstance(claims, bytes) else msgspec.json.encode(claims)
    said = b".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=") for part in (msgspec.json.encode(header), payload)
    )
    signature = by("platform")(said) if sign is None else sign(said)
    return b".".join((said, base64.urlsafe_b64encode(signature).rstrip(b"="))).decode("ascii")


def by(name: str, algorithm: str = "RS256") -> Callable[[bytes], bytes]:
    """How a key signs."""
    key = curve_key() if algorithm.startswith("ES") else rsa_key(name)
    method = jwt.get_algorithm_by_name(algorithm)
    return lambda said: method.sign(said, key)


class Visit:
    """Somebody on the way in: after the login, before the launch. Everything that comes back may be changed."""

    def __init__(self, at: "Door", **announced: str) -> None:
        self.door = at
        start = begin(at.announcement(**announced), TOOL, at.memory, at.memory, NOW)
        self.query = {name: values[0] for name, values in parse_qs(urlsplit(start.redirect).query).items()}
        self.start = start
        self.secret: str | None = start.secret
        self.now = NOW + 2
        self.header: dict[str, Any] = {"alg": "RS256", "typ": "JWT", "kid": "platform"}
        self.claims = resource_claims(self.query["nonce"])
        self.form: dict[str, str] = {"state": self.query["state"]}
        self.sign: Callable[[bytes], bytes] | None = None
        self.payload: bytes | None = None

    def choose(self) -> "Visit":
        """The same visit, to choose an exercise."""
        for name in ("resource_link", "target_link_uri"):
            del self.claims[LTI + name]
        self.claims[LTI + "message_type"] = "LtiDeepLinkingRequest"
        self.claims[SETTINGS] = {
            "deep_link_return_url": f"{ISSUER}/return",
            "accept_types": ["ltiResourceLink", "link"],
            "accept_presentation_document_targets": ["iframe"],
            "data": "opaque=1&x",
        }
        return self

    def posted(self) -> dict[str, str]:
        token = signed(self.claims if self.payload is None else self.payload, self.header, self.sign)
        return {"id_token": token} | self.form

    def receive(self) -> Launch:
        return self.door.launches.receive(self.posted(), self.secret, self.now)


@cache
def outbound() -> Outbound:
    """The way out, to loopback alone."""
    return Outbound(networks=LOOPBACK)


class Door:
    """The service and one platform."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.jwks: list[object] = [jwk("platform")]
        site.answers["GET /jwks"] = lambda _: in_json({"keys": self.jwks})
        self.platform = Platform(
            issuer=ISSUER,
            client_id=CLIENT,
            deployments=(DEPLOYMENT, "8"),
            login_url=f"{ISSUER}/auth?realm=1",
            token_url=f"{site.url}/token",
            jwks_url=f"{site.url}/jwks",
        )
        self.memory = InMemory(self.platform)
        self.clock = [NOW]
        self.outbound = outbound()
        self.keys = PlatformKeys(self.outbound, lambda: self.clock[0])
        self.launches = Launches(self.memory, self.memory, self.keys)

    def announcement(self, **changed: str) -> dict[str, str]:
        said = {
            "iss": ISSUER,
            "client_id": CLIENT,
            "login_hint": "42",
            "lti_message_hint": "m 1",
            "lti_deployment_id": DEPLOYMENT,
            "target_link_uri": TOOL.exercise("linear_regression"),
        }
        return {name: value for name, value in (said | changed).items() if value}


def resource_claims(nonce: str) -> dict[str, Any]:
    """What a well-behaved platform says of a learner who opens an exercise."""
    return {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "learner-1",
        "exp": NOW + 60,
        "iat": NOW,
        "nonce": nonce,
        "name": "Wei Li",
        "given_name": "Wei",
        "family_name": "Li",
        "email": "wei@example.org",
        LTI + "version": "1.3.0",
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "deployment_id": DEPLOYMENT,
        LTI + "target_link_uri": TOOL.exercise("linear_regression"),
        LTI + "resource_link": {"id": "link-1", "title": "Fit a line"},
        LTI + "roles": [f"{IN_COURSE}#Learner"],
        LTI + "context": {"id": "course-1", "label": "ML", "title": "Machine learning"},
        LTI + "launch_presentation": {"locale": "zh_CN", "return_url": f"{ISSUER}/course/1"},
        LTI + "custom": {"exercise": "linear_regression", "points": 10},
        AGS: {"scope": [SCORE], "lineitem": f"{ISSUER}/item?type_id=3", "lineitems": f"{ISSUER}/items"},
        NRPS: {"context_memberships_url": f"{ISSUER}/members", "service_versions": ["2.0"]},
    }
