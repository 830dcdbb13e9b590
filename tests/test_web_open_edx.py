"""With Open edX as the platform, over HTTP all the way: a teacher chooses, a learner hands in, the score is in the gradebook."""

import html
import importlib.util
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from grader.lms.lti.records import Platform
from tests.command import grader
from tests.conftest import SAMPLE
from tests.test_lti_open_edx import FIELD, open_edx
from tests.web_running import Place, Running, csrf, running, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("lti_consumer") is None,
        reason="no Open edX: pip install -c constraints.txt -e '.[platform]'",
    ),
]


def register(place: Place, platform: Platform) -> None:
    """What an administrator does."""
    said = {
        "issuer": platform.issuer,
        "client-id": platform.client_id,
        "deployment": platform.deployments[0],
        "login-url": platform.login_url,
        "token-url": platform.token_url,
        "jwks-url": platform.jwks_url,
    }
    options = [part for name, value in said.items() for part in (f"--{name}", value)]
    done = grader("lti", "register", "School", *options, *place.options, folder=place.folder)
    assert done.code == 0, done.err


def comes(
    platform: Platform, service: Running, who: Mapping[str, str]
) -> tuple[httpx.Client, httpx.Response]:
    """Somebody clicks on the link in the course; their browser, and the page that they are shown at last."""
    browser = httpx.Client(follow_redirects=True, trust_env=False, timeout=60)
    page = browser.get(f"{platform.issuer}/click", params=who)
    fields = {name: html.unescape(value) for name, value in FIELD.findall(page.text)}
    headers = {"origin": platform.issuer}
    shown = browser.post(f"{service.url}/lti/launch", data=fields, headers=headers)
    assert shown.status_code == 200, shown.text
    return browser, shown


def test_a_notebook_that_was_handed_in_has_its_score_in_the_platforms_gradebook(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with (
        running(place, "--lti-network", "127.0.0.0/8") as service,
        open_edx(service.url) as platform,
    ):
        register(place, platform)
        teacher, shown = comes(platform, service, {"who": "ana", "choose": ""})
        form = {"csrf": csrf(shown.text), "exercise": "linear_regression", "points": "10"}
        back = teacher.post(str(shown.url), data=form)
        found = re.search(
            r'action="([^"]*)" data-going-back>\s*<input type="hidden" name="JWT" value="([^"]*)"', back.text
        )
        assert found is not None, back.text
        there = teacher.post(html.unescape(found[1]), data={"JWT": html.unescape(found[2])})
        assert there.status_code == 200
        learner, shown = comes(platform, service, {"who": "wei"})
        assert shown.url.path.startswith("/assignments/")
        sent = learner.post(
            f"{shown.url}/attempts",
            data={"csrf": csrf(shown.text)},
            files={"file": ("work.ipynb", SAMPLE.read_bytes())},
        )
        assert sent.url.path.startswith("/attempts/"), sent.text
        until(lambda: "wei" in learner.get(f"{platform.issuer}/grades").json())
        report = learner.get(str(sent.url)).text
        score = re.search(r'class="score">([\d.]+) / 10<', report)
        assert score is not None, report
        kept = learner.get(f"{platform.issuer}/grades").json()["wei"]
        assert (round(kept["score"] * 10, 6), kept["of"]) == (float(score[1]), 10)
        for browser in (teacher, learner):
            browser.close()
        assert service.end(signal.SIGTERM) == 0
