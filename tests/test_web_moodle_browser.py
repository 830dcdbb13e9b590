"""The whole way in a real browser, in the frame of a platform that is as strict as Moodle: the service behind HTTPS, real kernels.

The platform's cookie is not sent along where a page of another site leads there, as browsers do with Moodle's own.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest

from grader.exercise import course_folder
from grader.kernel.pool import Kernels
from tests.browser import ONE_PROCESS, found
from tests.command import grader
from tests.conftest import CORPUS
from tests.lti_site import Site, serving
from tests.moodle_platform import Moodle
from tests.proxy import in_front
from tests.test_jupyterlab import FLAGS, free_port
from tests.test_lti_outbound import certificate
from tests.web_running import Place, running, until

driver = pytest.importorskip("playwright.sync_api")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(found() is None, reason="needs Chromium")]
# Another site than the platform's, which is at 127.0.0.1.
SERVICE = "https://grader.example.org"
WRONG = CORPUS / "linear_regression" / "s012.py"
REFERENCE = course_folder(None) / "reference" / "linear_regression.py"
# A grading with its mended reruns, on a machine that is busy.
GRADED_MS = 120_000


class There(NamedTuple):
    """A platform, where an administrator registers the service there, and by which flags a browser finds it."""

    moodle: Moodle
    site: Site
    invitation: str
    flags: list[str]


@contextmanager
def there(folder: Path) -> Iterator[There]:
    place, port = Place(folder), free_port()
    with (
        running(place, "--url", SERVICE, "--lti-network", "127.0.0.0/8", port=port) as service,
        in_front(service.url, pem=certificate(folder)) as encrypted,
        serving() as site,
    ):
        invited = grader("lti", "invite", SERVICE, *place.options, folder=folder)
        invitation = re.search(rf"{SERVICE}\S+", invited.out)
        assert invitation is not None, invited.err
        service.ready()
        moodle = Moodle(site, lambda url: httpx.get(url.replace(SERVICE, service.url)).content)
        rules = f"MAP grader.example.org:443 127.0.0.1:{encrypted}"
        yield There(moodle, site, invitation[0], [*FLAGS, ONE_PROCESS, f"--host-resolver-rules={rules}"])


@contextmanager
def opened(at: There, who: str, path: str) -> Iterator[Any]:
    """A frame on a page of the platform, in a browser of somebody that keeps cookies of other sites by the side of this one alone."""
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found(), args=[*at.flags, "--test-third-party-cookie-phaseout"]
        )
        page = browser.new_context(ignore_https_errors=True, locale="en-GB").new_page()
        page.goto(f"{at.moodle.url}/login?who={who}&go={quote(f'/mod/lti/{path}')}")
        yield page
        browser.close()


@contextmanager
def without_cookies(at: There, folder: Path, who: str, path: str) -> Iterator[Any]:
    """The same in a browser that keeps no cookies of the service in the frame, which the settings in the folder say."""
    refused = {f"{SERVICE},{at.moodle.url}": {"setting": 2}}
    settings = {"profile": {"content_settings": {"exceptions": {"cookies": refused}}}}
    (folder / "Default").mkdir(parents=True)
    (folder / "Default" / "Preferences").write_text(json.dumps(settings))
    with driver.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=found(), args=at.flags, ignore_https_errors=True, locale="en-GB"
        )
        page = context.new_page()
        page.goto(f"{at.moodle.url}/login?who={who}&go={quote(f'/mod/lti/{path}')}")
        yield page
        context.close()


def hand_in(frame: Any, file: Path) -> None:
    frame.get_by_label("Your notebook").set_input_files(file)
    frame.get_by_role("button", name="Hand in").click()


def test_the_whole_way_in_the_frame(
    tmp_path: Path, kernels: Kernels, write_notebook: Callable[..., Path]
) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    with there(tmp_path) as at:
        moodle, gradebook = at.moodle, at.moodle.gradebook
        with opened(at, "root", f"toolconfigure.php?url={quote(at.invitation)}") as page:
            driver.expect(page.get_by_text("Closed")).to_be_visible()
        moodle.activate()
        with opened(at, "ana", "edit.php?id=3&course=2") as page:
            frame = page.frame_locator("iframe")
            frame.get_by_label("Linear regression by gradient descent").check()
            frame.get_by_role("button", name="Add to the course").click()
            driver.expect(frame.get_by_text("Successfully fetched")).to_be_visible()
        link = moodle.save(moodle.returned[0])
        with opened(at, "mei", f"view.php?id={link.module}") as page:
            frame = page.frame_locator("iframe").first
            hand_in(frame, write_notebook(WRONG.read_text("utf-8")))
            finding = frame.frame_locator("iframe").locator(".finding.confirmed").first
            driver.expect(finding).to_contain_text("gives the name", timeout=GRADED_MS)
            until(lambda: gradebook.of("mei") is not None)
            first = gradebook.of("mei")
            frame.get_by_role("link", name="Hand in again").click()
            hand_in(frame, REFERENCE)
            driver.expect(frame.locator(".score")).to_have_text("10 / 10", timeout=GRADED_MS)
            until(lambda: (gradebook.of("mei") or (0,))[0] == 10)
            assert first is not None
            assert first[0] < 10
        with opened(at, "ana", f"view.php?id={link.module}") as page:
            frame = page.frame_locator("iframe").first
            frame.get_by_role("link", name="Mei").click()
            frame.locator("#score").fill("2")
            frame.locator("#reason").fill("seen in class")
            frame.get_by_role("button", name="Keep").click()
            until(lambda: (gradebook.of("mei") or (0,))[0] == 2)
        assert {"GET", "POST"} == {one.method for one in at.site.asked if "/auth.php" in one.path}
        with without_cookies(at, tmp_path / "browser", "wei", f"view.php?id={link.module}") as page:
            with page.expect_popup() as tab:
                page.frame_locator("iframe").locator("[data-no-cookies] a").click()
            driver.expect(tab.value.locator("html")).to_have_attribute("lang", "zh-Hans")
            driver.expect(tab.value.locator("input[type=file]")).to_be_attached()
