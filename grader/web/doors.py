"""What each request passes before a page sees it: how often, who, in which role, how much, from which page of ours."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from grader.model import Text
from grader.web.frames import in_frame, origins
from grader.web.languages import spoken
from grader.web.rates import BY_ADDRESS, BY_VISIT, Rate, origin
from grader.web.service import Call, Refusal, Service
from grader.web.store import people, platforms
from grader.web.store.records import Role, Visitor

Work = Callable[[Call], Response]
# A form's fields without a file, and what is around a file; in bytes.
FORM_BYTES = 64_000
# A body that has not come after so many seconds is not waited for.
BODY_SECONDS = 120.0
# No body that is taken has a length of more digits.
_NUMBER = re.compile(r"[0-9]{1,15}")
ANYONE: tuple[Role, ...] = ()
LEARNER: tuple[Role, ...] = ("learner",)
TEACHER: tuple[Role, ...] = ("teacher",)
BOTH: tuple[Role, ...] = ("learner", "teacher")


class BodyTooLarge(OSError):  # noqa: N818 - named for what it is
    """More came than may: an OSError, so that the parser of forms closes what it has opened."""


def get(path: str, work: Work, roles: tuple[Role, ...], *, kind: str = "page") -> Route:
    """A page. Who is not signed in is sent to the entrance. kind: what of it may be done how often, besides looking at pages."""

    async def answer(request: Request) -> Response:
        call = await run_in_threadpool(admitted, request, roles)
        if call is None:
            return Response(status_code=303, headers={"location": f"{request.app.state.service.root}/"})
        if kind != "page":
            _slow_down(call.service, kind, request, call.token)
        return await run_in_threadpool(work, call)

    return Route(path, answer, methods=["GET"], name=work.__name__)


def post(  # noqa: PLR0913 - what a form is
    path: str,
    work: Work,
    roles: tuple[Role, ...],
    *,
    most: int = FORM_BYTES,
    kind: str = "page",
    fields: int = 10,
) -> Route:
    """A form of ours. most: bytes of its body; kind: what of it may be done how often; fields: how many it has at most."""

    async def answer(request: Request) -> Response:
        call = await run_in_threadpool(admitted, request, roles)
        if call is None:
            raise Refusal(401, Text(id="web-sign-in-first"))
        _slow_down(call.service, kind, request, call.token)
        bounded = _bounded(request, most)
        async with asyncio.timeout(BODY_SECONDS), bounded.form(max_files=1, max_fields=fields) as form:
            whole = call._replace(form=form)
            whole.demand_own_form()
            return await run_in_threadpool(work, whole)

    return Route(path, answer, methods=["POST"], name=work.__name__)


def outside(path: str, work: Work, methods: tuple[str, ...], *, most: int = FORM_BYTES) -> Route:
    """What other sites send browsers to: who comes is nobody yet, whatever cookies there are, and no form of ours is asked for.

    Its pages lead to no other page of ours: in a frame, that would be shown to nobody.
    """

    async def answer(request: Request) -> Response:
        service: Service = request.app.state.service
        request.state.outside = True
        await run_in_threadpool(slow_down, service, "page", request)
        call = Call(request, service, spoken(request), "")
        if request.method != "POST":
            return await run_in_threadpool(work, call)
        bounded = _bounded(request, most)
        async with asyncio.timeout(BODY_SECONDS), bounded.form(max_files=0, max_fields=100) as form:
            return await run_in_threadpool(work, call._replace(form=form))

    return Route(path, answer, methods=list(methods), name=work.__name__)


def stream(path: str, work: Callable[[Call], Awaitable[Response]], roles: tuple[Role, ...]) -> Route:
    """An answer that goes on for a while. It is not begun anew without end."""

    async def answer(request: Request) -> Response:
        call = await run_in_threadpool(admitted, request, roles)
        if call is None:
            raise Refusal(401, Text(id="web-sign-in-first"))
        _slow_down(call.service, "stream", request, call.token)
        return await work(call)

    route = Route(path, answer, methods=["GET"], name=work.__name__)
    route.methods = {"GET"}  # of HEAD nobody would see when it ends
    return route


def admitted(request: Request, roles: tuple[Role, ...]) -> Call | None:
    """The request with who asks; None where somebody has to sign in first. Raises Refusal."""
    service: Service = request.app.state.service
    token, visitor = _known(request, service)
    _slow_down(service, "page", request, token)
    if visitor is not None:
        request.state.frames, request.state.language = visitor.frames, visitor.language
    call = Call(request, service, spoken(request), token, visitor)
    if not roles:
        return call
    if visitor is None:
        _come_again(request, service)
        return None
    if visitor.role not in roles:
        raise Refusal(403, Text(id="web-not-yours"))
    return call


def _known(request: Request, service: Service) -> tuple[str, Visitor | None]:
    """The token of a request and whose it is; who came from a learning platform last is that one."""
    given = (request.cookies.get(name, "") for name in (service.framed_cookie, service.cookie))
    tokens = [token for token in given if token]
    for token in tokens:
        if (visitor := service.store.read(people.visitor, token)) is not None:
            return token, visitor
    return tokens[-1] if tokens else "", None


def _come_again(request: Request, service: Service) -> None:
    """In a frame of a learning platform there is no entrance to go to. Raises Refusal there, which its page may show."""
    if in_frame(request):
        request.state.outside = True
        request.state.frames = origins(service.store.read(platforms.frames))
        raise Refusal(401, Text(id="lti-come-again"))


def slow_down(service: Service, kind: str, request: Request) -> None:
    """Count something that an address did. Raises Refusal where that was too often."""
    _take(service, kind, origin("" if request.client is None else request.client.host), BY_ADDRESS)


def _slow_down(service: Service, kind: str, request: Request, token: str) -> None:
    slow_down(service, kind, request)
    if token:
        _take(service, kind, token, BY_VISIT)


def _take(service: Service, kind: str, who: str, rates: dict[str, Rate]) -> None:
    if kind in rates and (wait := service.rates.take(kind, who, rates[kind])):
        raise Refusal(429, Text(id="web-too-often"), wait)


def _bounded(request: Request, most: int) -> Request:
    """A request whose body is read up to so many bytes. Raises BodyTooLarge at once for one that says it has more, or nonsense."""
    declared = request.headers.get("content-length", "0")
    if not _NUMBER.fullmatch(declared) or int(declared) > most:
        raise BodyTooLarge
    came = 0

    async def receive() -> Message:
        nonlocal came
        message = await request.receive()
        came += len(message.get("body", b""))
        if came > most:
            raise BodyTooLarge
        return message

    return Request(request.scope, receive)
