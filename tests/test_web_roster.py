"""Who of a course has not been here yet, by the platform's roster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lti_site import Reply, in_json
from tests.lti_visit import NRPS
from tests.web_lti import TEACHER, Lms, school


@pytest.fixture
def lms(tmp_path: Path) -> Iterator[Lms]:
    with school(tmp_path) as found:
        found.site.answers["POST /token"] = lambda _: in_json({"access_token": "t", "expires_in": 3600})
        yield found


def member(subject: str, name: str, role: str = "Learner", status: str = "Active") -> dict[str, object]:
    return {"user_id": subject, "name": name, "roles": [role], "status": status}


def test_learners_who_never_came_are_listed(lms: Lms) -> None:
    people = [
        member("learner-1", "Wei Li"),
        member("learner-2", "Bo <b>"),
        member("learner-3", "Cy", status="Inactive"),
        member("teacher-2", "Di", "Instructor"),
    ]
    lms.site.answers["GET /members"] = lambda _: in_json({"members": people})
    lms.comes(lms.pages.browser())
    teacher = lms.pages.browser()
    assert "/assignments/1/class/missing" in lms.comes(teacher, TEACHER).text
    shown = teacher.get("/assignments/1/class/missing").text
    assert "Bo &lt;b&gt;" in shown
    assert not [name for name in ("Wei Li", "Cy", "<bdi>Di") if name in shown]
    people[1:] = []
    assert "<li>" not in teacher.get("/assignments/1/class/missing").text


def test_a_platform_that_fails_or_says_nothing_is_told_in_words(lms: Lms) -> None:
    teacher = lms.pages.browser()
    assert "class/missing" not in lms.comes(teacher, TEACHER | {NRPS: None}).text
    assert teacher.get("/assignments/1/class/missing").status_code == 404
    lms.comes(teacher, TEACHER)
    lms.site.answers["GET /members"] = lambda _: Reply(b"away", 503)
    answer = teacher.get("/assignments/1/class/missing")
    assert (answer.status_code, "503" in answer.text) == (502, True)
