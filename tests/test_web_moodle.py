"""The whole way from a strict platform that does as Moodle does: registration, choice, launch, hand-in, score, and what may go wrong."""

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from grader.web.logs import Log
from grader.web.sending import Sender
from grader.web.store import deliveries, platforms
from tests.lti_site import Site, serving
from tests.moodle_pages import Refused
from tests.moodle_people import PEOPLE
from tests.moodle_platform import Moodle
from tests.moodle_visit import Framed
from tests.stores import new_store
from tests.test_web_sending import wait_over
from tests.web import NOTEBOOK, Browser, Pages, grade_next

CHOOSE = "contentitem.php?id=3&course=2"
TEN = {"exercise": "linear_regression", "points": "10", "attempts": "3"}


class School:
    """A platform and a service, which is registered there."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self.moodle, self.site = Moodle(site, self._keys), site
        self.pages, self.store = pages, pages.service.store
        self.browsers: dict[str, Browser] = {}
        self.reachable = True
        self.sender = Sender(self.store, pages.service.lti, Log(io.StringIO()), "en")

    def _keys(self, url: str) -> bytes:
        """What the platform gets that fetches our keys."""
        if not self.reachable:
            raise httpx.ConnectError(url)
        return self.pages.browser().get(url).content

    def frame(self, who: str) -> Framed:
        browser = self.browsers.setdefault(who, self.pages.browser())
        return Framed(self.moodle, who, browser.ask)

    def register(self, *, again: bool = False) -> httpx.Response:
        """What an administrator does, up to the page that closes itself. again: over the tool that there is, as Moodle offers."""
        invitation = self.store.write(platforms.invite, 2e9)
        url = f"https://localhost/lti/register?invitation={invitation}"
        said = urlencode({"url": url, "type": 3 if again else -1})
        return self.frame("root").opens(f"startltiadvregistration.php?{said}")

    def choose(self, who: str = "ana", **said: object) -> httpx.Response:
        """What a teacher does in the form of a new activity; what the frame shows in the end."""
        frame = self.frame(who)
        shown = frame.opens(CHOOSE)
        form = {"csrf": csrf(shown), **TEN, **said}
        answer = self.browsers[who].post(shown.url.path, data=form)
        return frame.goes_on(answer, "https://localhost")

    def opens(self, who: str) -> httpx.Response:
        """What somebody is shown who opens the newest exercise in the course."""
        return self.frame(who).opens(f"launch.php?id={max(self.moodle.links)}")

    def decide(self, who: str, score: str) -> None:
        """What a teacher does on the page of a learner; without a score, the checks' counts."""
        name = PEOPLE[who].given
        page = self.opens("ana")
        found = re.search(rf'href="([^"]*/students/[^"]*)"><bdi>{name}', page.text)
        assert found is not None, page.text
        form = {"csrf": csrf(self.browsers["ana"].get(found[1])), "score": score, "reason": "seen in class"}
        assert self.browsers["ana"].post(f"{found[1]}/override", data=form).status_code == 200

    def points(self, who: str, item: str = "31") -> float | None:
        """What the gradebook there has for somebody."""
        found = self.moodle.gradebook.of(who, item)
        return None if found is None else found[0]

    def hand_in(self, who: str, number: int, score: float) -> None:
        """Open the exercise in the course, hand in, and have it graded; what the platform is told then is not waited for."""
        shown = self.opens(who)
        files = {"file": ("a.ipynb", NOTEBOOK + b" " * number)}
        data = {"csrf": csrf(shown)}
        assert self.browsers[who].post("/assignments/1/attempts", data=data, files=files).status_code == 200
        grade_next(self.store, score)

    def send(self) -> None:
        """Send all that is due."""
        while self.sender.go_round():
            pass

    def settle(self) -> None:
        """Send what is tried again, as if the waits were over, until all is there."""
        for _ in range(40):
            wait_over(self.store)
            self.send()
            if not self.store.read(deliveries.undelivered, 1):
                return
            time.sleep(0.1)
        raise AssertionError("it never comes there")


def csrf(shown: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', shown.text)
    assert found is not None, shown.text
    return found[1]


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with serving() as site, new_store(tmp_path) as store:
        yield School(site, Pages(store, secure=True))


@pytest.fixture
def ready(school: School) -> School:
    """With the exercise in the course."""
    school.register()
    school.moodle.activate()
    school.choose()
    school.moodle.save(school.moodle.returned[0])
    return school


def test_the_whole_way(school: School) -> None:
    moodle, gradebook = school.moodle, school.moodle.gradebook
    assert f'data-registered="{moodle.url}"' in school.register().text
    assert school.frame("ana").opens(CHOOSE).status_code == 404  # nobody is offered it until it is activated
    moodle.activate()
    assert "Successfully fetched" in school.choose().text
    (chosen,) = moodle.returned
    assert chosen["custom"].splitlines() == ["exercise=linear_regression", "points=10", "attempts=3"]
    link = moodle.save(chosen)
    assert (link.url, gradebook.most) == ("https://localhost/lti/launch", {"31": 10})
    moodle.ahead = -3  # seconds in which it takes no second score
    school.hand_in("wei", 1, 4)
    school.send()
    assert gradebook.of("wei") == (4, "Graded automatically. The report is behind the link of the exercise.")
    # Its cookie does not come along from a frame of ours, so it asks for each token twice.
    asked = [f"{one.method} {urlsplit(one.path).path}" for one in school.site.asked]
    assert asked.count("POST /mod/lti/auth.php") == asked.count("GET /mod/lti/auth.php") == 2
    assert asked.count("POST /mod/lti/contentitem_return.php") == 2
    school.hand_in("wei", 2, 9)
    school.send()
    assert school.points("wei") == 9
    school.decide("wei", "2.5")
    school.send()
    assert school.points("wei") == 2.5
    school.decide("wei", "")
    school.send()
    assert (school.points("wei"), gradebook.refusals) == (9, [])


@pytest.mark.parametrize("ahead", [-55, 55])
def test_the_clocks_may_differ_by_most_of_a_minute(school: School, ahead: int) -> None:
    school.moodle.ahead = ahead
    school.register()
    school.moodle.activate()
    assert "Successfully fetched" in school.choose().text
    school.moodle.save(school.moodle.returned[0])
    school.hand_in("wei", 1, 4)
    school.send()
    assert school.points("wei") == 4


def test_a_score_of_the_second_in_which_one_was_taken_goes_there_a_little_later(ready: School) -> None:
    ready.moodle.ahead = 1
    ready.hand_in("wei", 1, 4)
    ready.send()
    ready.hand_in("wei", 2, 9)
    ready.send()
    assert (ready.points("wei"), ready.moodle.gradebook.refusals) == (4, [409])
    assert "It is tried again by itself" in ready.opens("ana").text
    ready.settle()
    assert ready.points("wei") == 9
    assert "tried again" not in ready.opens("ana").text


def test_where_the_keys_cannot_be_fetched_just_now_the_score_goes_there_later(ready: School) -> None:
    ready.reachable = False
    ready.moodle.forget_keys()
    ready.hand_in("wei", 1, 4)
    ready.send()
    assert (ready.points("wei"), "answered 404" in ready.opens("ana").text) == (None, True)
    ready.reachable = True
    ready.settle()
    assert ready.points("wei") == 4


def test_everybody_is_who_they_are_there(ready: School) -> None:
    assert ready.opens("wei").url.path == "/assignments/1"
    assert 'lang="zh-Hans"' in ready.opens("wei").text
    for who in ("ana", "tom", "root"):
        shown = ready.opens(who)
        assert shown.url.path == "/assignments/1/class", who
        assert f"frame-ancestors {ready.moodle.url}" in shown.headers["content-security-policy"]
    assert ready.choose("root").status_code == 200
    assert ready.frame("tom").opens(CHOOSE).status_code == 404


def test_why_a_score_is_refused_is_told(ready: School) -> None:
    ready.moodle.gradebook.students.remove(PEOPLE["wei"].id)  # who is no longer in the course
    ready.hand_in("wei", 1, 4)
    ready.send()
    assert "answered 400: Incorrect score received" in ready.opens("ana").text


def test_who_has_not_been_there_is_known_by_the_roster(ready: School) -> None:
    ready.opens("wei")
    ready.opens("ana")
    missing = ready.browsers["ana"].get("/assignments/1/class/missing").text
    # Who edits nothing is a learner on Moodle's roster, and a teacher in its tokens.
    assert re.findall(r"<li>(?:<bdi>)?([^<]*)", missing) == ["Mei Wang", "Tom Brown"]
    ready.opens("tom")
    missing = ready.browsers["ana"].get("/assignments/1/class/missing").text
    assert re.findall(r"<li>(?:<bdi>)?([^<]*)", missing) == ["Mei Wang"]


def test_names_may_be_withheld(ready: School) -> None:
    ready.moodle.services.names = False
    ready.hand_in("wei", 1, 4)
    ready.send()
    assert ready.points("wei") == 4
    assert "Wei" not in ready.opens("ana").text


def test_several_are_chosen_at_once_each_with_its_column(ready: School) -> None:
    shown = ready.choose(exercise=["linear_regression", "backprop_per_sample"], deadline="2099-12-24T18:00")
    assert "Successfully fetched" in shown.text
    one, other = [ready.moodle.save(chosen) for chosen in ready.moodle.returned]
    assert "deadline=2099-12-24T18:00:00.000+00:00" in other.custom
    assert (one.item, other.item) == ("32", "33")
    assert "2099" in ready.frame("wei").opens(f"launch.php?id={other.module}").text


def test_a_column_there_takes_whole_points_up_to_a_hundred(ready: School) -> None:
    for points in ("7.5", "150"):
        ready.choose(points=points)
        with pytest.raises(Refused, match="between 1 and 100"):
            ready.moodle.save(ready.moodle.returned[0])


def test_a_teacher_is_told_where_scores_have_no_place(ready: School) -> None:
    told = "have no place for their score"
    link = ready.moodle.links["21"]
    ready.moodle.links["21"] = link._replace(item=None)
    assert told not in ready.opens("ana").text
    ready.hand_in("wei", 1, 4)
    ready.send()
    assert f"1 of those who handed in {told}" in ready.opens("ana").text
    ready.moodle.links["21"] = link
    ready.opens("wei")
    ready.send()
    assert (ready.points("wei"), told in ready.opens("ana").text) == (4, False)


def test_a_tool_that_is_registered_over_the_old_one_stays_what_it_was(ready: School) -> None:
    ready.hand_in("wei", 1, 9)
    assert "is registered" in ready.register(again=True).text
    ready.hand_in("wei", 2, 4)
    ready.send()
    assert ready.points("wei") == 9
