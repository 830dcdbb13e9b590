"""Somebody who works on a page of the platform in `tests.moodle_platform`, in whose frame the tool is shown."""

import html
import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from tests.moodle_platform import Moodle

Ask = Callable[..., httpx.Response]
_FORM = re.compile(r'<form (?=[^>]*data-(?:sent|going-back))[^>]*action="([^"]*)"')
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_ARRIVING = re.compile(r'data-arriving="([^"]*)"')
MOST_STEPS = 15


class Step(NamedTuple):
    """What a browser does next. by: the origin of who has it do that."""

    method: str
    url: str
    by: str
    data: dict[str, str] | None = None


class Framed:
    """The browser. ask: how it asks the tool, which keeps the tool's cookies.

    The platform's own cookie has no SameSite, so it is sent along only where a page of the platform leads there.
    """

    def __init__(self, moodle: Moodle, who: str, ask: Ask) -> None:
        self.moodle, self._ask = moodle, ask
        self._platform = httpx.Client(trust_env=False)
        self._platform.get(f"{moodle.url}/login", params={"who": who})

    def opens(self, path: str) -> httpx.Response:
        """What the frame shows in the end. path: of a page of the platform below `/mod/lti/`."""
        step: Step | None = Step("GET", f"{self.moodle.url}/mod/lti/{path}", self.moodle.url)
        for _ in range(MOST_STEPS):
            assert step is not None
            shown = self._does(step)
            step = following(shown, step)
            if step is None:
                return shown
        raise AssertionError("it goes on and on")

    def goes_on(self, shown: httpx.Response, by: str) -> httpx.Response:
        """What the frame shows in the end, after a page whose form sends itself."""
        step = following(shown, Step("GET", str(shown.url), by))
        while step is not None:
            shown = self._does(step)
            step = following(shown, step)
        return shown

    def _does(self, step: Step) -> httpx.Response:
        if origin(step.url) == self.moodle.url:
            way = self._platform if step.by == self.moodle.url else httpx.Client(trust_env=False)
            return way.request(step.method, step.url, data=step.data)
        headers: dict[str, Any] = {"sec-fetch-dest": "iframe"}
        if step.method == "POST":
            headers["origin"] = step.by
        return self._ask(step.method, step.url, data=step.data, headers=headers, follow_redirects=False)


def following(shown: httpx.Response, step: Step) -> Step | None:
    """What a page has its browser do by itself."""
    here = str(shown.url)
    if shown.is_redirect:
        to = urljoin(here, shown.headers["location"])
        # Where one that leads elsewhere was among the redirects, what comes after it is not of the first one's doing.
        return Step("GET", to, step.by if origin(here) == step.by else origin(here))
    if arriving := _ARRIVING.search(shown.text):
        return Step("GET", html.unescape(arriving[1]), origin(here))
    if form := _FORM.search(shown.text):
        fields = {name: html.unescape(value) for name, value in _FIELD.findall(shown.text)}
        return Step("POST", urljoin(here, html.unescape(form[1])), origin(here), fields)
    return None


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
