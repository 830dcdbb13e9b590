"""Launches that are let in, and what is known then; each once only, and in one browser only."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from grader.errors import LaunchRefused
from grader.lms.lti.records import ChoiceWanted, Course, Launch, Link, Role, ScoreService
from grader.lms.lti.roles import reduced
from tests.lti_site import Site, serving
from tests.lti_visit import AGS, CLIENT, IN_COURSE, ISSUER, LTI, NOW, NRPS, SCORE, SETTINGS, TOOL, Door, Visit

SYSTEM = "http://purl.imsglobal.org/vocab/lis/v2/system/person"
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def door(site: Site) -> Door:
    return Door(site)


# ---- what is let in -----------------------------------------------------------------------------


def test_what_the_token_says_is_what_is_known(door: Door) -> None:
    assert Visit(door).receive() == Launch(
        issuer=ISSUER,
        client_id=CLIENT,
        deployment="7",
        message="exercise",
        subject="learner-1",
        role="learner",
        target=TOOL.exercise("linear_regression"),
        name="Wei Li",
        email="wei@example.org",
        course=Course(id="course-1", title="Machine learning"),
        link=Link(id="link-1", title="Fit a line"),
        locale="zh_CN",
        return_url=f"{ISSUER}/course/1",
        custom={"exercise": "linear_regression", "points": "10"},
        scores=ScoreService(
            scopes=(SCORE,), line_item=f"{ISSUER}/item?type_id=3", line_items=f"{ISSUER}/items"
        ),
        roster_url=f"{ISSUER}/members",
    )


def test_a_choice_says_what_is_wanted(door: Door) -> None:
    launch = Visit(door).choose().receive()
    assert (launch.message, launch.link) == ("choose", None)
    assert launch.choice == ChoiceWanted(
        return_url=f"{ISSUER}/return", multiple=False, line_items=True, data="opaque=1&x"
    )


def test_a_choice_may_have_a_title(door: Door) -> None:
    visit = Visit(door).choose()
    visit.claims[SETTINGS]["title"] = "Week 3"
    assert visit.receive().choice == ChoiceWanted(
        return_url=f"{ISSUER}/return", multiple=False, line_items=True, data="opaque=1&x", title="Week 3"
    )


def put(**claims: object) -> Callable[[Visit], object]:
    return lambda visit: visit.claims.update(claims)


def lti(name: str, value: object) -> Callable[[Visit], object]:
    return put(**{LTI + name: value})


def without(*names: str) -> Callable[[Visit], object]:
    def change(visit: Visit) -> None:
        for name in names:
            del visit.claims[name]

    return change


NAMES = ("name", "given_name", "family_name")
LET_IN: dict[str, tuple[Callable[[Visit], object], dict[str, object]]] = {
    "several roles": (
        lti("roles", [f"{IN_COURSE}#Learner", f"{IN_COURSE}#Instructor", f"{INSTITUTION}#Student"]),
        {"role": "teacher"},
    ),
    "short role": (lti("roles", ["Instructor"]), {"role": "teacher"}),
    "unknown role": (lti("roles", ["https://example.org/roles#Wizard"]), {"role": "none"}),
    "no role": (lti("roles", []), {"role": "none"}),
    "email only": (without(*NAMES), {"name": None, "email": "wei@example.org"}),
    "names only": (without("email"), {"name": "Wei Li", "email": None}),
    "given name only": (without("name", "family_name", "email"), {"name": "Wei"}),
    "no personal data": (without(*NAMES, "email"), {"name": None, "email": None}),
    "personal data null": (put(name=None, given_name=None, family_name=None, email=None), {"name": None}),
    "no context": (without(LTI + "context"), {"course": None}),
    "context without a title": (lti("context", {"id": "c", "label": "L"}), {"course": Course(id="c", title="L")}),
    "no presentation": (without(LTI + "launch_presentation"), {"locale": None, "return_url": None}),
    "way back a script": (lti("launch_presentation", {"return_url": "javascript:1"}), {"return_url": None}),
    "name as the platform words it": (put(name="李伟"), {"name": "李伟"}),
    "empty address": (put(email=""), {"email": None}),
    "locale of the person": (put(**{LTI + "launch_presentation": {"locale": ""}, "locale": "en-GB"}), {"locale": "en-GB"}),
    "locale nowhere": (lti("launch_presentation", {"locale": ""}), {"locale": None}),
    "context with an id alone": (lti("context", {"id": "c"}), {"course": Course(id="c")}),
    "link with an id alone": (lti("resource_link", {"id": "l"}), {"link": Link(id="l")}),
    "no services": (without(AGS, NRPS), {"scores": None, "roster_url": None}),
    "services that allow nothing": (
        put(**{AGS: {"lineitem": ""}, NRPS: {}}),
        {"scores": ScoreService(scopes=(), line_item=None, line_items=None), "roster_url": None},
    ),
    "no custom parameters": (without(LTI + "custom"), {"custom": {}}),
    "custom parameters with parts": (lti("custom", {"a": [1], "b": {}, "c": None, "d": 2}), {"custom": {"d": "2"}}),
    "audience in a list": (put(aud=[CLIENT]), {}),
    "several audiences": (put(aud=["other", CLIENT], azp=CLIENT), {}),
    "party": (put(azp=CLIENT), {}),
    "ended just now": (put(exp=NOW - 57.5, iat=NOW - 90), {}),
    "six minutes old": (put(iat=NOW - 358, exp=NOW + 90), {}),
    "made a little ahead": (put(iat=NOW + 62, exp=NOW + 90), {}),
    "times with fractions": (put(iat=NOW + 0.5, exp=NOW + 9.5, nbf=NOW + 0.1), {}),
    "more than is known": (put(**{"https://example.org/claim": {"a": [1]}}), {}),
    "subject of the longest kind": (put(sub="s" * 255), {"subject": "s" * 255}),
}  # fmt: skip


@pytest.mark.parametrize("what", LET_IN)
def test_is_let_in(door: Door, what: str) -> None:
    change, expected = LET_IN[what]
    visit = Visit(door)
    change(visit)
    launch = visit.receive()
    assert {name: getattr(launch, name) for name in expected} == expected


@pytest.mark.parametrize(
    "url",
    [
        "javascript://evil.example.org/%0aalert(1)",
        "data:text/html,x",
        "https:///x",
        "//x/",
        "https://[",
        "",
        None,
    ],
)
def test_a_way_back_that_no_browser_should_be_sent_is_passed_over(door: Door, url: str | None) -> None:
    visit = Visit(door)
    visit.claims[LTI + "launch_presentation"] = {"return_url": url}
    assert visit.receive().return_url is None


def test_a_platform_need_not_announce_the_deployment(door: Door) -> None:
    visit = Visit(door, lti_deployment_id="")
    visit.claims[LTI + "deployment_id"] = "8"
    assert visit.receive().deployment == "8"


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        ([f"{IN_COURSE}/Instructor#TeachingAssistant"], "teacher"),
        ([f"{IN_COURSE}#Administrator", f"{IN_COURSE}#Learner"], "administrator"),
        ([f"{INSTITUTION}#Administrator", f"{IN_COURSE}#Learner"], "learner"),
        ([f"{INSTITUTION}#Administrator", f"{IN_COURSE}#Mentor"], "none"),
        ([f"{SYSTEM}#Administrator"], "administrator"),
        ([f"{INSTITUTION}#Instructor"], "none"),
        ([f"{IN_COURSE}#instructor", "teacher", "xInstructor"], "none"),
        ([f"https://evil.example.org/?{IN_COURSE}#Instructor"], "none"),
    ],
)
def test_roles_come_down_to_one(roles: list[str], role: Role) -> None:
    assert reduced(roles) == role
    assert reduced(reversed(roles)) == role


# ---- once only ----------------------------------------------------------------------------------


def refused(visit: Visit) -> str:
    with pytest.raises(LaunchRefused) as caught:
        visit.receive()
    return caught.value.text


def test_the_same_launch_is_let_in_once(door: Door) -> None:
    visit = Visit(door)
    visit.form = visit.posted()
    assert visit.receive()
    assert refused(visit) == "lti-state-unknown"


def test_of_many_at_the_same_moment_one_is_let_in(door: Door) -> None:
    visit = Visit(door)

    def comes(_: int) -> bool:
        try:
            return bool(visit.receive())
        except LaunchRefused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(comes, range(16))) == 1


def test_a_token_is_of_no_use_to_another_visit(door: Door) -> None:
    used, other = Visit(door), Visit(door)
    token = used.posted()["id_token"]
    used.receive()
    other.form["id_token"] = token
    assert refused(other) == "lti-token-nonce"


def test_a_stolen_form_is_of_no_use_in_another_browser(door: Door) -> None:
    victim, attacker = Visit(door), Visit(door)
    victim.secret = attacker.secret
    assert refused(victim) == "lti-browser-other"


def test_a_refused_launch_uses_the_login_up(door: Door) -> None:
    visit = Visit(door)
    visit.claims["aud"] = "client-2"
    refused(visit)
    visit.claims["aud"] = CLIENT
    assert refused(visit) == "lti-state-unknown"


def test_a_token_of_another_platform_is_refused_also_where_both_are_registered(door: Door) -> None:
    other = msgspec.structs.replace(door.platform, issuer="https://other.example.org", client_id="client-9")
    door.memory.platforms.append(other)
    assert refused(Visit(door, iss=other.issuer, client_id=other.client_id)) == "lti-token-issuer"


# ---- the platform's frame, for a browser without cookies ------------------------------------------


def test_a_browser_without_cookies_asks_the_platforms_frame(door: Door) -> None:
    visit = Visit(door, lti_storage_target="post_message_forwarding")
    kept = visit.start.storage
    assert kept is not None
    assert (kept.target, kept.origin, kept.value) == ("post_message_forwarding", ISSUER, visit.secret)
    wanted = door.launches.storage_wanted(visit.posted(), None)
    assert wanted == msgspec.structs.replace(kept, value=None)
    assert door.launches.storage_wanted(visit.posted(), "a cookie") is None
    visit.secret = kept.value
    assert visit.receive()


@pytest.mark.parametrize("offered", ["", "a b", "<script>", "x" * 200])
def test_where_no_frame_is_offered_nothing_is_asked(door: Door, offered: str) -> None:
    visit = Visit(door, lti_storage_target=offered)
    assert visit.start.storage is None
    assert door.launches.storage_wanted(visit.posted(), None) is None
    assert door.launches.storage_wanted({}, None) is None
