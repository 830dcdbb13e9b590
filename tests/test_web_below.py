"""The service below a path of a host that has other things too: its addresses, its cookies, and the web server in front of it."""

import re
from collections.abc import Iterator
from importlib import resources

import pytest

from grader.errors import UsageError
from grader.web.hub import Where, where
from grader.web.store.store import Store
from tests.lti_site import Site, in_json, serving
from tests.lti_visit import ISSUER
from tests.test_web_roster import member
from tests.web import OTHER, Browser, Pages, School, grade_next, learner_in, teacher_in
from tests.web_lti import CHOOSE, LMS, TEACHER, Lms

ROOT = "/services/grader"
ADDRESS = f"https://localhost{ROOT}"
LINK = re.compile(r'(?:href|src|action|data-events)="([^"#][^"]*)"')


@pytest.fixture
def pages(store: Store) -> Pages:
    return Pages(store, secure=True, address=ADDRESS)


def links(page: str) -> set[str]:
    """Where a page leads to on its own host, and what it asks there."""
    return {link for link in LINK.findall(page) if not link.startswith(("data:", "http"))}


def walk(browser: Browser, *paths: str) -> None:
    """Everything that these pages lead to is there, and lies below the root; so does what that leads to."""
    todo, seen = list(paths), set[str]()
    while todo:
        answer = browser.get(todo.pop())
        assert answer.status_code == 200, answer.url
        assert answer.url.path.startswith(ROOT)
        kind = answer.headers["content-type"]
        for link in links(answer.text) if kind.startswith("text/html") else ():
            assert link.startswith(f"{ROOT}/") or "/" not in link or link.startswith("reports/"), link
            path = link.removeprefix(ROOT).partition("?")[0]
            if path not in seen and path.startswith("/") and path not in POSTED and not FORM.search(path):
                seen.add(path)
                todo.append(path)


POSTED = {"/leave", "/enter"}
FORM = re.compile(r"/(?:attempts|override|deliveries|events)$")


def test_no_template_has_an_address_at_the_root_of_the_host() -> None:
    for template in resources.files("grader.web").joinpath("templates").iterdir():
        assert not re.search(r'="/', template.read_text("utf-8")), template.name


def test_every_page_leads_to_what_is_below_the_path(pages: Pages, store: Store) -> None:
    school = School(store)
    ann, teacher = learner_in(pages, school), teacher_in(pages, school)
    assert ann.upload(school.asked)[:2] == (200, f"{ROOT}/attempts/1")
    grade_next(store, 7)
    assert f'data-events="{ROOT}/attempts/2/events"' in ann.upload(school.asked, OTHER)[2]
    walk(ann, "/", "/course", "/attempts/2")
    walk(teacher, "/course", "/assignments/1/class")
    assert ann.get("/attempts/1/report").status_code == 200
    assert pages.browser().get("/course").url.path == f"{ROOT}/"
    assert ann.get("/nothing").text.count(f'href="{ROOT}/"') == 2


def test_cookies_are_sent_to_nothing_else_on_the_host(pages: Pages, store: Store) -> None:
    School(store)
    browser = pages.browser()
    cookie = browser.get("/?language=zh").headers.get_list("set-cookie")
    assert len(cookie) == 2
    assert all(f"Path={ROOT};" in f"{one};" for one in cookie)
    assert any(one.startswith("__Secure-grader=") for one in cookie)
    assert "__Host-" not in "".join(cookie)
    browser.enter("dl101", "Ann")
    browser.post("/leave", data={"csrf": browser.csrf("/course")})
    assert "__Secure-grader" not in [name for name, value in browser.http.cookies.items() if not value]
    assert browser.get("/course").url.path == f"{ROOT}/"


@pytest.fixture
def lms(pages: Pages) -> Iterator[Lms]:
    with serving() as site:
        yield Lms(site, pages)


def test_people_come_from_a_learning_platform(lms: Lms) -> None:
    browser = lms.pages.browser()
    framed = {"sec-fetch-dest": "iframe"}
    assert lms.tool.launch == f"{ADDRESS}/lti/launch"
    login = browser.post("/lti/login", data=lms.announced(), headers=framed)
    assert f"Path={ROOT}/lti/;" in login.headers["set-cookie"]
    again = re.search(r'href="([^"]*)" target="_blank"', login.text)
    assert again is not None
    assert again[1].startswith(f"{ROOT}/lti/login?")
    form = lms.form(lms.login(browser).headers["location"])
    let_in = browser.post("/lti/launch", data=form, headers=LMS, follow_redirects=False)
    assert let_in.headers["location"] == f"{ROOT}/assignments/1"
    cookie = let_in.headers["set-cookie"]
    assert cookie.startswith("__Secure-grader-framed=")
    assert {f"Path={ROOT}", "Partitioned"} <= set(cookie.split("; "))
    assert f"frame-ancestors {ISSUER}" in browser.get("/course").headers["content-security-policy"]
    browser.post("/leave", data={"csrf": browser.csrf("/course")})
    assert browser.get("/course").url.path == f"{ROOT}/"


def test_teachers_of_a_learning_platform_find_what_is_theirs(lms: Lms) -> None:
    site: Site = lms.site
    site.answers["POST /token"] = lambda _: in_json({"access_token": "t", "expires_in": 3600})
    site.answers["GET /members"] = lambda _: in_json({"members": [member("learner-2", "Bo")]})
    teacher = lms.pages.browser()
    assert lms.comes(teacher, TEACHER).url.path == f"{ROOT}/assignments/1/class"
    walk(teacher, "/course")
    choosing = lms.comes(teacher, TEACHER | CHOOSE)
    assert f'action="{ROOT}/lti/choices/1"' in choosing.text
    form = {"csrf": teacher.csrf("/lti/choices/1"), "exercise": "linear_regression"}
    assert f'action="{ISSUER}/return"' in teacher.post("/lti/choices/1", data=form).text


# ---- where it is --------------------------------------------------------------------------------

HUB = {
    "JUPYTERHUB_SERVICE_NAME": "grader",
    "JUPYTERHUB_SERVICE_PREFIX": f"{ROOT}/",
    "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
}


def test_a_hub_says_where_its_service_is() -> None:
    public = HUB | {"JUPYTERHUB_PUBLIC_URL": f"https://hub.example.org{ROOT}/"}
    assert where(None, None, None, public) == Where("127.0.0.1", 10101, f"https://hub.example.org{ROOT}/")
    asked = where("0.0.0.0", 80, "https://grader.example.org", public)
    assert asked == Where("0.0.0.0", 80, "https://grader.example.org")
    with pytest.raises(UsageError, match="service-hub-unsaid"):
        where(None, None, None, HUB)


def test_a_learners_own_server_on_a_hub_is_no_service() -> None:
    own = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ann/", "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:5"}
    assert where(None, None, None, own) == where(None, None, None, {}) == Where("127.0.0.1", 8000, None)
