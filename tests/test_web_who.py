"""Who may see what: every address by everybody, with what is theirs and with what is another's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.routing import Mount, Route

from grader.lms.lti.records import ChoiceWanted, Launch, Platform
from grader.web.app import routes
from grader.web.store import people, platforms
from grader.web.store.store import Store
from grader.web.store.tables import Context, Person
from tests.stores import new_store
from tests.web import OTHER, Browser, Pages, School, grade_next, learner_in, teacher_in
from tests.web_taught import FORM, TAUGHT

AWAY = "http://127.0.0.1:1"  # nobody listens there
WHO = ("anonymous", "signed out", "owner", "classmate", "teacher", "stranger", "strange teacher")
# What each gets, in the order of WHO. Ann owns attempt 1 at assignment 1, and the teacher of her course chooses exercises for it on a
# platform that is away (502); strangers are in another course.
OURS = {
    ("GET", "/"): (200, 200, 303, 303, 303, 303, 303),
    ("GET", "/course"): (303, 303, 200, 200, 200, 200, 200),
    ("GET", "/own"): (303, 303, 200, 200, 403, 200, 403),
    ("GET", "/own/copy"): (303, 303, 200, 200, 403, 200, 403),
    ("GET", "/assignments/1"): (303, 303, 200, 200, 200, 404, 404),
    ("GET", "/assignments/1/starter"): (303, 303, 200, 200, 200, 404, 404),
    ("POST", "/assignments/1/attempts"): (401, 401, 303, 303, 403, 404, 403),
    ("GET", "/attempts/1"): (303, 303, 200, 404, 200, 404, 404),
    ("GET", "/attempts/1/events"): (401, 401, 200, 404, 200, 404, 404),
    ("GET", "/attempts/1/report"): (303, 303, 200, 404, 200, 404, 404),
    ("GET", "/attempts/1/file"): (303, 303, 200, 404, 200, 404, 404),
    ("GET", "/assignments/1/class/missing"): (303, 303, 403, 403, 502, 403, 404),
    ("POST", "/assignments/1/class/deliveries"): (401, 401, 403, 403, 303, 403, 404),
    ("GET", "/lti/choices/1"): (303, 303, 403, 403, 200, 403, 404),
    ("POST", "/lti/choices/1"): (401, 401, 403, 403, 200, 403, 404),
    **{asked: (given[0], *given) for asked, given in TAUGHT.items()},
}
# What leads nowhere without a platform that sends somebody, and what everybody may ask.
ANYBODYS = {
    ("GET", "/lti/register"): 403,
    ("GET", "/lti/login"): 400,
    ("POST", "/lti/login"): 400,
    ("POST", "/lti/launch"): 400,
    ("POST", "/lti/enter"): 403,
    ("GET", "/lti/keys"): 200,
    ("GET", "/healthz"): 200,
    ("GET", "/favicon.ico"): 204,
    ("GET", "/readyz"): 200,
    ("GET", "/metrics"): 200,
}
LAST = {
    ("POST", "/leave"): (401, 401, 303, 303, 303, 303, 303),
    ("POST", "/enter"): (422,) * len(WHO),
}
EXPECTED = {**OURS, **{asked: (status,) * len(WHO) for asked, status in ANYBODYS.items()}, **LAST}
# What the teacher of one course and the learner of another get where one number is their own and the other is not.
CROSSED = {
    ("GET", "/assignments/1/students/{stranger}"): 404,
    ("GET", "/assignments/2/students/{student}"): 404,
    ("GET", "/assignments/2/students/{stranger}"): 404,
    ("GET", "/assignments/1/class/reports/{stranger}.html"): 404,
    ("POST", "/assignments/1/students/{stranger}/override"): 404,
    ("POST", "/assignments/2/students/{student}/override"): 404,
    ("GET", "/assignments/2/class/grades.csv"): 404,
    ("GET", "/attempts/2"): 404,
    ("GET", "/attempts/2/file"): 404,
    ("GET", "/lti/choices/2"): 404,
    ("POST", "/lti/choices/2"): 404,
}


class Town:
    """Two courses, everybody in them, and what they own."""

    def __init__(self, store: Store) -> None:
        self.pages = Pages(store)
        school, other = School(store), School(store, "other")
        self.people: dict[str, Browser] = {
            "anonymous": self.pages.browser(),
            "signed out": learner_in(self.pages, school, "Zoe"),
            "owner": learner_in(self.pages, school, "Ann"),
            "classmate": learner_in(self.pages, school, "Bob"),
            "teacher": teacher_in(self.pages, school),
            "stranger": learner_in(self.pages, other, "Cy"),
            "strange teacher": teacher_in(self.pages, other),
        }
        self._sign_out(self.people["signed out"])
        self.people["owner"].upload(school.asked)
        self.people["stranger"].upload(other.asked, OTHER)
        for _ in range(2):
            grade_next(store, 7)
        self.names = {"student": self._pseudonym(store, "Ann"), "stranger": self._pseudonym(store, "Cy")}
        for one in (school, other):
            self._choosing(store, one)
        self._on_a_platform(store, school)

    def status(self, who: str, method: str, path: str) -> int:
        """The status of an answer, before it leads anywhere, to who sends a form as its own page has it."""
        browser, names = self.people[who], self.names | dict.fromkeys(("one", "other"), self.names["student"])
        address = path.format(**names)
        if method != "POST":
            return browser.ask(method, address, follow_redirects=False).status_code
        form = FORM | {"csrf": browser.csrf("/")}
        files = {"file": ("b.ipynb", OTHER)} if address.endswith("attempts") else None
        return browser.post(address, data=form, files=files, follow_redirects=False).status_code

    @staticmethod
    def _sign_out(browser: Browser) -> None:
        """Sign out, in a browser that goes on sending the cookie."""
        kept = browser.http.cookies["grader"]
        browser.post("/leave", data={"csrf": browser.csrf("/course")})
        browser.http.cookies.set("grader", kept)

    @staticmethod
    def _pseudonym(store: Store, name: str) -> str:
        found = store.read(
            lambda session: session.scalar(select(Person.pseudonym).where(Person.name == name))
        )
        assert found is not None
        return found

    @staticmethod
    def _choosing(store: Store, school: School) -> None:
        teacher = store.read(people.teacher_of_code, school.teacher_code)
        assert teacher is not None
        said: dict[str, Any] = {
            "issuer": AWAY,
            "client_id": "1",
            "deployment": "1",
            "subject": "x",
            "target": AWAY,
        }
        wanted = ChoiceWanted(return_url=AWAY, multiple=False, line_items=True, data=None)
        store.write(
            platforms.keep_choice, teacher, Launch(**said, message="choose", role="teacher", choice=wanted)
        )

    @staticmethod
    def _on_a_platform(store: Store, school: School) -> None:
        urls = {"login_url": AWAY, "token_url": AWAY, "jwks_url": AWAY}
        store.write(platforms.register, Platform(issuer=AWAY, client_id="1", deployments=("1",), **urls))
        place = {"platform": 1, "deployment": "1", "context": "1", "course": school.asked.course}
        store.write(lambda session: session.add(Context(**place, roster=f"{AWAY}/members")))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with new_store(tmp_path) as store:
        yield Town(store)


def test_every_address_is_in_the_table() -> None:
    known = {
        (method, re.sub(r"\{\w+:int\}", "1", route.path))
        for route in routes()
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert known == set(EXPECTED)
    assert [route.path for route in routes() if isinstance(route, Mount)] == ["/static"]


def test_everybody_gets_what_is_theirs_and_nothing_else(town: Town) -> None:
    found = {asked: tuple(town.status(who, *asked) for who in WHO) for asked in EXPECTED}
    assert found == EXPECTED


def test_nobody_gets_what_is_theirs_together_with_what_is_not(town: Town) -> None:
    assert {asked: town.status("teacher", *asked) for asked in CROSSED} == CROSSED


@pytest.mark.parametrize("who", ["anonymous", "owner", "strange teacher"])
def test_an_address_is_asked_in_no_other_way(town: Town, who: str) -> None:
    """A browser that asks for the head alone learns no more than one that reads all; and nothing else is answered."""
    place = WHO.index(who)
    for (method, path), statuses in (OURS | LAST).items():
        if method == "GET":
            head = 405 if path.endswith("/events") else statuses[place]
            assert town.status(who, "HEAD", path) == head
        for way in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            assert town.status(who, way, path) == 405, (way, path)
