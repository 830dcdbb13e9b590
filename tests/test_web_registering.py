"""How platforms get into a service: by an invitation, once, or by the command line."""

import json
from pathlib import Path

import pytest

from grader.web.store import platforms
from tests.command import Outcome, grader
from tests.lti_site import Reply
from tests.test_lti_registration import OF_TOOL, Registering
from tests.web_lti import FRAMES, Lms


@pytest.fixture
def platform(lms: Lms) -> Registering:
    return Registering(lms.site)


def invited(lms: Lms, now: float | None = None) -> dict[str, str]:
    """What a platform has the browser of its administrator ask for."""
    return {
        "invitation": lms.store.write(platforms.invite, now or 2e9),
        "openid_configuration": f"{lms.site.url}/configuration",
        "registration_token": "secret",
    }


def test_who_is_invited_is_registered_once(lms: Lms, platform: Registering) -> None:
    asked = invited(lms)
    answer = lms.pages.browser().get("/lti/register", params=asked)
    assert answer.status_code == 200
    assert f'data-registered="{lms.site.url}"' in answer.text
    assert f"frame-ancestors {lms.site.url}" in answer.headers["content-security-policy"]
    (found,) = lms.store.read(platforms.registered, lms.site.url)
    assert (found.client_id, found.deployments) == ("fresh", ("3",))
    assert lms.pages.browser().get("/lti/register", params=asked).status_code == 403


def test_without_an_invitation_no_machine_is_asked_for_anything(lms: Lms, platform: Registering) -> None:
    for invitation in ("", "guess", invited(lms, 1.0)["invitation"]):
        asked = invited(lms) | {"invitation": invitation}
        answer = lms.pages.browser().get("/lti/register", params=asked)
        assert (answer.status_code, "invitation" in answer.text) == (403, True)
    assert platform.site.asked == []
    assert FRAMES not in answer.headers["content-security-policy"]


def test_what_came_to_nothing_may_be_tried_again(lms: Lms, platform: Registering) -> None:
    lms.site.answers["POST /register"] = lambda _: Reply(b"not now", 500)
    asked = invited(lms)
    answer = lms.pages.browser().get("/lti/register", params=asked)
    assert (answer.status_code, "answered 500" in answer.text) == (502, True)
    elsewhere = asked | {"openid_configuration": "ftp://x"}
    assert lms.pages.browser().get("/lti/register", params=elsewhere).status_code == 502
    Registering(lms.site)
    assert lms.pages.browser().get("/lti/register", params=asked).status_code == 200


def test_a_platform_that_says_no_deployment_needs_one_more_word(lms: Lms, platform: Registering) -> None:
    platform.registered = {"client_id": "fresh", OF_TOOL: {}}
    answer = lms.pages.browser().get("/lti/register", params=invited(lms))
    assert "grader lti deployment" in answer.text
    lms.store.write(platforms.add_deployment, lms.site.url, "fresh", "9")
    (found,) = lms.store.read(platforms.registered, lms.site.url)
    assert found.deployments == ("9",)


@pytest.mark.slow
def test_an_administrator_does_it_by_the_command_line(tmp_path: Path) -> None:
    def lti(*said: str) -> Outcome:
        return grader("lti", *said, "--database", "a.sqlite", folder=tmp_path)

    shown = lti("invite", "https://grader.example.org/")
    assert "\nhttps://grader.example.org/lti/register?invitation=" in shown.out
    assert lti("invite", "nowhere").code == 2
    site = "https://lms.example.org"
    said = {"issuer": site, "client-id": "7", "deployment": "1", "login-url": f"{site}/a"}
    said |= {"token-url": f"{site}/t", "jwks-url": f"{site}/j"}
    options = [part for name, value in said.items() for part in (f"--{name}", value)]
    assert lti("register", "School", *options).code == 0
    assert lti("deployment", site, "7", "2").code == 0
    assert lti("platforms").out == f"School: {site}, client 7, deployments 1, 2\n"
    unknown = lti("deployment", site, "8", "2")
    assert (unknown.code, "grader lti platforms" in unknown.err) == (2, True)
    before = json.loads(lti("keys").out)["keys"]
    after = json.loads(lti("keys", "--rotate").out)["keys"]
    assert (len(before), len(after), before[0] in after) == (1, 2, True)
