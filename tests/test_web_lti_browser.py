"""The way in from a learning platform in a real browser, in a frame of another site: with cookies there, and without."""

import html
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
import uvicorn

from grader.web.store import platforms
from grader.web.store.store import open_store
from tests.browser import Browser, Seen, View, found
from tests.lti_site import Asked, Reply, serving
from tests.test_lti_outbound import certificate
from tests.web import Pages
from tests.web_lti import Lms

pytestmark = [pytest.mark.slow, pytest.mark.skipif(found() is None, reason="needs Chromium")]

VIEW = View(1280, dark=False)
SECONDS = 60.0
# What a platform's page does that keeps things for tools: it answers the frame that asked.
KEEPS = """
const kept = {};
addEventListener("message", (event) => {
  const { subject, message_id, key, value } = event.data;
  if (subject === "lti.put_data") kept[key] = value;
  if (!["lti.put_data", "lti.get_data"].includes(subject)) return;
  event.source.postMessage({ subject: `${subject}.response`, message_id, key, value: kept[key] }, event.origin);
});
"""


class School:
    """A platform at `localhost`, which is another site than the service at `127.0.0.1`."""

    def __init__(self, lms: Lms, pages: Pages, address: str) -> None:
        self.lms, self.pages, self.address = lms, pages, address
        self.claims: dict[str, Any] = {}  # in which the next to come differs
        self.url = f"http://localhost:{lms.site.port}"
        platform = msgspec.structs.replace(lms.platform, login_url=f"{self.url}/auth")
        lms.store.write(platforms.register, platform)
        lms.site.answers["GET /auth"] = self._auth

    def show(self, *, keeps: bool = False, width: str = "100%") -> str:
        """The address of a page with the frame. keeps: whether the platform offers to keep things for tools."""
        said = self.lms.announced(**({"lti_storage_target": "_parent"} if keeps else {}))
        return self.framing(f"{self.address}/lti/login?{urlencode(said)}", KEEPS if keeps else "", width)

    def framing(self, address: str, script: str = "", width: str = "100%") -> str:
        """The address of a page of the platform's with an address in a frame."""
        page = (
            f"<!DOCTYPE html><html lang='en'><title>LMS</title><script>{script}</script><style>body {{ margin: 0 }}</style>"
            f"<iframe src='{html.escape(address)}' style='border: 0; width: {width}; height: 700px' title='Tool'></iframe>"
        )
        kind = (("Content-Type", "text/html"),)
        self.lms.site.answers["GET /page"] = lambda _: Reply(page.encode(), 200, kind)
        return f"{self.url}/page"

    def look(self, browser: Browser, *, keeps: bool, route: str) -> Seen:
        """Open the page with the frame, and wait until the service has answered a route in it."""
        self.lms.site.answers["GET /until"] = lambda _: self._until(route)
        wait = "fetch('/until').then(answer => answer.text())"
        return browser.look(self.show(keeps=keeps), VIEW, [wait])

    def routes(self) -> list[tuple[str, str, int]]:
        lines = [json.loads(line) for line in self.pages.log.getvalue().splitlines()]
        asked = [line for line in lines if line["event"] == "request"]
        return [(line["method"], line["route"], line["status"]) for line in asked]

    def _until(self, route: str) -> Reply:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if any(one == route for _, one, _ in self.routes()):
                return Reply(b"there")
            time.sleep(0.05)
        return Reply(str(self.routes()).encode())

    def _auth(self, asked: Asked) -> Reply:
        fields = self.lms.form(asked.path, self.claims)
        inputs = "".join(
            f"<input name='{name}' value='{html.escape(value)}'>" for name, value in fields.items()
        )
        form = f"<form method='post' action='{self.address}/lti/launch'>{inputs}</form>"
        body = f"<!DOCTYPE html>{form}<script>document.forms[0].submit()</script>"
        return Reply(body.encode(), 200, (("Content-Type", "text/html"),))


@contextmanager
def school(folder: Path, pem: Path | None) -> Iterator[School]:
    with (
        serving() as site,
        open_store(str(folder / "a.sqlite"), folder / "files") as store,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        address = f"http{'s' * (pem is not None)}://127.0.0.1:{listening.getsockname()[1]}"
        pages = Pages(store, secure=pem is not None, address=address)
        config = uvicorn.Config(
            pages.app,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ssl_certfile=pem,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield School(Lms(site, pages), pages, address)
        finally:
            server.should_exit = True
            thread.join()


def opened() -> Browser:
    """One for each test, which is gone before the server: that would not close what is encrypted."""
    return Browser("--ignore-certificate-errors")


ASSIGNMENT = "/assignments/{assignment:int}"


def test_behind_https_the_visit_goes_on_in_the_frame(tmp_path: Path) -> None:
    with school(tmp_path, certificate(tmp_path)) as there, opened() as browser:
        seen = there.look(browser, keeps=False, route=ASSIGNMENT)
        assert seen.answers == ["there"]
        ways = [way for way in there.routes() if not way[1].startswith("/static")]
        assert ways == [("GET", "/lti/login", 200), ("POST", "/lti/launch", 303), ("GET", ASSIGNMENT, 200)]


def test_without_cookies_the_platform_keeps_the_secret(tmp_path: Path) -> None:
    with school(tmp_path, None) as there, opened() as browser:
        there.look(browser, keeps=True, route="/lti/launch")
        until = time.monotonic() + SECONDS
        while len(launches := [way for way in there.routes() if way[1] == "/lti/launch"]) < 2:
            assert time.monotonic() < until, there.routes()
            time.sleep(0.05)
        assert launches == [("POST", "/lti/launch", 200)] * 2
        assert there.lms.store.read(platforms.frames)
