"""What each request has to pass, and what surrounds every answer: forms of other sites, hosts, headers, rates."""

import json
import re

import pytest

from grader.web.languages import preferred
from grader.web.rates import BY_VISIT, MOST_KEPT, Rate, Rates, origin
from grader.web.store.store import Store
from tests.test_web_who import EXPECTED
from tests.web import OTHER, Pages, School, grade_next, learner_in, teacher_in


@pytest.mark.parametrize(
    "path", ["/attempts/999", f"/attempts/{10**30}", f"/assignments/{2**63}", "/nothing"]
)
def test_what_is_not_there_is_told_in_words(pages: Pages, store: Store, path: str) -> None:
    answer = learner_in(pages, School(store)).get(path)
    assert answer.status_code == 404
    assert "There is no such page here." in answer.text


def test_an_address_that_is_used_otherwise_is_told_in_words(pages: Pages) -> None:
    answer = pages.browser().get("/enter")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert "not used that way" in answer.text


# ---- forms of other sites -----------------------------------------------------------------------

FORMS = [
    path
    for method, path in EXPECTED
    if method == "POST" and path.startswith(("/leave", "/assign", "/attempts", "/regrades"))
]


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_another_site_does_nothing(pages: Pages, store: Store, path: str, token: str) -> None:
    school = School(store)
    enter = learner_in if path.endswith(("attempts", "leave")) else teacher_in
    browser = enter(pages, school)
    files = {"file": ("b.ipynb", OTHER)} if path.endswith("attempts") else None
    answer = browser.post(path.format(student="x"), data={"csrf": token}, files=files)
    assert answer.status_code == 403
    assert "This form is too old" in answer.text
    assert browser.get("/course").url.path == "/course"
    assert pages.queued == 0


def test_a_form_is_worth_nothing_in_another_browser(pages: Pages, store: Store) -> None:
    School(store)
    one, other = pages.browser(), pages.browser()
    form = {"csrf": one.csrf("/"), "code": "dl101", "name": "Ann"}
    other.get("/")
    assert other.post("/enter", data=form).status_code == 403
    assert pages.browser().post("/enter", data=form).status_code == 403  # without any cookie


# ---- what surrounds every answer ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nothing", "/enter", "/static/style.css", "/healthz"])
def test_every_answer_says_what_a_browser_may_do_with_it(pages: Pages, path: str) -> None:
    headers = pages.browser().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "strict-transport-security" not in headers


def test_a_report_runs_nothing_and_is_framed_by_us_alone(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    browser.upload(school.asked, name="<img src=x onerror=alert(1)>.ipynb")
    grade_next(store, 7)
    answer = browser.get("/attempts/1/report")
    assert "<img src=x" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy


def test_nothing_in_a_page_runs_inline_or_comes_from_elsewhere(pages: Pages, store: Store) -> None:
    browser = learner_in(pages, School(store))
    for path in ("/", "/course", "/assignments/1", "/nothing"):
        text = browser.get(path).text
        assert not re.search(r"\son\w+=|style=|<style|javascript:|(?:src|href)=\"(?:https?:)?//", text)
        assert re.findall(r"<script[^>]*>(.*?)</script>", text) == [""]


def test_the_cookie_is_kept_from_scripts_and_other_sites(pages: Pages) -> None:
    cookie = pages.browser().get("/").headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.split("; "))


def test_behind_https_the_cookie_is_sent_by_nothing_else(store: Store) -> None:
    School(store)
    pages = Pages(store, secure=True)
    browser = pages.browser()
    answer = browser.get("/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-grader=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"]
    assert "shown only now" in browser.enter("dl101", "Ann")


@pytest.mark.parametrize("host", ["evil.example", "", "localhost.evil.example", "[::1", "a b"])
def test_a_name_of_somebody_else_is_not_answered(pages: Pages, host: str) -> None:
    browser = pages.browser()
    assert browser.get("/", headers={"host": host}).status_code == 421
    assert browser.get("/healthz", headers={"host": host}).status_code == 200  # monitors ask by any


def test_no_address_leads_elsewhere(pages: Pages, store: Store) -> None:
    browser = learner_in(pages, School(store))
    for path in ("//evil.example", "/course?next=https://evil.example", "/?language=//evil.example"):
        answer = browser.get(path, follow_redirects=False)
        assert "evil" not in answer.headers.get("location", "")
        assert 'href="//' not in answer.text


# ---- how often ----------------------------------------------------------------------------------


def test_who_guesses_codes_has_to_wait(pages: Pages, store: Store) -> None:
    School(store)
    browser = pages.browser()
    form = {"csrf": browser.csrf("/"), "code": "guess", "name": "x"}
    statuses = [browser.post("/enter", data=form).status_code for _ in range(25)]
    assert statuses.index(429) == 20
    answer = browser.post("/enter", data=form)
    assert int(answer.headers["retry-after"]) >= 1
    assert "too often" in answer.text
    assert pages.browser("192.0.2.7").get("/").status_code == 200


def test_who_hands_in_without_pause_has_to_wait(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    most = int(BY_VISIT["upload"].at_once)
    statuses = [browser.upload(school.asked, OTHER + b" " * n)[0] for n in range(most + 1)]
    assert statuses == [200] * most + [429]


def test_a_bucket_fills_up_again() -> None:
    seconds = [0.0]
    rates = Rates(lambda: seconds[0])
    rate = Rate(2, 0.5)
    assert [rates.take("a", "ann", rate) for _ in range(3)] == [0, 0, 2]
    assert rates.take("a", "bob", rate) == rates.take("b", "ann", rate) == 0
    seconds[0] = 2.0
    assert [rates.take("a", "ann", rate) for _ in range(2)] == [0, 2]
    for number in range(MOST_KEPT + 5):
        rates.take("a", str(number), rate)
    assert rates.take("a", "ann", rate) == 0  # forgotten, for want of room


def test_an_address_stands_for_its_network() -> None:
    assert origin("192.0.2.1") != origin("192.0.2.2")
    assert origin("2001:db8::1") == origin("2001:db8::ffff:2") != origin("2001:db8:1::1")
    assert origin("unknown") == "unknown"


# ---- languages, monitors, logs ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        *(("", "en"), ("zh", "zh"), ("zh-TW,en;q=0.5", "zh"), ("en,zh", "en"), ("de, zh;q=0.2", "zh")),
        *(("zh;q=0.1,en;q=0.9", "en"), ("*", "en"), ("zh;q=x", "en"), (",;,q=,;q=", "en")),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(header: str, language: str) -> None:
    assert preferred(header) == language


def test_monitors_are_told(store: Store) -> None:
    pages = Pages(store)
    browser = pages.browser()
    assert browser.get("/healthz").text == "alive\n"
    assert browser.get("/readyz").text == "ready\n"
    assert Pages(store, ready=False).browser().get("/readyz").status_code == 503
    numbers = browser.get("/metrics").text
    assert 'grader_requests_total{method="GET",route="/healthz",status="200"} 1.0' in numbers
    assert 'grader_jobs{state="queued"} 0.0' in numbers
    assert pages.browser("192.0.2.7").get("/metrics").status_code == 404


def test_the_log_has_a_line_for_each_request_and_nothing_of_a_person(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school, "Ann Onymous")
    browser.upload(school.asked, name="secret-name.ipynb")
    lines = [json.loads(line) for line in pages.log.getvalue().splitlines()]
    assert {line["event"] for line in lines} == {"request"}
    assert {"/attempts/{attempt:int}", "/enter"} <= {line["route"] for line in lines}
    for secret in ("Onymous", "secret-name", "127.0.0.1", school.code, browser.http.cookies["grader"]):
        assert secret not in pages.log.getvalue()


def test_a_fault_of_ours_is_told_in_words_and_noted(pages: Pages, store: Store) -> None:
    school = School(store)
    browser = learner_in(pages, school)
    browser.upload(school.asked)
    for path in store.files.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    answer = browser.get("/attempts/1/file")
    assert answer.status_code == 503
    assert str(store.files.folder) not in answer.text
    assert '"error": "file-store-lost"' in pages.log.getvalue()
