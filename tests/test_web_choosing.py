"""A teacher chooses exercises for a course of a learning platform, and the answer goes back there, signed."""

import html
import re

import jwt

from tests.lti_visit import CLIENT, ISSUER, SETTINGS
from tests.web_lti import CHOOSE, FRAMES, TEACHER, Lms

ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
DATA = "https://purl.imsglobal.org/spec/lti-dl/claim/data"


def test_a_choice_goes_back_with_what_the_link_has_to_say(lms: Lms) -> None:
    browser = lms.pages.browser()
    shown = lms.comes(browser, TEACHER | CHOOSE)
    assert (shown.status_code, shown.url.path) == (200, "/lti/choices/1")
    assert 'type="radio"' in shown.text
    form = {
        "csrf": browser.csrf("/lti/choices/1"),
        "exercise": "linear_regression",
        "points": "20",
        "attempts": "3",
        "deadline": "2099-12-24T18:00",
    }
    assert browser.post("/lti/choices/1", data=form | {"points": "many"}).status_code == 422
    answer = browser.post("/lti/choices/1", data=form)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert f"form-action 'self' {ISSUER} " in policy
    assert FRAMES in policy
    assert f'action="{ISSUER}/return"' in answer.text
    found = re.search(r'name="JWT" value="([^"]*)"', answer.text)
    assert found is not None
    token = html.unescape(found[1])
    published = jwt.PyJWKSet.from_dict(browser.get("/lti/keys").json())
    key = published[str(jwt.get_unverified_header(token)["kid"])]
    claims = jwt.decode(token, key, ["RS256"], audience=ISSUER)
    assert (claims["iss"], claims[DATA]) == (CLIENT, "opaque=1&x")
    (item,) = claims[ITEMS]
    custom = {
        "exercise": "linear_regression",
        "points": "20",
        "attempts": "3",
        "deadline": "2099-12-24T18:00:00.000+00:00",
    }
    assert (item["url"], item["custom"], item["lineItem"]["scoreMaximum"]) == (lms.tool.launch, custom, 20)
    assert browser.post("/lti/choices/1", data=form).status_code == 404  # once


def test_several_are_chosen_where_the_platform_takes_several(lms: Lms) -> None:
    browser = lms.pages.browser()
    several = CHOOSE | {SETTINGS: CHOOSE[SETTINGS] | {"accept_multiple": True}}
    assert 'type="checkbox"' in lms.comes(browser, TEACHER | several).text
    form = {"csrf": browser.csrf("/lti/choices/1"), "exercise": ["linear_regression", "temperature"]}
    assert "JWT" in browser.post("/lti/choices/1", data=form).text


def test_more_than_one_is_told_where_one_is_taken(lms: Lms) -> None:
    browser = lms.pages.browser()
    lms.comes(browser, TEACHER | CHOOSE)
    form = {"csrf": browser.csrf("/lti/choices/1"), "exercise": ["linear_regression", "temperature"]}
    answer = browser.post("/lti/choices/1", data=form)
    assert (answer.status_code, "一次只能添加一个练习" in answer.text) == (422, True)


def test_learners_choose_nothing_and_nobody_anothers(lms: Lms) -> None:
    assert lms.comes(lms.pages.browser(), CHOOSE).status_code == 403
    lms.comes(lms.pages.browser(), TEACHER | CHOOSE)
    other = lms.pages.browser()
    lms.comes(other, TEACHER | CHOOSE | {"sub": "teacher-2"})
    assert other.get("/lti/choices/1").status_code == 404
    assert other.get("/lti/choices/2").status_code == 200
