"""The application: its pages, what surrounds every answer, and errors in words."""

import math
import time
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.errors import GradebookError, GraderError, LaunchRefused
from grader.lms.lti.tool import KEYS, LAUNCH, LOGIN, REGISTER
from grader.load import MAX_BYTES
from grader.model import Text, said_by
from grader.web import (
    arrivals,
    choosing,
    entrance,
    exporting,
    health,
    learner,
    own,
    pictures,
    registering,
    regrading,
    reviewing,
    roster,
    teacher,
)
from grader.web.doors import ANYONE, BOTH, LEARNER, TEACHER, BodyTooLarge, get, outside, post, stream
from grader.web.frames import framed_by, origins
from grader.web.hub import below
from grader.web.languages import spoken
from grader.web.rendering import page
from grader.web.service import Refusal, Service
from grader.web.store import platforms

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What an answer has where it says nothing else.
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
# Monitors ask by an address, and are told nothing else.
BY_ANY_NAME = {"/healthz", "/readyz"}
HTTPS_ONLY = "max-age=31536000"
# None of ours is as long; and a number of thousands of digits is more than Python reads.
LONGEST_PATH = 1000


def application(service: Service, hosts: frozenset[str]) -> ASGIApp:
    """The service as an ASGI application. hosts: by which names it is reached; a page of another site may lead here by its own."""
    app = Starlette(
        routes=routes(),
        exception_handlers={
            HTTPException: _by_status,
            Refusal: _refused,
            LaunchRefused: _not_let_in,
            BodyTooLarge: _too_large,
            ClientDisconnect: _gone,
            TimeoutError: _too_slow,
            GraderError: _failed,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False  # an address is what it is, and none leads elsewhere
    app.state.service = service
    return Surroundings(app, service, hosts)


def routes() -> list[BaseRoute]:
    """Every address, and who may see it."""
    return [
        get("/", entrance.front, ANYONE),
        post("/enter", entrance.enter, ANYONE),
        post("/leave", entrance.leave, BOTH),
        outside(LOGIN, arrivals.login, ("GET", "POST")),
        outside(LAUNCH, arrivals.launch, ("POST",), most=arrivals.LAUNCH_BYTES),
        outside("/lti/enter", arrivals.enter, ("POST",)),
        get("/lti/choices/{choice:int}", choosing.choices, TEACHER),
        post("/lti/choices/{choice:int}", choosing.choose, TEACHER, fields=500),
        outside(REGISTER, registering.register, ("GET",)),
        outside(KEYS, arrivals.keys, ("GET",)),
        get("/course", learner.course, BOTH),
        get("/own", own.mine, LEARNER),
        get("/own/copy", own.copy, LEARNER, kind="copy"),
        get("/assignments/{assignment:int}", learner.assignment, BOTH),
        get("/assignments/{assignment:int}/starter", learner.starter, BOTH),
        post(
            "/assignments/{assignment:int}/attempts",
            learner.hand_in,
            LEARNER,
            most=learner.UPLOAD_BYTES,
            kind="upload",
        ),
        get("/attempts/{attempt:int}", learner.attempt, BOTH),
        stream("/attempts/{attempt:int}/events", learner.events, BOTH),
        get("/attempts/{attempt:int}/report", learner.report, BOTH),
        get("/attempts/{attempt:int}/file", learner.file, BOTH),
        get("/assignments/{assignment:int}/class", teacher.members, TEACHER),
        get("/assignments/{assignment:int}/class/overview", pictures.picture, TEACHER),
        get("/assignments/{assignment:int}/class/similar/{one}/{other}.html", pictures.pair, TEACHER),
        get("/assignments/{assignment:int}/class/missing", roster.missing, TEACHER),
        post("/assignments/{assignment:int}/class/deliveries", teacher.send_again, TEACHER),
        get("/assignments/{assignment:int}/class/grades.csv", teacher.table, TEACHER),
        get("/assignments/{assignment:int}/class/reports/{student}.html", teacher.student_report, TEACHER),
        get("/assignments/{assignment:int}/students/{student}", teacher.student, TEACHER),
        post("/assignments/{assignment:int}/students/{student}/override", teacher.decide, TEACHER),
        get("/assignments/{assignment:int}/exports", exporting.offer, TEACHER),
        post(
            "/assignments/{assignment:int}/exports",
            exporting.fill,
            TEACHER,
            most=learner.UPLOAD_BYTES,
            kind="upload",
        ),
        get("/assignments/{assignment:int}/exports/{sheet:int}", exporting.filled, TEACHER),
        get("/assignments/{assignment:int}/exports/{sheet:int}/file", exporting.filled_file, TEACHER),
        get("/assignments/{assignment:int}/reviews", reviewing.queue, TEACHER),
        post("/attempts/{attempt:int}/review", reviewing.settle, TEACHER),
        get("/assignments/{assignment:int}/regrade", regrading.offer, TEACHER),
        post("/assignments/{assignment:int}/regrade", regrading.begin, TEACHER),
        get("/attempts/{attempt:int}/regrade", regrading.offer_one, TEACHER),
        post("/attempts/{attempt:int}/regrade", regrading.begin_one, TEACHER),
        get("/regrades/{regrade:int}", regrading.regrade, TEACHER),
        post("/regrades/{regrade:int}", regrading.settle, TEACHER),
        get("/regrades/{regrade:int}/attempts/{attempt:int}/report", regrading.trial_report, TEACHER),
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/favicon.ico", _no_icon, methods=["GET"]),
        get("/readyz", health.readyz, ANYONE),
        get("/metrics", health.metrics, ANYONE),
        Mount("/static", _Static(directory=Path(str(resources.files(__package__) / "static")))),
    ]


class _Static(StaticFiles):
    """Our own style and script, which browsers keep and ask about."""

    def file_response(self, *given: Any, **named: Any) -> Response:
        """The file, or that it has not changed."""
        answer = super().file_response(*given, **named)
        answer.headers["cache-control"] = "no-cache"
        return answer


class Surroundings:
    """Around every answer: the host that it was asked by, headers, a line in the log, and numbers. Errors end here."""

    def __init__(self, app: ASGIApp, service: Service, hosts: frozenset[str]) -> None:
        self._app, self._service, self._hosts = app, service, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500
        scope = below(self._service.root, scope)

        async def with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                frames = scope.get("state", {}).get("frames")
                message["headers"] = self._headers(message["headers"], frames)
            await send(message)

        try:
            await self._answering(scope)(scope, receive, with_headers)
        except Exception as error:  # noqa: BLE001 - it has been answered; this is where it is told
            self._service.log.failed("page-failed", error)
        self._tell(scope, status, time.monotonic() - began)

    def _answering(self, scope: Scope) -> ASGIApp:
        path = scope["path"]
        if len(path) > LONGEST_PATH:
            return PlainTextResponse("Too long an address.\n", 414)
        if _host(scope) not in self._hosts and path.removeprefix(self._service.root) not in BY_ANY_NAME:
            return PlainTextResponse("Unknown host.\n", 421)
        return self._app

    def _headers(self, given: list[tuple[bytes, bytes]], frames: str | None) -> list[tuple[bytes, bytes]]:
        own = HEADERS | ({"strict-transport-security": HTTPS_ONLY} if self._service.secure else {})
        there = {name.lower() for name, _ in given}
        more = [(name.encode(), value.encode()) for name, value in own.items() if name.encode() not in there]
        return framed_by(frames, [*given, *more]) if frames else [*given, *more]

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        """The address is told by what it leads to, without the numbers in it."""
        route = getattr(scope.get("route"), "path", None) or "none"
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST"} else "other"
        self._service.metrics.answered(method, route, status, seconds)
        self._service.log.say(
            "request", method=method, route=route, status=status, ms=round(1000 * seconds, 1)
        )


def _host(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    try:
        return urlsplit(f"//{given}").hostname or ""
    except ValueError:
        return ""


async def _healthz(_: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("alive\n")


async def _no_icon(_: Request) -> Response:
    """Browsers ask for it beside pages that name none, as reports do."""
    return Response(status_code=204, headers={"cache-control": "max-age=86400"})


# ---- errors -------------------------------------------------------------------------------------

WORDS = {
    400: Text(id="web-malformed"),
    403: Text(id="web-not-yours"),
    404: Text(id="web-not-found"),
    405: Text(id="web-not-so"),
}


def _message(request: Request, status: int, text: Text) -> Response:
    return page(request, "message", spoken(request), status, text=text, status=status, visitor=None, csrf="")


def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _message(request, error.status_code, WORDS.get(error.status_code, Text(id="web-malformed")))
    answer.headers.update(error.headers or {})
    return answer


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    answer = _message(request, error.status, error.text)
    if error.wait:
        answer.headers["retry-after"] = str(math.ceil(error.wait))
    return answer


def _not_let_in(request: Request, error: Exception) -> Response:
    """Somebody from a learning platform, who reads why in its frame."""
    assert isinstance(error, LaunchRefused)
    service: Service = request.app.state.service
    service.log.failed("launch-refused", error)
    request.state.frames = origins(service.store.read(platforms.frames))
    return _message(request, error.status, said_by(error))


def _too_large(request: Request, _: Exception) -> Response:
    text = Text(id="web-too-large", params={"limit_mb": MAX_BYTES // 1_000_000})
    answer = _message(request, 413, text)
    answer.headers["connection"] = "close"  # what else comes is not read
    return answer


def _too_slow(request: Request, _: Exception) -> Response:
    answer = _message(request, 408, Text(id="web-too-slow"))
    answer.headers["connection"] = "close"
    return answer


def _gone(_: Request, __: Exception) -> Response:
    """Whoever sent something left in the midst of it, so nobody reads this."""
    return Response(status_code=400)


def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours, without its reason, which may name what is none of a visitor's business."""
    service: Service = request.app.state.service
    if isinstance(error, GraderError):  # others are told where they end
        service.log.failed("page-failed", error)
    if isinstance(error, GradebookError):
        return _message(request, 503, Text(id="web-database-away"))
    return _message(request, 500, Text(id="web-failed"))
