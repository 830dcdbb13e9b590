"""The way in from a learning platform, over HTTP: who is let in to what, by which cookies, in which frames."""

import re

from tests.lti_visit import IN_COURSE, ISSUER, LTI
from tests.web import NOTEBOOK, grade_next
from tests.web_lti import FRAMES, LMS, OTHER_COURSE, TEACHER, Lms

# ---- let in -------------------------------------------------------------------------------------


def test_a_learner_is_led_to_the_assignment_in_their_own_language(lms: Lms) -> None:
    browser = lms.pages.browser(language="en")
    answer = lms.comes(browser)
    assert (answer.status_code, answer.url.path) == (200, "/assignments/1")
    assert 'lang="zh-Hans"' in answer.text  # the platform's locale
    assert "Wei Li" in answer.text
    assert "Machine learning" in answer.text
    assert 'lang="en"' in browser.get("/course?language=en").text
    assert 'lang="en"' in browser.get("/course").text


def test_a_teacher_is_led_to_the_class(lms: Lms) -> None:
    lms.comes(lms.pages.browser())
    answer = lms.comes(lms.pages.browser(), TEACHER)
    assert (answer.status_code, answer.url.path) == (200, "/assignments/1/class")
    assert "Wei Li" in answer.text


def test_who_comes_again_is_the_same_with_the_role_of_today(lms: Lms) -> None:
    browser = lms.pages.browser()
    lms.comes(browser)
    lms.comes(browser, {"name": "Li Wei"})
    teacher = lms.pages.browser()
    shown = lms.comes(teacher, TEACHER).text
    assert shown.count("/students/") == 1
    assert "Li Wei" in shown
    lms.comes(browser, {LTI + "roles": [f"{IN_COURSE}#Instructor"]})
    assert browser.get("/assignments/1/class").status_code == 200
    lms.comes(browser)
    assert browser.get("/assignments/1/class").status_code == 403


def test_a_link_says_how_its_exercise_is_asked_for(lms: Lms) -> None:
    custom = {"exercise": "linear_regression", "points": "20", "attempts": 2, "deadline": "2099-01-01T00:00Z"}
    browser = lms.pages.browser()
    shown = lms.comes(
        browser, {LTI + "custom": custom, LTI + "launch_presentation": {"locale": "en-GB"}}
    ).text
    assert "2099-01-01 00:00 UTC" in shown
    assert "0 of 2" in shown
    again = {"exercise": "linear_regression", "attempts": "$ResourceLink.attempts"}
    assert "0 of 2" not in lms.comes(browser, {LTI + "custom": again}).text
    other = {LTI + "custom": custom, LTI + "resource_link": {"id": "link-2"}}
    assert lms.comes(browser, other).url.path == "/assignments/2"  # the same exercise, by a link of its own
    assert ["2099-01-01" in browser.get(f"/assignments/{number}").text for number in (1, 2)] == [False, True]


def test_two_courses_of_a_platform_are_two_courses_here(lms: Lms) -> None:
    assert lms.comes(lms.pages.browser()).url.path == "/assignments/1"
    assert lms.comes(lms.pages.browser(), OTHER_COURSE).url.path == "/assignments/2"


def test_a_link_outside_of_a_course_is_let_in(lms: Lms) -> None:
    assert lms.comes(lms.pages.browser(), {LTI + "context": None}).status_code == 200


# ---- cookies and frames -------------------------------------------------------------------------


def test_cookies_are_kept_in_frames_and_from_everything_else(lms: Lms) -> None:
    browser = lms.pages.browser()
    login = lms.login(browser)
    assert login.status_code == 303
    answer = browser.post(
        "/lti/launch", data=lms.form(login.headers["location"]), headers=LMS, follow_redirects=False
    )
    assert answer.status_code == 303
    for cookie, path in ((login.headers["set-cookie"], "/lti/"), (answer.headers["set-cookie"], "/")):
        said = set(cookie.split("; "))
        assert {f"Path={path}", "HttpOnly", "SameSite=None", "Secure", "Partitioned"} <= said
    assert answer.headers["set-cookie"].startswith("__Host-grader-framed=")


def test_the_platform_alone_may_frame_what_is_for_its_people(lms: Lms) -> None:
    browser = lms.pages.browser()
    answer = lms.comes(browser)
    browser.post(
        "/assignments/1/attempts",
        data={"csrf": browser.csrf("/course")},
        files={"file": ("a.ipynb", NOTEBOOK)},
    )
    grade_next(lms.store, 7)
    for path in ("/assignments/1", "/attempts/1", "/nothing-here", "/assignments/77", "/course"):
        headers = browser.get(path).headers
        if path != "/nothing-here":  # it is nobody's page
            assert FRAMES in headers["content-security-policy"]
            assert "x-frame-options" not in headers
    report = browser.get("/attempts/1/report").headers["content-security-policy"]
    assert f"frame-ancestors 'self' {ISSUER} https://apps.example.org" in report
    assert answer.status_code == 200
    plain = lms.pages.browser().get("/").headers
    assert "frame-ancestors 'none'" in plain["content-security-policy"]
    assert plain["x-frame-options"] == "DENY"


def test_forms_work_in_the_frame_and_need_a_page_of_ours(lms: Lms) -> None:
    browser = lms.pages.browser()
    lms.comes(browser)
    files = {"file": ("a.ipynb", NOTEBOOK)}
    assert browser.post("/assignments/1/attempts", data={"csrf": "0" * 64}, files=files).status_code == 403
    sent = browser.post("/assignments/1/attempts", data={"csrf": browser.csrf("/course")}, files=files)
    assert sent.url.path == "/attempts/1"
    browser.post("/leave", data={"csrf": browser.csrf("/course")})
    assert browser.get("/course").url.path == "/"


def test_in_a_frame_a_page_looks_for_cookies_first(lms: Lms) -> None:
    browser = lms.pages.browser()
    said = lms.announced(lti_storage_target="_parent")
    answer = browser.post(
        "/lti/login", data=said, headers={"sec-fetch-dest": "iframe"}, follow_redirects=False
    )
    assert answer.status_code == 200
    assert FRAMES in answer.headers["content-security-policy"]
    data = dict(re.findall(r'data-(\w+)="([^"]*)"', answer.text))
    assert (data["frame"], data["origin"]) == ("_parent", ISSUER)
    assert data["arriving"].startswith(f"{ISSUER}/auth?")
    again = re.search(r'href="(/lti/login\?[^"]*)" target="_blank"', answer.text)
    assert again is not None
    assert "storage" not in again[1]
    assert browser.get(again[1].replace("&amp;", "&"), follow_redirects=False).status_code == 303


def test_pages_on_the_way_lead_nowhere_that_a_frame_does_not_show(lms: Lms) -> None:
    framed = {"sec-fetch-dest": "iframe"}
    browser = lms.pages.browser()
    for answer in (
        browser.post("/lti/login", data=lms.announced(), headers=framed),
        browser.post("/lti/login", data=lms.announced(iss="https://elsewhere.example"), headers=framed),
        lms.comes(browser, {LTI + "version": "2"}),
        browser.get("/lti/register?invitation=none"),
    ):
        assert not re.search(r'href="/(?!static|lti/login\?)', answer.text), answer.text


def test_who_is_signed_out_in_the_frame_is_told_to_come_again(lms: Lms) -> None:
    browser = lms.pages.browser()
    lms.comes(browser)
    left = browser.post("/leave", data={"csrf": browser.csrf("/course")})
    assert (left.status_code, "从课程中重新打开" in left.text) == (200, True)
    late = browser.get("/assignments/1", headers={"sec-fetch-dest": "iframe"}, follow_redirects=False)
    assert (late.status_code, "from the course again" in late.text) == (401, True)
    for answer in (left, late):
        assert FRAMES in answer.headers["content-security-policy"]
        assert 'href="/"' not in answer.text


def test_without_cookies_the_platform_is_asked_and_the_visit_goes_on_in_a_new_tab(lms: Lms) -> None:
    framed = {"sec-fetch-dest": "iframe"}
    said = lms.announced(lti_storage_target="_parent")
    first = lms.pages.browser().post("/lti/login", data=said, headers=framed).text
    data = {name: value.replace("&amp;", "&") for name, value in re.findall(r'data-(\w+)="([^"]*)"', first)}
    form = lms.form(data["arriving"])
    asking = lms.pages.browser().post("/lti/launch", data=form, headers=LMS)
    assert f'data-key="{data["key"]}"' in asking.text
    assert data["value"] not in asking.text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asking.text))
    ours = {"origin": "https://localhost"}
    shown = lms.pages.browser().post("/lti/launch", data=fields | {"kept": data["value"]}, headers=ours)
    assert shown.status_code == 200
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    elsewhere = lms.pages.browser().post(
        "/lti/enter", data=fields, headers={"origin": "https://evil.example"}
    )
    assert elsewhere.status_code == 403
    tab = lms.pages.browser()
    assert tab.post("/lti/enter", data=fields, headers=ours).url.path == "/assignments/1"


def test_another_site_cannot_bring_a_secret_of_its_own(lms: Lms) -> None:
    thief = lms.pages.browser()
    login = lms.login(thief, lti_storage_target="_parent")
    page = login.text  # without Sec-Fetch-Dest, where storage is offered: a page
    data = {name: value.replace("&amp;", "&") for name, value in re.findall(r'data-(\w+)="([^"]*)"', page)}
    form = lms.form(data["arriving"]) | {"kept": data["value"]}
    victim = lms.pages.browser()
    victim.post("/lti/launch", data=form, headers={"origin": "https://evil.example"})
    assert victim.get("/course").url.path == "/"
