"""A real browser, headless, as the tests of pages use it: spoken to by Chromium's own protocol."""

import asyncio
import base64
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.request import urlopen

from tornado.websocket import WebSocketClientConnection, websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--hide-scrollbars", "--remote-debugging-port=0"),
)
# A driver may lose sight of a frame that goes on to another process while it loads, and then waits for what is long there.
ONE_PROCESS = "--disable-site-isolation-trials"
SECONDS = 60
MAX_MESSAGE = 200_000_000


def found() -> str | None:
    """The path of a browser; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class View(NamedTuple):
    """How a page is looked at."""

    width: int
    dark: bool


class Seen(NamedTuple):
    """What became of a page. asked: the addresses that were fetched; said: errors and warnings of the browser.

    answers: what the scripts given to `look` evaluated to.
    """

    asked: list[str]
    said: list[str]
    answers: list[Any]


class Browser:
    """A context with one browser."""

    def __init__(self, *flags: str) -> None:
        self._flags = flags

    def __enter__(self) -> Self:
        """Start it."""
        browser = found()
        assert browser is not None
        self._folder = tempfile.mkdtemp(prefix="browser-")
        self._process = subprocess.Popen(
            [browser, *FLAGS, *self._flags, f"--user-data-dir={self._folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if told := re.search(r"ws://([^/]+)/", line):
                self._address = told[1]
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        shutil.rmtree(self._folder, ignore_errors=True)

    def look(
        self,
        page: Path | str,
        view: View,
        scripts: list[str] | None = None,
        cookies: dict[str, str] | None = None,
    ) -> Seen:
        """Open a file or an address, to which cookies are sent, and evaluate scripts in it."""
        seen: Seen = _done(self._look(page, view, scripts or [], cookies or {}))
        return seen

    def picture(self, page: Path, view: View, target: Path) -> None:
        """Save a picture of the whole page."""
        _done(self._picture(page, view, target))

    async def _look(self, page: Path | str, view: View, scripts: list[str], cookies: dict[str, str]) -> Seen:
        tab = await self._tab()
        await tab.send("Network.clearBrowserCookies")
        for name, value in cookies.items():
            await tab.send("Network.setCookie", name=name, value=value, url=str(page), httpOnly=True)
        await tab.show(page, view)
        await tab.send("Page.setBypassCSP", enabled=True)
        answers = [await tab.evaluate(script) for script in scripts]
        await tab.close()
        return Seen(tab.asked, tab.said, answers)

    async def _picture(self, page: Path, view: View, target: Path) -> None:
        tab = await self._tab()
        await tab.show(page, view)
        answer = await tab.send("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        target.write_bytes(base64.b64decode(answer["data"]))
        await tab.close()

    async def _tab(self) -> "_Tab":
        with urlopen(f"http://{self._address}/json/list", timeout=SECONDS) as answer:
            target = next(one for one in json.load(answer) if one["type"] == "page")
        socket = await websocket_connect(target["webSocketDebuggerUrl"], max_message_size=MAX_MESSAGE)
        return _Tab(socket)


class _Tab:
    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket, self._number = socket, 0
        self._loaded = False
        self.asked: list[str] = []
        self.said: list[str] = []

    async def show(self, page: Path | str, view: View) -> None:
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self.send(f"{domain}.enable")
        await self.send("Log.clear")
        self.said.clear()  # what was said of the page before is told again
        await self.send("Page.setBypassCSP", enabled=False)
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=view.width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if view.dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False
        await self.send("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while not self._loaded:
            self._heard(await self._next())

    async def evaluate(self, script: str) -> Any:
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def send(self, method: str, **params: Any) -> Any:
        self._number += 1
        await self._socket.write_message(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = await self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._heard(message)

    async def close(self) -> None:
        self._socket.close()
        async with asyncio.timeout(SECONDS):
            while await self._socket.read_message() is not None:
                pass

    async def _next(self) -> Any:
        message = await asyncio.wait_for(self._socket.read_message(), SECONDS)
        assert message is not None, "the browser ended"
        return json.loads(message)

    def _heard(self, message: Any) -> None:
        params = message.get("params", {})
        if message.get("method") == "Page.loadEventFired":
            self._loaded = True
        elif message.get("method") == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif message.get("method") == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif message.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.said.append(json.dumps(params)[:300])


def _done(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)
