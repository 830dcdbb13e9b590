"""Scores on their way to a platform's gradebook: once each, the newest last; what fails is tried again, or told to the teacher."""

import io
import time

import pytest
from sqlalchemy.orm import Session

from grader.web.logs import Log
from grader.web.sending import Sender
from grader.web.store import deliveries
from grader.web.store.store import Store
from grader.web.store.tables import Delivery
from tests.lti_site import Asked, Reply, in_json
from tests.web import NOTEBOOK, Browser, grade_next
from tests.web_lti import TEACHER, Lms


class Gradebook:
    """The platform's: an equal or earlier timestamp is a conflict, as on Moodle."""

    def __init__(self, lms: Lms) -> None:
        self.lms, self.answers = lms, list[Reply]()
        self.came: list[tuple[object, object, object]] = []
        self.last = ""
        self.sender = self.another()
        lms.site.answers["POST /token"] = lambda _: in_json({"access_token": "t", "expires_in": 3600})
        lms.site.answers["POST /item/scores"] = self._score

    def another(self) -> Sender:
        """What a further process would send by."""
        return Sender(self.lms.store, self.lms.pages.service.lti, Log(io.StringIO()), "en")

    def send(self) -> int:
        """Send all that is due; how often that was tried."""
        return sum(iter(self.sender.go_round, False))

    def _score(self, asked: Asked) -> Reply:
        if self.answers:
            return self.answers.pop(0)
        said = asked.json
        if str(said["timestamp"]) <= self.last:
            return Reply(b"conflict", 409)
        self.last = str(said["timestamp"])
        self.came.append((said["userId"], said["scoreGiven"], said["scoreMaximum"]))
        return in_json({})


@pytest.fixture
def gradebook(lms: Lms) -> Gradebook:
    return Gradebook(lms)


@pytest.fixture
def learner(lms: Lms) -> Browser:
    browser = lms.pages.browser()
    lms.comes(browser)
    return browser


def hand_in(lms: Lms, learner: Browser, number: int, score: float) -> None:
    form = {"csrf": learner.csrf("/course")}
    files = {"file": ("a.ipynb", NOTEBOOK + b" " * number)}
    assert learner.post("/assignments/1/attempts", data=form, files=files).status_code == 200
    grade_next(lms.store, score)


def wait_over(store: Store) -> None:
    """As if the wait until the next try had passed, and the lease of who is gone."""

    def age(session: Session) -> None:
        for row in session.query(Delivery):
            row.due = row.due and "2020-01-01T00:00:00.000+00:00"
            row.until = row.until and "2020-01-01T00:00:00.000+00:00"

    store.write(age)


def class_page(lms: Lms) -> str:
    return lms.comes(lms.pages.browser(language="en"), TEACHER).text


def test_the_score_that_counts_comes_there_once(lms: Lms, gradebook: Gradebook, learner: Browser) -> None:
    assert gradebook.send() == 0
    for number, score in enumerate((4, 7, 5)):
        hand_in(lms, learner, number, score)
    assert gradebook.send() == 1
    assert gradebook.came == [("learner-1", 7, 10)]
    lms.comes(learner)  # who comes again has no news
    assert gradebook.send() == 0
    hand_in(lms, learner, 9, 9)
    assert gradebook.send() == 1
    assert gradebook.came[1:] == [("learner-1", 9, 10)]


def test_teachers_have_no_column_and_nobody_elses_score_goes_there(lms: Lms, gradebook: Gradebook) -> None:
    lms.comes(lms.pages.browser(), TEACHER)
    assert gradebook.send() == 0


def test_a_teachers_own_score_goes_there_although_nothing_was_handed_in(
    lms: Lms, gradebook: Gradebook, learner: Browser
) -> None:
    other = lms.pages.browser()
    lms.comes(other, {"sub": "learner-2", "name": "Bo"})
    hand_in(lms, learner, 1, 4)
    teacher = lms.pages.browser()
    shown = lms.comes(teacher, TEACHER).text
    bo = shown.rpartition("/students/")[0].rpartition("/students/")[2].partition('"')[0]
    form = {"csrf": teacher.csrf("/course"), "score": "8", "reason": "on paper"}
    assert teacher.post(f"/assignments/1/students/{bo}/override", data=form).status_code == 200
    gradebook.send()
    assert set(gradebook.came) == {("learner-1", 4, 10), ("learner-2", 8, 10)}


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_pass_is_tried_again(lms: Lms, gradebook: Gradebook, learner: Browser, status: int) -> None:
    hand_in(lms, learner, 1, 7)
    gradebook.answers = [Reply(b"later", status, (("Retry-After", "9000"),)), Reply(b"later", status)]
    assert gradebook.send() == 1
    due = lms.store.read(lambda session: session.query(Delivery).one().due)
    assert due is not None
    assert due > time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() + 8000))
    assert gradebook.send() == 0  # not before it is time
    assert f" {status}" in class_page(lms)
    wait_over(lms.store)
    assert gradebook.send() == 1
    wait_over(lms.store)
    assert gradebook.send() == 1
    assert gradebook.came == [("learner-1", 7, 10)]
    assert "class/deliveries" not in class_page(lms)


def test_the_newest_goes_where_an_older_one_failed(lms: Lms, gradebook: Gradebook, learner: Browser) -> None:
    hand_in(lms, learner, 1, 7)
    gradebook.answers = [Reply(b"later", 503)]
    gradebook.send()
    hand_in(lms, learner, 2, 8)
    assert gradebook.send() == 1
    wait_over(lms.store)
    assert gradebook.send() == 0
    assert gradebook.came == [("learner-1", 8, 10)]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_is_refused_is_told_to_the_teacher_who_can_send_it_again(
    lms: Lms, gradebook: Gradebook, learner: Browser, status: int
) -> None:
    hand_in(lms, learner, 1, 7)
    gradebook.answers = [Reply(b"no <b>column</b>", status)]
    gradebook.send()
    wait_over(lms.store)
    assert gradebook.send() == 0
    teacher = lms.pages.browser()
    shown = lms.comes(teacher, TEACHER).text
    assert f"{status}" in shown
    assert "no &lt;b&gt;column" in shown
    form = {"csrf": teacher.csrf("/course")}
    assert teacher.post("/assignments/1/class/deliveries", data=form).status_code == 200
    assert gradebook.send() == 1
    assert gradebook.came == [("learner-1", 7, 10)]
    assert "no &lt;b&gt;column" not in class_page(lms)


def test_a_process_that_is_lost_between_the_answer_and_its_note_leaves_one_more(
    lms: Lms, gradebook: Gradebook, learner: Browser
) -> None:
    hand_in(lms, learner, 1, 7)
    due = lms.store.write(deliveries.take, "lost", 180.0)
    assert due is not None
    gradebook.another()._post(due)  # it came there, and then the process was gone
    assert gradebook.send() == 0  # as long as that may still be noted
    wait_over(lms.store)
    assert gradebook.send() == 1
    assert gradebook.came == [("learner-1", 7, 10)] * 2
    wait_over(lms.store)
    assert gradebook.send() == 0


def test_it_is_sent_by_itself(lms: Lms, gradebook: Gradebook, learner: Browser) -> None:
    hand_in(lms, learner, 1, 7)
    with gradebook.sender:
        deadline = time.monotonic() + 60
        while not gradebook.came and time.monotonic() < deadline:
            time.sleep(0.01)
    assert gradebook.came == [("learner-1", 7, 10)]
