"""For monitors: whether the service lives, whether it can grade, and its numbers."""

import ipaddress

from starlette.responses import PlainTextResponse, Response

from grader.errors import GradebookError
from grader.model import Text
from grader.web.service import Call, Refusal
from grader.web.store import jobs


def readyz(call: Call) -> Response:
    """200 where files are taken and graded, else 503."""
    try:
        call.service.store.read(jobs.any_free)
    except GradebookError:
        return PlainTextResponse("database\n", 503)
    if not call.service.ready() or call.service.ending():
        return PlainTextResponse("grading\n", 503)
    return PlainTextResponse("ready\n")


def metrics(call: Call) -> Response:
    """Prometheus's numbers, for this machine alone."""
    if not _is_local("" if call.request.client is None else call.request.client.host):
        raise Refusal(404, Text(id="web-not-found"))
    store = call.service.store
    text = call.service.metrics.render(lambda: store.read(jobs.waiting))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
