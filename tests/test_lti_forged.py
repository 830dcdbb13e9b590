"""Launches that are not let in: each is the control launch with one thing changed, and refused for just that."""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from grader.errors import LaunchRefused
from grader.text import say
from tests.lti_site import serving
from tests.lti_visit import (
    AGS,
    CLIENT,
    ISSUER,
    LTI,
    NOW,
    NRPS,
    SETTINGS,
    Door,
    Visit,
    by,
    jwk,
    rsa_key,
    signed,
)

DAY, YEAR = 86400, 365 * 86400


@pytest.fixture(scope="module")
def site() -> Iterator[Any]:
    with serving() as found:
        yield found


@pytest.fixture
def door(site: Any) -> Door:
    return Door(site)


class Forged(NamedTuple):
    """A forged launch, and how it is refused."""

    what: str
    change: Callable[[Visit], object]
    status: int
    reason: str
    params: Mapping[str, object] = MappingProxyType({})


def put(**claims: object) -> Callable[[Visit], object]:
    return lambda visit: visit.claims.update(claims)


def lti(name: str, value: object) -> Callable[[Visit], object]:
    return lambda visit: visit.claims.update({LTI + name: value})


def without(name: str) -> Callable[[Visit], object]:
    return lambda visit: visit.claims.pop(name)


def form(**fields: str) -> Callable[[Visit], object]:
    return lambda visit: visit.form.update(fields)


def header(**fields: object) -> Callable[[Visit], object]:
    return lambda visit: visit.header.update(fields)


def attribute(name: str, value: object) -> Callable[[Visit], object]:
    return lambda visit: setattr(visit, name, value)


def algorithm(name: str, key: str = "platform") -> Callable[[Visit], object]:
    def change(visit: Visit) -> None:
        visit.header["alg"] = name
        visit.sign = by(key, name)

    return change


def hmac_with_public_key(visit: Visit) -> None:
    pem = rsa_key("platform").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    visit.header["alg"] = "HS256"
    visit.sign = lambda said: hmac.digest(pem, said, hashlib.sha256)


def none_at_all(visit: Visit) -> None:
    visit.header["alg"] = "none"
    visit.sign = lambda _: b""


def own_key_in_header(visit: Visit) -> None:
    visit.header |= {"kid": "attacker", "jwk": jwk("attacker"), "jku": f"{visit.door.site.url}/attacker"}
    visit.sign = by("attacker")


def changed_afterwards(visit: Visit) -> None:
    honest = signed(visit.claims, visit.header).split(".")
    forged = signed(visit.claims | {LTI + "roles": ["Instructor"]}, visit.header).split(".")
    visit.form["id_token"] = ".".join((honest[0], forged[1], honest[2]))


def cut(parts: int) -> Callable[[Visit], object]:
    return lambda visit: visit.form.update(
        id_token=".".join(signed(visit.claims, visit.header).split(".")[:parts])
    )


def unsigned(visit: Visit) -> None:
    visit.form["id_token"] = signed(visit.claims, visit.header).rpartition(".")[0] + "."


def fingerprint_as_secret(visit: Visit) -> None:
    state = visit.door.memory.look(visit.form["state"])
    visit.secret = state.browser if state else None


def gone(visit: Visit) -> None:
    visit.door.memory.platforms.clear()


def choosing(**settings: object) -> Callable[[Visit], object]:
    """A choice with settings changed; None takes one away."""

    def change(visit: Visit) -> None:
        found = visit.choose().claims[SETTINGS]
        found |= settings
        visit.claims[SETTINGS] = {name: value for name, value in found.items() if value is not None}

    return change


def missing(claim: str) -> tuple[str, dict[str, object]]:
    return "lti-claim-missing", {"claim": claim}


def malformed(claim: str) -> tuple[str, dict[str, object]]:
    return "lti-claim-malformed", {"claim": claim}


FORGED = [
    # the login that it answers
    Forged("no state", lambda visit: visit.form.pop("state"), 400, "lti-state-missing"),
    Forged("state never given out", form(state="x" * 43), 403, "lti-state-unknown"),
    Forged("state expired", attribute("now", NOW + 600), 403, "lti-state-expired"),
    Forged("no cookie", attribute("secret", None), 403, "lti-browser-forgot"),
    Forged("empty cookie", attribute("secret", ""), 403, "lti-browser-forgot"),
    Forged("another browser", attribute("secret", "y" * 43), 403, "lti-browser-other"),
    Forged("fingerprint as secret", fingerprint_as_secret, 403, "lti-browser-other"),
    Forged("the platform declines", form(error="login_required"), 401, "lti-platform-declined", {"error": "login_required"}),
    Forged("registration ended meanwhile", gone, 403, "lti-platform-unknown", {"issuer": ISSUER}),
    # the token's form
    Forged("no token", form(id_token=""), 400, "lti-token-missing"),
    Forged("not a token", form(id_token="hello"), 400, "lti-token-malformed"),
    Forged("two parts", cut(2), 400, "lti-token-malformed"),
    Forged("one part", cut(1), 400, "lti-token-malformed"),
    Forged("letters of no token", form(id_token="é.é.é"), 400, "lti-token-malformed"),
    Forged("letters of no encoding", form(id_token="\ud800.a.b"), 400, "lti-token-malformed"),
    Forged("right but too long", put(padding="x" * 60_000), 400, "lti-token-malformed"),
    Forged("endless", form(id_token="a" * 70_000), 400, "lti-token-malformed"),
    Forged("payload no JSON", attribute("payload", b"<xml/>"), 400, "lti-token-malformed"),
    Forged("payload no object", attribute("payload", b"[1]"), 400, "lti-token-malformed"),
    Forged("payload deep", attribute("payload", b"[" * 9000), 400, "lti-token-malformed"),
    Forged("critical extension", header(crit=["exp"], exp=1), 400, "lti-token-malformed"),
    Forged("payload not encoded", header(b64=False, crit=["b64"]), 400, "lti-token-malformed"),
    Forged("key's id a number", header(kid=5), 400, "lti-token-malformed"),
    # its signature
    Forged("unsigned", none_at_all, 401, "lti-token-algorithm"),
    Forged("HMAC with the public key", hmac_with_public_key, 401, "lti-token-algorithm"),
    Forged("RS512", algorithm("RS512"), 401, "lti-token-algorithm"),
    Forged("RS384", algorithm("RS384"), 401, "lti-token-algorithm"),
    Forged("PS256", algorithm("PS256"), 401, "lti-token-algorithm"),
    Forged("ES256", algorithm("ES256"), 401, "lti-token-algorithm"),
    Forged("algorithm unsaid", lambda visit: visit.header.pop("alg"), 401, "lti-token-algorithm"),
    Forged("algorithm a list", header(alg=["RS256"]), 401, "lti-token-algorithm"),
    Forged("key unnamed", lambda visit: visit.header.pop("kid"), 401, "lti-token-key-unnamed"),
    Forged("key's id empty", header(kid=""), 401, "lti-token-key-unnamed"),
    Forged("key unknown", header(kid="other"), 401, "lti-token-key-unknown", {"issuer": ISSUER}),
    Forged("brings its own key", own_key_in_header, 401, "lti-token-key-unknown", {"issuer": ISSUER}),
    Forged("another's key under the right id", attribute("sign", by("attacker")), 401, "lti-token-forged"),
    Forged("changed after it was signed", changed_afterwards, 401, "lti-token-forged"),
    Forged("signature left out", unsigned, 401, "lti-token-forged"),
    # from whom, for whom, for which visit
    Forged("no issuer", without("iss"), 401, *missing("iss")),
    Forged("another issuer", put(iss="https://evil.example.org"), 401, "lti-token-issuer"),
    Forged("issuer with a slash", put(iss=f"{ISSUER}/"), 401, "lti-token-issuer"),
    Forged("no audience", without("aud"), 401, *missing("aud")),
    Forged("empty audience", put(aud=[]), 401, *missing("aud")),
    Forged("another audience", put(aud="client-2"), 401, "lti-token-audience"),
    Forged("others' audience", put(aud=["client-2", "client-3"], azp=CLIENT), 401, "lti-token-audience"),
    Forged("audience like ours", put(aud=CLIENT + "0"), 401, "lti-token-audience"),
    Forged("several audiences, no party", put(aud=[CLIENT, "client-2"]), 401, "lti-token-party"),
    Forged("several audiences, another party", put(aud=[CLIENT, "client-2"], azp="client-2"), 401, "lti-token-party"),
    Forged("one audience, another party", put(azp="client-2"), 401, "lti-token-party"),
    Forged("no nonce", without("nonce"), 401, *missing("nonce")),
    Forged("another nonce", put(nonce="n" * 43), 401, "lti-token-nonce"),
    Forged("nonce not ASCII", put(nonce="é"), 401, "lti-token-nonce"),
    # when
    Forged("no end", without("exp"), 401, *missing("exp")),
    Forged("ended", put(exp=NOW - 58, iat=NOW - 90), 401, "lti-token-expired"),
    Forged("no beginning", without("iat"), 401, *missing("iat")),
    Forged("ten years old", put(iat=NOW - 10 * YEAR, exp=NOW + DAY), 401, "lti-token-expired"),
    Forged("over six minutes old", put(iat=NOW - 358.5, exp=NOW + DAY), 401, "lti-token-expired"),
    Forged("made over a minute ahead", put(iat=NOW + 62.5, exp=NOW + DAY), 401, "lti-token-early"),
    Forged("holds from tomorrow on", put(nbf=NOW + DAY, exp=NOW + 2 * DAY), 401, "lti-token-early"),
    Forged("ends as it begins", put(exp=NOW), 401, "lti-token-times"),
    Forged("ends before it begins", put(exp=NOW - 1), 401, "lti-token-times"),
    Forged("end in words", put(exp="tomorrow"), 400, *malformed("exp")),
    Forged("end a truth", put(exp=True), 400, *malformed("exp")),
    # what certification sends, and more
    Forged("no version", without(LTI + "version"), 400, *missing("version")),
    Forged("another version", lti("version", "1.2.0"), 400, "lti-version", {"version": "1.2.0"}),
    Forged("no message type", without(LTI + "message_type"), 400, *missing("message_type")),
    Forged("unknown message", lti("message_type", "LtiOther"), 400, "lti-message-unknown", {"message": "LtiOther"}),
    Forged("no deployment", without(LTI + "deployment_id"), 400, *missing("deployment_id")),
    Forged("unknown deployment", lti("deployment_id", "9"), 403, "lti-deployment-unknown", {"deployment": "9"}),
    Forged("another deployment than announced", lti("deployment_id", "8"), 403, "lti-deployment-other"),
    Forged("deployment a number", lti("deployment_id", 7), 400, *malformed(LTI + "deployment_id")),
    Forged("nobody", without("sub"), 400, *missing("sub")),
    Forged("empty name of nobody", put(sub=""), 400, *missing("sub")),
    Forged("too long a subject", put(sub="s" * 256), 400, *malformed("sub")),
    Forged("no roles", without(LTI + "roles"), 400, *missing("roles")),
    Forged("roles null", lti("roles", None), 400, *missing("roles")),
    Forged("roles a string", lti("roles", "Instructor"), 400, *malformed(LTI + "roles")),
    Forged("role a number", lti("roles", [1]), 400, *malformed(LTI + "roles[0]")),
    Forged("no target", without(LTI + "target_link_uri"), 400, *missing("target_link_uri")),
    Forged("another target", lti("target_link_uri", "https://grader.example.org/lti/exercises/temperature"), 403, "lti-target-other"),
    Forged("target elsewhere", lti("target_link_uri", "https://evil.example.org/"), 403, "lti-target-other"),
    Forged("no link", without(LTI + "resource_link"), 400, *missing("resource_link")),
    Forged("link without id", lti("resource_link", {"title": "x"}), 400, *missing("resource_link.id")),
    Forged("link's id a number", lti("resource_link", {"id": 5}), 400, *malformed(LTI + "resource_link.id")),
    Forged("course without id", lti("context", {"title": "x"}), 400, *missing("context.id")),
    Forged("address a number", put(email=5), 400, *malformed("email")),
    Forged("column a list", put(**{AGS: {"scope": [], "lineitem": []}}), 400, *malformed(AGS + ".lineitem")),
    Forged("roster a string", put(**{NRPS: "x"}), 400, *malformed(NRPS)),
    # the choice of an exercise
    Forged("no settings", lambda visit: visit.choose().claims.pop(SETTINGS), 400, *missing("deep_linking_settings")),
    Forged("no way back", choosing(deep_link_return_url=None), 400, *missing("deep_linking_settings.deep_link_return_url")),
    Forged("way back a script", choosing(deep_link_return_url="javascript:alert(1)"), 400, *malformed("deep_linking_settings.deep_link_return_url")),
    Forged("no types", choosing(accept_types=None), 400, *missing("deep_linking_settings.accept_types")),
    Forged("takes no links", choosing(accept_types=["file"]), 400, "lti-choice-unsuited"),
    Forged("chosen for elsewhere", lambda visit: visit.choose().claims.update({LTI + "target_link_uri": ISSUER}), 403, "lti-target-other"),
]  # fmt: skip


def refused(visit: Visit) -> LaunchRefused:
    with pytest.raises(LaunchRefused) as caught:
        visit.receive()
    return caught.value


def test_control_is_let_in(door: Door) -> None:
    launch = Visit(door).receive()
    assert (launch.subject, launch.role, launch.message) == ("learner-1", "learner", "exercise")
    chosen = Visit(door).choose().receive()
    assert chosen.message == "choose"


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: forged.what)
def test_forged_is_refused_for_what_is_wrong_with_it(door: Door, forged: Forged) -> None:
    visit = Visit(door)
    forged.change(visit)
    error = refused(visit)
    assert (error.text, error.status) == (forged.reason, forged.status)
    assert forged.params.items() <= error.params.items()
    words = say(error.text, "en", error.params)
    assert any(step in words for step in ("again", "teacher", "Add"))
    assert say(error.text, "zh", error.params)


def test_there_are_many_and_each_is_another() -> None:
    assert len(FORGED) >= 85
    assert len({forged.what for forged in FORGED}) == len(FORGED)
    assert {forged.status for forged in FORGED} == {400, 401, 403}
