"""The pages of the way in from a learning platform, clicked through in its frame: also on a phone, by keys alone, and without cookies.

`make slow` gets what this needs: Chromium, a driver for it, and axe-core from npm.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from grader.web.store import platforms
from tests.browser import ONE_PROCESS, found
from tests.lti_site import Reply, in_json
from tests.lti_visit import LTI
from tests.test_jupyterlab import FLAGS
from tests.test_lti_outbound import certificate
from tests.test_lti_registration import OF_TOOL, Registering
from tests.test_report_html_browser import AXE, STICKS_OUT
from tests.test_web_lti_browser import School, school
from tests.test_web_roster import member
from tests.web import NOTEBOOK, grade_next
from tests.web_lti import CHOOSE, TEACHER

driver = pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None or not AXE.exists(), reason="needs Chromium, and axe-core in .npm"),
]
PHONE, DESK = 360, 1280
VIEWS = [("en", DESK), ("en", PHONE), ("zh", PHONE)]
# Frames in a page are looked at by themselves.
VIOLATIONS = """axe.run(document, { iframes: false }).then(result => result.violations.map(
    one => [one.id, one.nodes.map(node => node.html.slice(0, 200) + node.failureSummary)]))"""
LOCALE = LTI + "launch_presentation"
MANY_TABS = 60


@pytest.fixture
def there(tmp_path: Path) -> Iterator[School]:
    """A platform whose course has a learner with an attempt and one who never came, and whose scores do not arrive."""
    with school(tmp_path, certificate(tmp_path)) as there:
        site = there.lms.site
        people = [member("learner-1", "Wei Li"), member("learner-2", "Bo " * 20)]
        site.answers["POST /token"] = lambda _: in_json({"access_token": "t", "expires_in": 3600})
        site.answers["GET /members"] = lambda _: in_json({"members": people})
        yield there


@contextmanager
def opened(*, width: int = DESK, cookies_in: str = "", folder: Path | None = None) -> Iterator[Any]:
    """A page. cookies_in: beside which site others may keep none, which the settings in the folder say."""
    with driver.sync_playwright() as playwright:
        kind = {"executable_path": found(), "args": [*FLAGS, ONE_PROCESS]}
        view: dict[str, Any] = {
            "ignore_https_errors": True, "locale": "en-GB", "viewport": {"width": width, "height": 900}
        }  # fmt: skip
        if folder is None:
            browser = playwright.chromium.launch(**kind)
            yield browser.new_context(**view).new_page()
            browser.close()
        else:
            refused = {f"*,{cookies_in}": {"setting": 2}}
            settings = {"profile": {"content_settings": {"exceptions": {"cookies": refused}}}}
            (folder / "Default").mkdir(parents=True)
            (folder / "Default" / "Preferences").write_text(json.dumps(settings))
            context = playwright.chromium.launch_persistent_context(folder, **kind, **view)
            yield context.new_page()
            context.close()


def inside(page: Any, part: str) -> Any:
    """The frame in the page, once it is at an address with this part."""
    frame = page.frames[-1]
    frame.wait_for_url(lambda url: part in url)
    return frame


def look(frame: Any, width: int) -> None:
    """Nothing in a page hinders anybody, and nothing sticks out of it."""
    frame.evaluate(f"{AXE.read_text('utf-8')};0")
    assert frame.evaluate(VIOLATIONS) == []
    assert frame.evaluate(STICKS_OUT) == 0
    assert frame.evaluate("innerWidth") == width


# ---- every page, also on a phone ----------------------------------------------------------------


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_pages_in_the_frame_hinder_nobody(there: School, language: str, width: int) -> None:
    spoken = {LOCALE: {"locale": language}}
    with opened(width=width) as page:
        there.claims = spoken
        page.goto(there.show())
        frame = inside(page, "/assignments/1")
        look(frame, width)
        file = {"name": "work.ipynb", "mimeType": "application/json", "buffer": NOTEBOOK}
        frame.locator("input[type=file]").set_input_files(file)
        frame.locator("main form button").click()
        frame = inside(page, "/attempts/1")
        look(frame, width)
        grade_next(there.lms.store, 7)
        frame.locator(".score").wait_for()
        look(page.frames[1], width)
        page.context.clear_cookies()
        there.claims = TEACHER | spoken
        page.goto(there.show())
        frame = inside(page, "/class")
        look(frame, width)
        frame.locator("a[href$=missing]").click()
        frame = inside(page, "/missing")
        assert "Bo Bo" in frame.locator("li").inner_text()
        look(frame, width)
        there.lms.site.answers["GET /members"] = lambda _: Reply(b"away", 503)
        frame.evaluate("location.reload()")
        frame.get_by_text("503").first.wait_for()
        look(frame, width)
        frame.evaluate("history.back()")
        inside(page, "/class").locator("header button").click()
        frame = inside(page, "/leave")
        look(frame, width)


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_the_choice_of_exercises_hinders_nobody(there: School, language: str, width: int) -> None:
    there.claims = TEACHER | CHOOSE | {LOCALE: {"locale": language}}
    with opened(width=width) as page:
        page.goto(there.show())
        frame = inside(page, "/choices/")
        look(frame, width)
        frame.locator("input[type=radio]").first.check()
        frame.locator("#points").fill("many")
        frame.locator("main form button").click()
        frame.get_by_role("alert").wait_for()
        look(frame, width)
        frame.locator("input[type=radio]").first.check()
        frame.locator("#points").fill("10")
        page.route("**/static/lti.js", lambda route: route.abort())  # else the page is gone at once
        frame.locator("main form button").click()
        frame.locator("[data-going-back]").wait_for(state="attached")
        look(frame, width)


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_a_refusal_hinders_nobody(there: School, language: str, width: int) -> None:
    there.claims = {LTI + "version": "2"}
    with opened(width=width) as page:
        page.set_extra_http_headers({"accept-language": language})
        page.goto(there.show())
        frame = inside(page, "/lti/launch")
        assert frame.locator("a:not(.skip)").count() == 0
        look(frame, width)


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_a_platform_registers_itself_in_its_frame(there: School, language: str, width: int) -> None:
    site = there.lms.site
    registering = Registering(site)
    closed = "addEventListener('message', event => { document.title = event.data.subject; });"
    query = f"openid_configuration={site.url}/configuration&registration_token=secret"
    with opened(width=width) as page:
        page.set_extra_http_headers({"accept-language": language})
        for more in ({}, {"client_id": "other", OF_TOOL: {}}):
            registering.registered |= more
            invitation = there.lms.store.write(platforms.invite, 4e9)
            there.framing(f"{there.address}/lti/register?invitation={invitation}&{query}", closed)
            page.goto(f"{site.url}/page")
            frame = inside(page, "/lti/register")
            driver.expect(page).to_have_title("org.imsglobal.lti.close")
            look(frame, width)
        page.goto(f"{site.url}/page")
        frame = inside(page, "/lti/register")
        assert "grader lti invite" in frame.locator("h1").inner_text()
        look(frame, width)
    assert len(there.lms.store.read(platforms.registered, site.url)) == 2


# ---- without cookies ----------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_without_cookies_the_way_goes_on_in_a_new_tab(
    there: School, tmp_path: Path, language: str, width: int
) -> None:
    with opened(width=width, cookies_in=there.url, folder=tmp_path / "browser") as page:
        page.set_extra_http_headers({"accept-language": language})
        page.goto(there.show())
        frame = inside(page, "/lti/login")
        link = frame.locator("[data-no-cookies] a")
        link.wait_for()
        look(frame, width)
        with page.context.expect_page() as opening:
            link.click()
        opening.value.wait_for_url(lambda url: url.endswith("/assignments/1"))
        opening.value.reload()
        assert "Wei Li" in opening.value.locator("header").inner_text()


@pytest.mark.parametrize(("language", "width"), VIEWS)
def test_without_cookies_the_platform_keeps_the_secret_and_a_new_tab_is_offered(
    there: School, tmp_path: Path, language: str, width: int
) -> None:
    there.claims = {LOCALE: {"locale": language}}
    with opened(width=width, cookies_in=there.url, folder=tmp_path / "browser") as page:
        page.goto(there.show(keeps=True))
        frame = inside(page, "/lti/launch")
        button = frame.locator("form[target=_blank] button")
        button.wait_for()
        look(page.frames[-1], width)
        with page.context.expect_page() as opening:
            button.click()
        opening.value.wait_for_url(lambda url: url.endswith("/assignments/1"))
        opening.value.reload()
        assert "Wei Li" in opening.value.locator("header").inner_text()


def test_the_page_that_asks_the_platform_hinders_nobody(there: School) -> None:
    with opened(width=PHONE) as page:
        page.route("**/static/lti.js", lambda route: route.abort())
        page.goto(there.show(keeps=True))
        frame = inside(page, "/lti/login")
        page.context.clear_cookies()
        frame.evaluate("location.replace(document.querySelector('[data-arriving]').dataset.arriving)")
        frame = inside(page, "/lti/launch")
        assert frame.locator("[data-asking]").count() == 1
        look(frame, PHONE)


# ---- by keys alone ------------------------------------------------------------------------------


def tab_to(page: Any, where: Callable[[], Any], words: str) -> None:
    """Press Tab until something with these words has the focus."""
    said = []
    for _ in range(MANY_TABS):
        page.keyboard.press("Tab")
        said.append(where().evaluate(
            "(() => { const one = document.activeElement; return one.labels?.[0]?.innerText || one.innerText; })()"
        ))  # fmt: skip
        if words in (said[-1] or ""):
            return
    raise AssertionError(said)


def test_a_learner_goes_the_whole_way_by_keys(there: School, tmp_path: Path) -> None:
    there.claims = {LOCALE: {"locale": "en"}}
    work = tmp_path / "work.ipynb"
    work.write_bytes(NOTEBOOK)
    with opened() as page:
        page.on("filechooser", lambda choosing: choosing.set_files(work))
        page.goto(there.show())
        inside(page, "/assignments/1")

        def frame() -> Any:
            return page.frames[1]

        for number in (1, 2):
            tab_to(page, frame, "Your notebook")
            page.keyboard.press("Enter")
            driver.expect(frame().locator("input[type=file]")).to_have_value(re.compile("work"))
            tab_to(page, frame, "Hand in")
            page.keyboard.press("Enter")
            frame().wait_for_url(f"**/attempts/{number}")
            grade_next(there.lms.store, 7)
            frame().locator(".score").wait_for()
            tab_to(page, frame, "Hand in again")
            page.keyboard.press("Enter")
            frame().wait_for_url("**/assignments/1#hand-in")
        tab_to(page, frame, "Attempt 2")
        page.keyboard.press("Enter")
        frame().wait_for_url("**/attempts/2")
