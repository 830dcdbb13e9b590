"""The service's pages in a real browser: axe-core finds nothing, nothing is refused or fetched elsewhere, nothing sticks out.

`make slow` gets what this needs: Chromium, and axe-core from npm.
"""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from grader.web.store import people
from grader.web.store.store import open_store
from tests.browser import Browser, View, found
from tests.test_report_html_browser import AXE, NARROW, STICKS_OUT, VIOLATIONS, WIDE
from tests.test_web_regrade_pages import grade_today
from tests.test_web_reviews import doubtful, find
from tests.web import OTHER, Pages, School, grade_next, learner_in, teacher_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None or not AXE.exists(), reason="needs Chromium, and axe-core in .npm"),
]

Cookies = dict[str, dict[str, str]]


class Site:
    """A service whose pages a browser can open. cookies: by who is signed in."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(str(folder / "a.sqlite"), folder / "files")
        school = School(self.store, most=5, deadline="2999-01-01T12:00:00.000+00:00")
        pages = Pages(self.store)
        ann, teacher = learner_in(pages, school, "Ann-Marie " + "von und zu " * 7), teacher_in(pages, school)
        ann.upload(school.asked, name="a-name-without-any-place-to-break-" * 4 + ".ipynb")
        grade_next(self.store, 7)
        learner_in(pages, school, "Bob").upload(school.asked, OTHER + b" ")
        find(self.store, doubtful(4))
        form = {"csrf": teacher.csrf("/course"), "platform": "nbgrader"}
        for path in ("/assignments/1/regrade", "/assignments/1/exports"):
            assert teacher.post(path, data=form).status_code == 200
        grade_today(self.store, 8)
        grade_today(self.store, 4)
        ann.upload(school.asked, OTHER)
        self.student = re.findall(r"/students/(\w+)", teacher.get("/assignments/1/class").text)[0]
        self.cookies: Cookies = {
            "nobody": {},
            "ann": dict(ann.http.cookies),
            "teacher": dict(teacher.http.cookies),
        }
        self._server = uvicorn.Server(
            uvicorn.Config(pages.app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.02)
        self.address = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.store.book.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


SEEN = [
    *(("nobody", path) for path in ("/", "/nothing")),
    *(("ann", path) for path in ("/course", "/own", "/assignments/1", "/attempts/1", "/attempts/3")),
    *(("teacher", path) for path in ("/course", "/assignments/1/class", "/assignments/1/students/{student}")),
    *(("teacher", f"/assignments/1/{path}") for path in ("regrade", "reviews", "exports", "exports/1")),
    *(("teacher", path) for path in ("/attempts/1/regrade", "/regrades/1")),
]
VIEWS = {"en": View(WIDE, dark=False), "zh": View(NARROW, dark=True)}


@pytest.mark.parametrize(("who", "path"), SEEN)
@pytest.mark.parametrize("language", VIEWS)
def test_a_page_is_accessible_and_nothing_in_it_is_refused(
    site: Site, browser: Browser, who: str, path: str, language: str
) -> None:
    address = site.address + path.format(student=site.student)
    scripts = [f"{AXE.read_text('utf-8')};0", VIOLATIONS, STICKS_OUT]
    seen = browser.look(address, VIEWS[language], scripts, site.cookies[who] | {"language": language})
    _, violations, sticks_out = seen.answers
    assert violations == []
    assert sticks_out == 0
    assert [said for said in seen.said if "404" not in said or path != "/nothing"] == []
    assert {httpx.URL(asked).host for asked in seen.asked if not asked.startswith("data:")} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("who", "path"), [("ann", "/attempts/1/report"), ("teacher", "/assignments/1/class/overview")]
)
def test_a_page_in_a_sandbox_is_shown_alone_too(site: Site, browser: Browser, who: str, path: str) -> None:
    """They are looked at more closely as files; here nothing can be run in them."""
    seen = browser.look(site.address + path, VIEWS["en"], [], site.cookies[who])
    assert seen.said == []
    assert seen.asked == [site.address + path]


FRAME = "document.querySelector('iframe').getBoundingClientRect().height > 300"
TIMES = "[...document.querySelectorAll('time')].every(time => !time.textContent.includes('UTC'))"


def test_the_report_is_shown_in_place_and_times_are_the_readers_own(site: Site, browser: Browser) -> None:
    seen = browser.look(f"{site.address}/attempts/1", VIEWS["en"], [FRAME, TIMES], site.cookies["ann"])
    assert seen.answers == [True, True]
    assert f"{site.address}/attempts/1/report" in seen.asked
    assert seen.said == []


MARKED = "document.mine = 1"
SHOWN = """new Promise((resolve) => setInterval(() => {
  const shown = document.querySelector('[data-live]').innerText.includes('Newcomer');
  if (shown) resolve(document.mine);
}, 50))"""


def test_the_page_of_a_class_shows_what_others_do_without_being_loaded_again(
    site: Site, browser: Browser
) -> None:
    coming = threading.Timer(2, site.store.write, (people.join, 1, "Newcomer"))
    coming.start()
    seen = browser.look(
        f"{site.address}/assignments/1/class", VIEWS["en"], [MARKED, SHOWN], site.cookies["teacher"]
    )
    coming.join()
    assert seen.answers[1] == 1
    assert seen.said == []


TOO_LARGE = """(() => {
  const input = document.querySelector('input[type=file]'), files = new DataTransfer();
  files.items.add(new File([new Uint8Array(26000000)], 'a.ipynb'));
  input.closest('[data-drop]').dispatchEvent(new DragEvent('drop', {dataTransfer: files}));
  return [input.files.length, input.validationMessage];
})()"""


def test_a_file_can_be_dropped_and_one_that_is_too_large_is_told_at_once(
    site: Site, browser: Browser
) -> None:
    seen = browser.look(f"{site.address}/assignments/1", VIEWS["en"], [TOO_LARGE], site.cookies["ann"])
    ((count, message),) = seen.answers
    assert count == 1
    assert message.startswith("That is too large. A file may have 25 MB at most.")
