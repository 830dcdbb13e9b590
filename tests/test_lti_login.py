"""The first step: who is announced, and where the browser is sent."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import LaunchRefused
from grader.lms.lti.login import LOGIN_SECONDS, begin, fingerprint
from grader.lms.lti.records import LoginStart
from grader.lms.lti.tool import Tool
from grader.text import say
from tests.lti_site import serving
from tests.lti_visit import CLIENT, ISSUER, NOW, TOOL, Door


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with serving() as site:
        yield Door(site)


def login(door: Door, **changed: str) -> LoginStart:
    return begin(door.announcement(**changed), TOOL, door.memory, door.memory, NOW)


def query(start: LoginStart) -> dict[str, str]:
    return {name: value for name, [value] in parse_qs(urlsplit(start.redirect).query).items()}


def test_the_browser_is_sent_for_a_token(door: Door) -> None:
    start = login(door)
    sent = query(start)
    assert start.redirect.startswith(f"{ISSUER}/auth?realm=1&")
    state = door.memory.states[sent["state"]]
    assert sent == {
        "realm": "1",
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": CLIENT,
        "redirect_uri": "https://grader.example.org/lti/launch",
        "login_hint": "42",
        "lti_message_hint": "m 1",
        "state": state.state,
        "nonce": state.nonce,
    }
    assert (state.expires, state.target) == (NOW + LOGIN_SECONDS, TOOL.exercise("linear_regression"))
    assert state.browser == fingerprint(start.secret)
    assert start.secret not in msgspec.json.encode(state).decode()


def test_every_login_has_secrets_of_its_own(door: Door) -> None:
    starts = [login(door) for _ in range(20)]
    values = [
        value
        for start in starts
        for value in (query(start)["state"], query(start)["nonce"], start.secret, start.cookie)
    ]
    assert len(set(values)) == len(values)
    assert min(len(value) for value in values) >= 20


def test_no_hint_is_sent_where_none_came(door: Door) -> None:
    assert "lti_message_hint" not in query(login(door, lti_message_hint=""))


REFUSED = [
    ({"iss": ""}, 400, "lti-login-incomplete"),
    ({"login_hint": ""}, 400, "lti-login-incomplete"),
    ({"target_link_uri": ""}, 400, "lti-login-incomplete"),
    ({"login_hint": "x" * 8193}, 400, "lti-login-too-long"),
    ({"iss": "https://evil.example.org"}, 403, "lti-platform-unknown"),
    ({"iss": f"{ISSUER}/"}, 403, "lti-platform-unknown"),
    ({"client_id": "client-2"}, 403, "lti-platform-unknown"),
    ({"lti_deployment_id": "9"}, 403, "lti-deployment-unknown"),
    *(
        ({"target_link_uri": target}, 400, "lti-target-elsewhere")
        for target in (
            "https://evil.example.org/lti/launch",
            "http://grader.example.org/lti/launch",
            "https://grader.example.org:444/lti/launch",
            "https://grader.example.org.evil.org/lti/launch",
            "https://grader.example.org@evil.org/lti/launch",
            "https://grader.example.org/lti/launch?next=https://evil.org",
            "https://grader.example.org/lti/launch/",
            "https://grader.example.org/lti/exercises/",
            "https://grader.example.org/lti/exercises/../keys",
            "https://grader.example.org/lti/exercises/a/b",
            "https://grader.example.org/lti/exercises/a#b",
            "https://grader.example.org/lti/exercises/a\n",
            "//grader.example.org/lti/launch",
        )
    ),
]


@pytest.mark.parametrize(("changed", "status", "reason"), REFUSED)
def test_a_login_is_refused_for_what_is_wrong_with_it(
    door: Door, changed: dict[str, str], status: int, reason: str
) -> None:
    kept = len(door.memory.states)
    with pytest.raises(LaunchRefused) as caught:
        login(door, **changed)
    assert (caught.value.text, caught.value.status) == (reason, status)
    assert say(reason, "en", caught.value.params)
    assert say(reason, "zh", caught.value.params)
    assert len(door.memory.states) == kept


def test_an_issuer_with_several_clients_has_to_say_which(door: Door) -> None:
    assert query(login(door, client_id=""))["client_id"] == CLIENT
    door.memory.platforms.append(msgspec.structs.replace(door.platform, client_id="client-2"))
    try:
        assert query(login(door, client_id="client-2"))["client_id"] == "client-2"
        with pytest.raises(LaunchRefused) as caught:
            login(door, client_id="")
        assert caught.value.text == "lti-client-unsaid"
    finally:
        door.memory.platforms.pop()


FIELDS = ("iss", "client_id", "login_hint", "lti_message_hint", "target_link_uri", "lti_storage_target")


@settings(deadline=None, max_examples=100)
@given(changed=st.dictionaries(st.sampled_from(FIELDS), st.text(st.characters()), max_size=3))
def test_a_login_of_any_kind_goes_to_the_platform_or_is_refused(door: Door, changed: dict[str, str]) -> None:
    try:
        start = login(door, **changed)
    except LaunchRefused as error:
        assert error.status in {400, 403}
        return
    assert start.redirect.startswith(f"{ISSUER}/auth?realm=1&scope=openid&")
    assert start.redirect.isascii()
    assert query(start)["redirect_uri"] == TOOL.launch


@given(slug=st.text(max_size=20))
def test_a_link_names_an_exercise_only_by_what_can_be_a_name(slug: str) -> None:
    found = TOOL.exercise_of(TOOL.exercise(slug))
    assert found in {None, slug}
    assert found is None or all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in found)


@pytest.mark.parametrize(
    ("target", "custom", "exercise"),
    [
        (TOOL.launch, {"exercise": "temperature"}, "temperature"),
        (TOOL.exercise("linear_regression"), {}, "linear_regression"),
        (TOOL.exercise("linear_regression"), {"exercise": "temperature"}, "temperature"),
        (TOOL.exercise("linear_regression"), {"exercise": "$Exercise"}, "linear_regression"),
        (TOOL.launch, {"exercise": "../x"}, None),
        (TOOL.launch, {}, None),
    ],
)
def test_a_choice_goes_before_the_address(target: str, custom: dict[str, str], exercise: str | None) -> None:
    assert TOOL.exercise_meant(target, custom) == exercise


@pytest.mark.parametrize(
    "base", ["grader.example.org", "https://grader.example.org/", "https://x/?a", "ftp://x", ""]
)
def test_a_service_has_an_address_that_can_be_appended_to(base: str) -> None:
    with pytest.raises(ValueError, match="appended"):
        Tool(base=base)
