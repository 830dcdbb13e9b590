"""With a platform that we did not write: Open edX's checks what we send, and we what it sends."""

import html
import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from grader.errors import LaunchRefused
from grader.lms.lti import roster
from grader.lms.lti.addresses import LOOPBACK
from grader.lms.lti.deeplinking import answer
from grader.lms.lti.keys import PlatformKeys
from grader.lms.lti.launch import Launches
from grader.lms.lti.login import begin
from grader.lms.lti.outbound import Outbound
from grader.lms.lti.records import Chosen, Launch, Member, Platform, Score
from grader.lms.lti.scores import Scores
from grader.lms.lti.signing import OurKeys
from grader.lms.lti.tokens import Tokens
from grader.lms.lti.tool import Tool
from tests.lti_remembered import InMemory
from tests.lti_site import Reply, Site, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("lti_consumer") is None,
        reason="no Open edX: pip install -c constraints.txt -e '.[platform]'",
    ),
]
FIELD = re.compile(r'<input name="(\w+)" value="([^"]*)"')


@contextmanager
def open_edx(tool: str, keys: str = "") -> Iterator[Platform]:
    """The platform, until the test is over. keys: where it finds ours, if not where browsers do."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.open_edx", tool, keys]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[1]
    ) as process:
        assert process.stdout is not None
        try:
            said = next(line for line in process.stdout if line.startswith(b"{"))
            yield msgspec.json.decode(said, type=Platform)
        finally:
            process.kill()


class Course:
    """The tool, and a browser in the course."""

    def __init__(self, platform: Platform, site: Site) -> None:
        self.platform, self.memory, self.tool = platform, InMemory(platform), Tool(base=site.url)
        self.outbound = Outbound(networks=LOOPBACK)
        self.keys = OurKeys(self.memory)
        self.tokens = Tokens(self.outbound, self.keys)
        self.launches = Launches(self.memory, self.memory, PlatformKeys(self.outbound))
        self.browser = httpx.Client(trust_env=False, timeout=60)
        site.answers["GET /lti/keys"] = lambda _: Reply(self.keys.published(time.time()))

    def coming(self, who: str, choose: bool = False) -> tuple[dict[str, str], str]:
        """What the browser posts after a click on the link, and the secret that it kept."""
        clicked = self.browser.get(
            f"{self.platform.issuer}/click", params={"who": who} | ({"choose": ""} if choose else {})
        )
        announced = dict(parse_qsl(urlsplit(clicked.headers["location"]).query))
        start = begin(announced, self.tool, self.memory, self.memory, time.time())
        page = self.browser.get(start.redirect)
        assert page.status_code == 200
        assert f'action="{self.tool.launch}"' in page.text
        return {name: html.unescape(value) for name, value in FIELD.findall(page.text)}, start.secret

    def comes(self, who: str, choose: bool = False) -> Launch:
        return self.launches.receive(*self.coming(who, choose), time.time())

    def get(self, path: str) -> httpx.Response:
        return self.browser.get(f"{self.platform.issuer}{path}")


@pytest.fixture(scope="module")
def course() -> Iterator[Course]:
    with serving() as site, open_edx(site.url) as platform:
        found = Course(platform, site)
        yield found
        found.browser.close()


def test_people_are_let_in_with_what_the_platform_says_of_them(course: Course) -> None:
    launch = course.comes("wei")
    assert (launch.subject, launch.role, launch.message) == ("wei", "learner", "exercise")
    assert (launch.name, launch.email) == ("Wei", "wei@example.org")
    assert (launch.target, launch.custom) == (course.tool.launch, {})
    assert launch.course is not None
    assert launch.course.title == "Machine learning"
    assert course.comes("ana").role == "administrator"


def test_a_launch_is_let_in_once(course: Course) -> None:
    form, secret = course.coming("wei")
    assert course.launches.receive(form, secret, time.time())
    with pytest.raises(LaunchRefused):
        course.launches.receive(form, secret, time.time())


def test_scores_arrive_and_later_ones_replace_them(course: Course) -> None:
    launch = course.comes("wei")
    assert launch.scores is not None
    sender = Scores(course.outbound, course.tokens, course.memory)
    now = time.time()
    for given, comment in ((3, "Look at line 7."), (10, "All checks passed.")):
        sender.post(
            Score(subject="wei", given=given, maximum=10, comment=comment),
            launch.scores,
            course.platform,
            now,
        )
    assert course.get("/grades").json()["wei"] == {"score": 1.0, "of": 10, "comment": "All checks passed."}


def test_the_roster_has_everybody_over_several_pages(course: Course) -> None:
    launch = course.comes("ana")
    assert launch.roster_url is not None
    found = roster.members(
        f"{launch.roster_url}?limit=2", course.platform, outbound=course.outbound, tokens=course.tokens
    )
    assert [member.subject for member in found] == ["wei", "ana", "mei", "tom"]
    assert found[0] == Member(subject="wei", role="learner", active=True)


def test_a_choice_is_kept_and_comes_back_with_the_link(course: Course) -> None:
    launch = course.comes("ana", choose=True)
    assert launch.choice is not None
    chosen = Chosen(
        exercise="temperature",
        title="Temperature",
        points=10,
        attempts=2,
        deadline="2030-01-01T00:00:00+08:00",
    )
    token = answer(launch, [chosen], tool=course.tool, keys=course.keys, now=time.time())
    page = course.browser.post(launch.choice.return_url, data={"JWT": token})
    assert page.status_code == 200
    opened = course.comes("mei")
    assert course.tool.exercise_meant(opened.target, opened.custom) == "temperature"
    assert opened.custom == {
        "exercise": "temperature", "points": "10", "attempts": "2", "deadline": "2030-01-01T00:00:00+08:00"
    }  # fmt: skip
