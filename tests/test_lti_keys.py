"""Keys: the platforms', which change under us, and our own, which we change."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from grader.errors import LaunchRefused
from grader.lms.lti.keys import FETCHES, KEPT_SECONDS, WITHIN_SECONDS, usable
from grader.lms.lti.records import SigningKey
from grader.lms.lti.signing import AFTER, AHEAD, DAY, LIFE, OurKeys, new_key, thumbprint, turned
from tests.lti_remembered import InMemory
from tests.lti_site import Reply, Site, in_json, serving
from tests.lti_visit import NOW, Door, Visit, by, jwk, rsa_key


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def door(site: Site) -> Door:
    return Door(site)


def comes(door: Door, key: str) -> str:
    """What becomes of a launch that is signed with a key: the reason why it is refused, or nothing."""
    visit = Visit(door)
    visit.header["kid"], visit.sign = key, by(key)
    try:
        visit.receive()
    except LaunchRefused as error:
        assert error.status == 401
        return error.text
    return ""


# ---- the platforms' -----------------------------------------------------------------------------


def test_keys_are_fetched_once(door: Door, site: Site) -> None:
    assert [comes(door, "platform") for _ in range(5)] == [""] * 5
    assert site.paths() == ["/jwks"]


def test_a_new_key_is_let_in_after_one_more_fetch(door: Door, site: Site) -> None:
    assert comes(door, "platform") == ""
    door.jwks = [jwk("platform"), jwk("next")]
    assert comes(door, "next") == ""
    door.jwks = [jwk("next")]
    assert comes(door, "next") == ""
    assert site.paths() == ["/jwks"] * 2


def test_unknown_keys_make_no_storm(door: Door, site: Site) -> None:
    assert {comes(door, "attacker") for _ in range(30)} == {"lti-token-key-unknown"}
    assert len(site.asked) == FETCHES
    assert comes(door, "platform") == ""
    door.clock[0] += WITHIN_SECONDS
    door.jwks.append(jwk("attacker"))
    assert comes(door, "attacker") == ""
    assert len(site.asked) == FETCHES + 1


def test_a_key_that_was_taken_back_is_refused_when_its_hour_is_over(door: Door) -> None:
    assert comes(door, "platform") == ""
    door.jwks = [jwk("next")]
    door.clock[0] += KEPT_SECONDS - 1
    assert comes(door, "platform") == ""
    door.clock[0] += 1
    assert comes(door, "platform") == "lti-token-key-unknown"


def test_many_who_come_at_once_fetch_once(door: Door, site: Site) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: comes(door, "platform"), range(16))) == {""}
    assert site.paths() == ["/jwks"]


@pytest.mark.parametrize(
    "reply",
    [Reply(b"", 500), Reply(b"", 404), Reply(b"<html>"), Reply(b"[]"), in_json({}), in_json({"keys": {}}), Reply(b"", 302)],
)  # fmt: skip
def test_keys_that_cannot_be_had_are_a_reason_of_their_own(door: Door, site: Site, reply: Reply) -> None:
    site.answers["GET /jwks"] = lambda _: reply
    assert comes(door, "platform") == "lti-keys-unavailable"
    site.answers["GET /jwks"] = lambda _: in_json({"keys": door.jwks})
    assert comes(door, "platform") == ""


def test_a_platform_that_is_down_is_believed_for_the_rest_of_the_hour(door: Door, site: Site) -> None:
    assert comes(door, "platform") == ""
    del site.answers["GET /jwks"]
    assert comes(door, "platform") == ""
    door.clock[0] += KEPT_SECONDS
    assert {comes(door, "platform") for _ in range(2 * FETCHES)} == {"lti-keys-unavailable"}
    assert len(site.asked) == 1 + FETCHES


def small(key: dict[str, Any]) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(rsa_key("small", 1024).public_key(), as_dict=True)
    return key | {"n": public["n"]}


UNUSABLE: dict[str, Callable[[dict[str, Any]], object]] = {
    "no object": lambda key: "key",
    "no id": lambda key: {name: key[name] for name in key if name != "kid"},
    "id a number": lambda key: key | {"kid": 3},
    "for encryption": lambda key: key | {"use": "enc"},
    "for another algorithm": lambda key: key | {"alg": "RS512"},
    "of another kind": lambda key: key | {"kty": "oct", "k": "AAAA"},
    "no modulus": lambda key: {name: key[name] for name in key if name != "n"},
    "modulus a number": lambda key: key | {"n": 5},
    "modulus no base64": lambda key: key | {"n": "é!"},
    "exponent even": lambda key: key | {"e": "Ag"},
    "too short": small,
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_keys_for_other_ends_are_passed_over(door: Door, what: str) -> None:
    door.jwks = [UNUSABLE[what](jwk("attacker")), jwk("platform")]
    assert comes(door, "platform") == ""
    assert comes(door, "attacker") == "lti-token-key-unknown"


def test_a_key_may_leave_out_what_it_is_for() -> None:
    assert usable({name: value for name, value in jwk("platform").items() if name not in {"alg", "use"}})


@settings(deadline=None, max_examples=100)
@given(
    fields=st.dictionaries(
        st.sampled_from(["kty", "n", "e", "kid", "use", "alg", "d", "key_ops"]),
        st.none() | st.text(max_size=9) | st.integers() | st.lists(st.text(max_size=3)) | st.sampled_from(["RSA", "AQAB"]),
    )
)  # fmt: skip
def test_a_key_of_any_kind_is_used_or_not(fields: dict[str, object]) -> None:
    assert len(usable(jwk("platform") | fields)) <= 1


# ---- our own ------------------------------------------------------------------------------------


def verified(ours: OurKeys, token: str, now: float) -> str:
    """Whose key a token of ours is signed with, by what is published."""
    published = jwt.PyJWKSet.from_json(ours.published(now).decode())
    kid = str(jwt.get_unverified_header(token)["kid"])
    jwt.decode(token, published[kid], ["RS256"], options={"verify_exp": False, "verify_iat": False})
    return kid


def ids(ours: OurKeys, now: float) -> list[str]:
    return [key["kid"] for key in msgspec.json.decode(ours.published(now))["keys"]]


def test_the_thumbprint_is_that_of_the_standards_example() -> None:
    # RFC 7638, section 3.1
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    [(_, key)] = usable({"kty": "RSA", "n": modulus, "e": "AQAB", "kid": "1"})
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_what_is_published_is_the_public_half(door: Door) -> None:
    [key] = msgspec.json.decode(OurKeys(door.memory).published(NOW))["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}


def test_a_new_key_is_published_for_a_day_before_it_signs_and_the_old_one_for_a_day_after() -> None:
    ours = OurKeys(InMemory())
    [first] = ids(ours, NOW)
    ours.turn(NOW)
    ours.turn(NOW + 5)
    assert ids(ours, NOW)[0] == first
    [_, second] = ids(ours, NOW)
    for after, signing, published in [
        (0.0, first, [first, second]),
        (AHEAD - 1, first, [first, second]),
        (AHEAD, second, [first, second]),
        (AHEAD + AFTER - 1, second, [first, second]),
        (AHEAD + AFTER, second, [second]),
    ]:
        now = NOW + after
        assert verified(ours, ours.sign({"sub": "x"}, now, 60), now) == signing
        assert ids(ours, now) == published


def test_over_a_year_keys_change_by_themselves_and_every_token_stays_readable_for_its_minutes() -> None:
    keys: tuple[SigningKey, ...] = (new_key(NOW),)
    signed_with: list[str] = []
    first_seen: dict[str, float] = {}
    ours = OurKeys(memory := InMemory())
    for day in range(366):
        now = NOW + day * DAY
        memory.chest = keys = turned(keys, now)
        assert 1 <= len(keys) <= 2
        for key in keys:
            first_seen.setdefault(key.id, now)
        if day % 5 == 0 or len(keys) == 2:
            token = ours.sign({"sub": "x"}, now, 60)
            signed_with.append(verified(ours, token, now + 600))
            assert now - first_seen[signed_with[-1]] >= AHEAD or len(first_seen) == 1
    assert len(set(signed_with)) == 366 * DAY // LIFE + 1


def test_processes_that_turn_keys_at_once_agree() -> None:
    memory = InMemory()
    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(lambda _: OurKeys(memory).sign({"sub": "x"}, NOW, 60), range(8)))
    assert len({verified(OurKeys(memory), token, NOW) for token in tokens}) == 1
