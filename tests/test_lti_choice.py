"""A teacher's choice, as the platform reads it."""

from collections.abc import Iterator
from typing import Any

import pytest

from grader.errors import LaunchRefused
from grader.lms.lti.deeplinking import answer
from grader.lms.lti.records import Chosen, Launch
from tests.lti_services import Services
from tests.lti_site import serving
from tests.lti_visit import CLIENT, DEPLOYMENT, ISSUER, LTI, NOW, SETTINGS, TOOL, Visit

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
LINE = Chosen(
    exercise="linear_regression",
    title="Fit a line · 拟合直线",
    points=10,
    attempts=3,
    deadline="2027-02-01T23:59:00+08:00",
)
OPEN = Chosen(exercise="temperature", title="Temperature", points=7.5)


@pytest.fixture
def services() -> Iterator[Services]:
    with serving() as site:
        yield Services(site)


def choosing(services: Services, **settings: object) -> Launch:
    visit = Visit(services.door).choose()
    visit.claims[SETTINGS] |= settings
    return visit.receive()


def sent(services: Services, launch: Launch, *chosen: Chosen) -> dict[str, Any]:
    token = answer(launch, chosen, tool=TOOL, keys=services.keys, now=NOW)
    return services.verified(token, ISSUER)


def test_a_choice_is_a_link_with_what_was_chosen(services: Services) -> None:
    claims = sent(services, choosing(services), LINE)
    assert claims["iss"] == CLIENT
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert claims["nonce"]
    assert claims[LTI + "message_type"] == "LtiDeepLinkingResponse"
    assert claims[LTI + "version"] == "1.3.0"
    assert claims[LTI + "deployment_id"] == DEPLOYMENT
    assert claims[DL + "data"] == "opaque=1&x"
    assert claims[DL + "content_items"] == [
        {
            "type": "ltiResourceLink",
            "title": "Fit a line · 拟合直线",
            "url": "https://grader.example.org/lti/launch",
            "custom": {
                "exercise": "linear_regression",
                "points": "10",
                "attempts": "3",
                "deadline": "2027-02-01T23:59:00+08:00",
            },
            "lineItem": {
                "label": "Fit a line · 拟合直线",
                "scoreMaximum": 10,
                "resourceId": "linear_regression",
            },
            "submission": {"endDateTime": "2027-02-01T23:59:00+08:00"},
        }
    ]


def test_a_choice_holds_by_a_clock_that_is_a_minute_behind(services: Services) -> None:
    claims = sent(services, choosing(services), LINE)
    assert claims["iat"] <= NOW - 59 < NOW + 59 < claims["exp"]


def test_without_limits_none_are_sent(services: Services) -> None:
    [item] = sent(services, choosing(services), OPEN)[DL + "content_items"]
    assert item["custom"] == {"exercise": "temperature", "points": "7.5"}
    assert "submission" not in item


def test_a_platform_that_makes_no_columns_gets_none(services: Services) -> None:
    [item] = sent(services, choosing(services, accept_lineitem=False), LINE)[DL + "content_items"]
    assert "lineItem" not in item


def test_data_is_given_back_only_where_there_was_some(services: Services) -> None:
    assert DL + "data" not in sent(services, choosing(services, data=None), LINE)
    assert sent(services, choosing(services, data=""), LINE)[DL + "data"] == ""


def test_several_are_sent_only_where_several_are_taken(services: Services) -> None:
    several = choosing(services, accept_multiple=True)
    assert len(sent(services, several, LINE, OPEN)[DL + "content_items"]) == 2
    with pytest.raises(LaunchRefused) as caught:
        sent(services, choosing(services), LINE, OPEN)
    assert caught.value.text == "lti-choice-one"


@pytest.mark.parametrize("several", [True, False])
def test_truth_may_be_said_in_words(services: Services, several: bool) -> None:
    word = "true" if several else "false"
    wanted = choosing(services, accept_multiple=word, accept_lineitem=word).choice
    assert wanted is not None
    assert (wanted.multiple, wanted.line_items) == (several, several)


def test_choosing_nothing_is_an_answer(services: Services) -> None:
    assert sent(services, choosing(services))[DL + "content_items"] == []


def test_a_learner_who_opens_an_exercise_chooses_none(services: Services) -> None:
    with pytest.raises(LaunchRefused) as caught:
        sent(services, Visit(services.door).receive(), LINE)
    assert caught.value.text == "lti-choice-unasked"


def test_what_was_chosen_comes_back_with_the_link(services: Services) -> None:
    [item] = sent(services, choosing(services), LINE)[DL + "content_items"]
    visit = Visit(services.door, target_link_uri=item["url"])
    visit.claims |= {LTI + "target_link_uri": item["url"], LTI + "custom": item["custom"]}
    launch = visit.receive()
    assert TOOL.exercise_meant(launch.target, launch.custom) == "linear_regression"
    assert launch.custom["attempts"] == "3"
