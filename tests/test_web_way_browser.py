"""The whole way in a real browser, in a frame of another site: Open edX's course page, the service behind HTTPS, real kernels.

`make slow` gets what this needs: Chromium, a driver for it, and Open edX's LTI consumer.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from grader.exercise import course_folder
from grader.kernel.pool import Kernels
from grader.lms.lti.records import Platform
from tests.browser import ONE_PROCESS, found
from tests.conftest import CORPUS
from tests.proxy import in_front
from tests.test_jupyterlab import FLAGS, free_port
from tests.test_lti_open_edx import open_edx
from tests.test_lti_outbound import certificate
from tests.test_web_open_edx import register
from tests.web_running import Place, running, until

driver = pytest.importorskip("playwright.sync_api")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(found() is None, reason="needs Chromium"),
    pytest.mark.skipif(
        importlib.util.find_spec("lti_consumer") is None,
        reason="no Open edX: pip install -c constraints.txt -e '.[platform]'",
    ),
]
# Another site than the platform's, which is at 127.0.0.1.
SERVICE = "https://grader.example.org"
WRONG = CORPUS / "linear_regression" / "s012.py"
REFERENCE = course_folder(None) / "reference" / "linear_regression.py"
# A grading with its mended reruns, on a machine that is busy.
GRADED_MS = 120_000

# Hears what a page says of how far an attempt is, each time that it says it without being loaded again.
LISTENING = """addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-events]");
  if (place) new MutationObserver(() => told(place.textContent)).observe(place, { childList: true });
});"""


class There(NamedTuple):
    """A platform, and by which flags a browser finds the service."""

    platform: Platform
    flags: list[str]


@contextmanager
def there(folder: Path) -> Iterator[There]:
    """Both, which know of each other."""
    place, port = Place(folder), free_port()
    with (
        running(place, "--url", SERVICE, "--lti-network", "127.0.0.0/8", port=port) as service,
        in_front(service.url, pem=certificate(folder)) as encrypted,
        open_edx(SERVICE, f"{service.url}/lti/keys") as platform,
    ):
        register(place, platform)
        service.ready()
        rules = f"MAP grader.example.org:443 127.0.0.1:{encrypted}"
        yield There(platform, [*FLAGS, ONE_PROCESS, f"--host-resolver-rules={rules}"])


@contextmanager
def opened(there: There) -> Iterator[Any]:
    """A browser of one person, which keeps cookies of other sites by the side of this one alone; it has nothing to complain of."""
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found(), args=[*there.flags, "--test-third-party-cookie-phaseout"]
        )
        page = browser.new_context(ignore_https_errors=True, locale="en-GB").new_page()
        said: list[str] = []
        page.on("console", lambda one: said.append(f"{one.location['url']}: {one.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        browser.close()
        # The platform has no icon, and the sandbox of a report keeps out what listens here as well.
        expected = (f"{there.platform.issuer}/favicon.ico", "/report: Blocked script execution")
        assert [line for line in said if not any(one in line for one in expected)] == []


def hand_in(frame: Any, file: Path) -> None:
    """As a learner does, on the page of the assignment."""
    frame.get_by_label("Your notebook").set_input_files(file)
    frame.get_by_role("button", name="Hand in").click()


def grades(there: There) -> Any:
    return httpx.get(f"{there.platform.issuer}/grades", trust_env=False).json()


def test_a_teacher_chooses_and_a_learner_goes_the_whole_way_in_the_frame(
    tmp_path: Path, kernels: Kernels, write_notebook: Callable[..., Path]
) -> None:
    if kernels.sandbox.tier == "none":
        pytest.skip("nothing isolates submissions here")
    with there(tmp_path) as at:
        with opened(at) as page:
            frame = page.frame_locator("iframe")
            page.goto(f"{at.platform.issuer}/course?who=ana&choose=")
            frame.get_by_label("Linear regression by gradient descent").check()
            frame.get_by_role("button", name="Add to the course").click()
            driver.expect(frame.get_by_text("successfully saved")).to_be_visible()
        with opened(at) as page:
            told: list[str] = []
            page.expose_binding("told", lambda _, words: told.append(words))
            page.add_init_script(LISTENING)
            frame = page.frame_locator("iframe").first
            page.goto(f"{at.platform.issuer}/course?who=wei")
            hand_in(frame, write_notebook(WRONG.read_text("utf-8")))
            driver.expect(frame.get_by_text("Received")).to_be_visible()
            finding = frame.frame_locator("iframe").locator(".finding.confirmed").first
            driver.expect(finding).to_contain_text("gives the name", timeout=GRADED_MS)
            assert told[-1] == "Done."
            assert any(words.startswith("Being graded now") for words in told)
            frame.get_by_role("link", name="Hand in again").click()
            hand_in(frame, REFERENCE)
            driver.expect(frame.locator(".score")).to_have_text("10 / 10", timeout=GRADED_MS)
            until(lambda: grades(at).get("wei", {}).get("score") == 1.0)
        with opened(at) as page:
            frame = page.frame_locator("iframe").first
            page.goto(f"{at.platform.issuer}/course?who=ana")
            frame.get_by_role("link", name="Wei").click()
            driver.expect(frame.get_by_text("10 / 10").first).to_be_visible()
