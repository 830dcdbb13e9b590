"""A web server in front of a service: it may speak HTTPS, and lead a path on to the service, kept or taken away."""

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

# What is between two machines, and no part of what is passed on.
BETWEEN = {"connection", "keep-alive", "transfer-encoding", "upgrade"}
METHODS = ["GET", "HEAD", "POST"]


def passing(upstream: str, outer: str, inner: str, scheme: str) -> Starlette:
    """Requests below one path go to the upstream, below another; all others are nobody's. What is answered is passed on as it comes."""

    async def answer(request: Request) -> Response:
        rest = request.url.path.removeprefix(outer)
        headers = {name: value for name, value in request.headers.items() if name not in BETWEEN}
        assert request.client is not None
        headers |= {"x-forwarded-for": request.client.host, "x-forwarded-proto": scheme}
        asked = request.app.state.http.build_request(
            request.method,
            httpx.URL(f"{upstream}{inner}{rest}", query=request.url.query.encode()),
            headers=headers,
            content=request.stream() if "content-length" in headers else None,
        )
        got = await request.app.state.http.send(asked, stream=True)
        passed = StreamingResponse(got.aiter_raw(), got.status_code)
        passed.raw_headers = [one for one in got.headers.raw if one[0].decode().lower() not in BETWEEN]
        return passed

    @asynccontextmanager
    async def client(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False, timeout=None) as app.state.http:
            yield

    paths = [f"{outer}/{{rest:path}}", *([outer] if outer else [])]
    return Starlette(routes=[Route(path, answer, methods=METHODS) for path in paths], lifespan=client)


@contextmanager
def in_front(
    upstream: str, *, pem: Path | None = None, outer: str = "", inner: str | None = None
) -> Iterator[int]:
    """The port of the web server, until the test is over. pem: its certificate; inner: what `outer` becomes, nothing where it is kept."""
    scheme = "http" if pem is None else "https"
    app = passing(upstream, outer, outer if inner is None else inner, scheme)
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, ssl_certfile=pem)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
