"""Who is not let in from a learning platform, over HTTP; and what everybody who is let in sees of others: nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.lti_visit import CLIENT, LTI
from tests.web import NOTEBOOK, Browser, grade_next
from tests.web_lti import FRAMES, LMS, OTHER_COURSE, TEACHER, Lms

# ---- not let in ---------------------------------------------------------------------------------

BAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "another issuer": ({"iss": "https://evil.example"}, 401, "from another course site"),
    "another audience": ({"aud": "other"}, 401, "for another service"),
    "too old": ({"iat": 1_000_000_000, "exp": 1_000_000_060}, 401, "too old"),
    "another nonce": ({"nonce": "x"}, 401, "of another visit"),
    "unknown deployment": ({LTI + "deployment_id": "99"}, 403, "not registered here"),
    "another target": ({LTI + "target_link_uri": "https://evil.example/"}, 403, "changed its mind"),
    "another version": ({LTI + "version": "1.1"}, 400, "another version of LTI"),
    "unknown message": ({LTI + "message_type": "LtiSubmissionReviewRequest"}, 400, "not done here"),
    "nobody": ({"sub": None}, 400, "lacks"),
    "no role": ({LTI + "roles": []}, 403, "neither that you learn"),
    "no exercise": ({LTI + "custom": {}}, 400, "does not say which exercise"),
    "unknown exercise": ({LTI + "custom": {"exercise": "nothing"}}, 400, "no exercise"),
    "malformed points": ({LTI + "custom": {"exercise": "linear_regression", "points": "-1"}}, 400, "points=-1"),
    "malformed deadline": ({LTI + "custom": {"exercise": "linear_regression", "deadline": "soon"}}, 400, "soon"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_is_refused_in_words_that_the_frame_shows(lms: Lms, what: str) -> None:
    claims, status, words = BAD[what]
    browser = lms.pages.browser()
    answer = lms.comes(browser, claims)
    assert answer.status_code == status
    assert words in answer.text
    assert FRAMES in answer.headers["content-security-policy"]
    assert browser.get("/course").url.path == "/"


def test_a_forged_signature_is_refused(lms: Lms) -> None:
    browser = lms.pages.browser()
    form = lms.form(lms.login(browser).headers["location"])
    said, _, _ = form["id_token"].rpartition(".")
    forged = said + "." + lms.form(lms.login(browser).headers["location"])["id_token"].rpartition(".")[2]
    answer = browser.post("/lti/launch", data=form | {"id_token": forged}, headers=LMS)
    assert (answer.status_code, "signature" in answer.text) == (401, True)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        *(({"iss": "https://evil.example"}, 403), ({"client_id": "x"}, 403), ({"login_hint": ""}, 400)),
        *(({"target_link_uri": "https://evil.example"}, 400), ({"lti_deployment_id": "99"}, 403)),
    ],
)
def test_a_login_from_elsewhere_is_refused(lms: Lms, changed: dict[str, str], status: int) -> None:
    assert lms.login(lms.pages.browser(), **changed).status_code == status


def test_a_launch_is_let_in_once_and_in_its_own_browser(lms: Lms) -> None:
    browser = lms.pages.browser()
    form = lms.form(lms.login(browser).headers["location"])
    assert lms.pages.browser().post("/lti/launch", data=form, headers=LMS).status_code == 403
    form = lms.form(lms.login(browser).headers["location"])
    assert browser.post("/lti/launch", data=form, headers=LMS).status_code == 200
    again = browser.post("/lti/launch", data=form, headers=LMS)
    assert (again.status_code, "used already" in again.text) == (403, True)


def test_of_two_who_bring_one_state_at_once_one_is_let_in(lms: Lms) -> None:
    browser = lms.pages.browser()
    form = lms.form(lms.login(browser).headers["location"])
    cookies = dict(browser.http.cookies)

    def post(_: int) -> int:
        other = lms.pages.browser()
        other.http.cookies.update(cookies)
        return other.post("/lti/launch", data=form, headers=LMS, follow_redirects=False).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(post, range(2))) == [303, 403]


def test_a_platform_that_cannot_be_reached_is_no_fault_of_ours(lms: Lms) -> None:
    lms.site.answers.pop("GET /jwks")
    answer = lms.comes(lms.pages.browser())
    assert (answer.status_code, "cannot be fetched" in answer.text) == (401, True)


# ---- who may see what ---------------------------------------------------------------------------

EXPECTED = {
    "/course": (303, 200, 200, 200, 200),
    "/assignments/1": (303, 200, 200, 200, 404),
    "/attempts/1": (303, 200, 404, 200, 404),
    "/attempts/1/report": (303, 200, 404, 200, 404),
    "/attempts/1/file": (303, 200, 404, 200, 404),
    "/assignments/1/class": (303, 403, 403, 200, 404),
    "/assignments/1/class/grades.csv": (303, 403, 403, 200, 404),
}


def test_everybody_sees_what_is_theirs_and_nothing_else(lms: Lms) -> None:
    claims: list[dict[str, Any]] = [{}, {"sub": "learner-2"}, TEACHER, TEACHER | OTHER_COURSE]
    people: list[Browser] = [lms.pages.browser() for _ in range(5)]
    for browser, said in zip(people[1:], claims, strict=True):
        lms.comes(browser, said)
    form = {"csrf": people[1].csrf("/course")}
    people[1].post("/assignments/1/attempts", data=form, files={"file": ("a.ipynb", NOTEBOOK)})
    grade_next(lms.store, 7)
    found = {
        path: tuple(browser.get(path, follow_redirects=False).status_code for browser in people)
        for path in EXPECTED
    }
    assert found == EXPECTED


def test_our_keys_are_published(lms: Lms) -> None:
    answer = lms.pages.browser().get("/lti/keys")
    assert answer.headers["content-type"] == "application/json"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}
    assert CLIENT not in answer.text
