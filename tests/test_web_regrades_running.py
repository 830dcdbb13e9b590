"""A regrade by the real service, which is killed in the midst of it: the next goes on, and nothing has counted meanwhile."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from grader.gradebook.tables import Result
from grader.kernel.pool import Kernels
from grader.web.store import courses, jobs, previews, regrades
from tests.test_web_regrade_pages import sends, words
from tests.test_web_service import REFERENCE, states
from tests.web_running import Place, enter, hand_in, running, until

pytestmark = pytest.mark.slow
WRONG_STEP = REFERENCE.read_bytes() + b"\nw = w.detach() * 0\n"


def test_a_killed_service_leaves_a_regrade_to_the_next(tmp_path: Path, kernels: Kernels) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    place = Place(tmp_path)
    with running(place, "--jobs", "1") as service, service.browser() as ann, service.browser() as bob:
        service.ready()
        enter(ann, "dl101", "Ann")
        enter(bob, "dl101", "Bob")
        hand_in(ann, "a.py", REFERENCE.read_bytes())
        hand_in(bob, "b.py", REFERENCE.read_bytes())
        hand_in(bob, "c.py", WRONG_STEP)
        until(lambda: states(place) == ["graded"] * 3)
        with service.browser() as teacher, place.store() as store:
            enter(teacher, place.teacher_code)
            assert "nothing that would change" in words(teacher.get("/assignments/1/regrade"))
            assert sends(teacher, "/assignments/1/regrade").url.path == "/regrades/1"
            until(lambda: store.read(jobs.waiting)[1] > 0)
        service.end(signal.SIGKILL)
    with running(place) as again, again.browser() as teacher, place.store() as store:
        enter(teacher, place.teacher_code)
        until(lambda: "3 of 3 attempts" in words(teacher.get("/regrades/1")))
        assert store.read(lambda session: session.scalar(select(func.count()).select_from(Result))) == 2
        own = store.read(regrades.regraded, 1, 1)
        assert own is not None
        (asked,) = [one for _, _, all_ in store.read(courses.listed) for one in all_]
        assert all(one.now == one.then for one in store.read(previews.preview, asked, 1))
        assert "What this regrade found counts now." in words(sends(teacher, "/regrades/1"))
        assert again.end(signal.SIGTERM) == 0
