"""What the pages work with, and what one request is to them."""

import hmac
import threading
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grader.exercise import Exercise, course_folder, load_exercise
from grader.model import Language, Text
from grader.settings import Settings
from grader.web.cookies import set_framed
from grader.web.logs import Log
from grader.web.metrics import Metrics
from grader.web.platform import Lti
from grader.web.rates import Rates
from grader.web.rendering import page, remember_language
from grader.web.store import courses, people
from grader.web.store.codes import digest, new_token
from grader.web.store.records import Asked, Visitor
from grader.web.store.store import Store

SECONDS_OF_A_DAY = 86_400
MOST_ROWS = 2**31 - 1


class Refusal(Exception):  # noqa: N818 - named for what it is, as the visitor reads it
    """A request is not carried out: the status and the words of the answer. wait: seconds after which it may be."""

    def __init__(self, status: int, text: Text, wait: float = 0.0) -> None:
        super().__init__(status, text)
        self.status, self.text, self.wait = status, text, wait


class Service(NamedTuple):
    """queued: called when there is something to grade; ready: whether that is possible; ending: whether the service is about to stop.

    reading: held while a file is read, so that of those that take much memory there is one at a time. lti: the way in from learning
    platforms. secure: whether browsers reach it by HTTPS.
    """

    store: Store
    settings: Settings
    log: Log
    metrics: Metrics
    rates: Rates
    queued: Callable[[], None]
    ready: Callable[[], bool]
    ending: Callable[[], bool]
    reading: threading.Lock
    lti: Lti
    secure: bool = False

    @property
    def root(self) -> str:
        """The path that all of ours lie below, such as `/services/grader`; empty where the host is the service's own."""
        return urlsplit(self.lti.tool.base).path

    @property
    def cookie(self) -> str:
        """The name of the cookie. With `__Host-` no other host of the domain can set it, which HTTPS alone allows, and at the root."""
        kind = "__Secure-" if self.root else "__Host-"
        return f"{kind if self.secure else ''}grader"

    @property
    def cookie_path(self) -> str:
        """Where a browser sends our cookies: not to what else there is on the host."""
        return self.root or "/"

    @property
    def framed_cookie(self) -> str:
        """The name of the cookie of who came from a learning platform."""
        return f"{self.cookie}-framed"

    def exercise(self, slug: str) -> Exercise:
        """An exercise of the course folder. Raises GraderError where it is gone or malformed."""
        return load_exercise(course_folder(self.settings.course), slug)


class Call(NamedTuple):
    """A request. token: what the cookie holds; visitor: who has it; form: what was sent."""

    request: Request
    service: Service
    spoken: Language
    token: str
    visitor: Visitor | None = None
    form: FormData | None = None

    @property
    def who(self) -> Visitor:
        """The visitor, of pages that only somebody signed in sees."""
        assert self.visitor is not None
        return self.visitor

    @property
    def csrf(self) -> str:
        """What every form has to send: another site can neither read the cookie nor this."""
        return digest("csrf", self.token)

    def field(self, name: str) -> str:
        """A field of the form, as text."""
        value = None if self.form is None else self.form.get(name)
        return value.strip() if isinstance(value, str) else ""

    def demand_own_form(self) -> None:
        """Raise Refusal where the form is not from a page of ours that this visitor saw."""
        if not self.token or not hmac.compare_digest(self.field("csrf").encode(), self.csrf.encode()):
            raise Refusal(403, Text(id="web-form-stale"))

    def number(self, name: str) -> int:
        """A number in the address. Raises Refusal for one that no row can have."""
        if (number := int(self.request.path_params[name])) > MOST_ROWS:
            raise Refusal(404, Text(id="web-not-found"))
        return number

    def assignment(self) -> Asked:
        """The assignment in the address, of the visitor's course. Raises Refusal."""
        found = self.service.store.read(courses.assignment, self.who.course, self.number("assignment"))
        if found is None:
            raise Refusal(404, Text(id="web-not-found"))
        return found

    def page(self, template: str, status: int = 200, /, **words: Any) -> Response:
        """A page from a template."""
        return page(
            self.request, template, self.spoken, status, visitor=self.visitor, csrf=self.csrf, **words
        )

    def go(self, path: str) -> Response:
        """On to another page of ours, by its path below the root."""
        answer = RedirectResponse(f"{self.service.root}{path}", 303)
        remember_language(self.request, answer)
        return answer

    def signed_in(self, person: int, answer: Response) -> Response:
        """Give somebody a new token; what the browser had before is worth nothing any more. Raises Refusal where they are gone."""
        token = self.service.store.write(people.change_visit, self.token, person)
        if token is None:
            raise Refusal(401, Text(id="web-own-unknown"))
        self.keep(token, answer)
        self.drop_framed(answer)
        return answer

    def keep_framed(self, name: str, value: str, answer: Response, *, seconds: int, below: str = "") -> None:
        """Have the browser keep something that it sends in frames of other sites too. below: for pages below this path of ours alone."""
        path = f"{self.service.root}{below}" or "/"
        set_framed(answer, name, value, seconds=seconds, secure=self.service.secure, path=path)

    def drop_framed(self, answer: Response) -> None:
        """Have the browser forget that somebody came from a learning platform, if it knows."""
        name = self.service.framed_cookie
        if name in self.request.cookies:
            self.keep_framed(name, "", answer, seconds=0)

    def keep(self, token: str, answer: Response) -> None:
        """Have the browser keep a token."""
        answer.set_cookie(
            self.service.cookie,
            token,
            max_age=people.VISIT_DAYS * SECONDS_OF_A_DAY,
            httponly=True,
            secure=self.service.secure,
            samesite="lax",
            path=self.service.cookie_path,
        )

    def with_token(self) -> "Call":
        """The same with a token, if it has none: what forms are tied to before anybody is signed in."""
        return self if self.token else self._replace(token=new_token())
