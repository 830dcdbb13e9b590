"""A learning platform on the loopback: what a fake Canvas and a fake Moodle have in common."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "a token of the teacher's"


class Asked(NamedTuple):
    """A request as it came: fields of the address and of the body, each with its last value."""

    method: str
    path: str
    fields: dict[str, str]
    headers: Mapping[str, str]


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Mapping[str, str] = {}


class Trouble(NamedTuple):
    """How the next write fails. done: what was asked for is done all the same. body: as it is, in place of JSON."""

    status: int
    headers: Mapping[str, str] = {}
    done: bool = False
    body: str = ""


class Fake:
    """A server in a thread; `asked` holds the requests, `troubles` what is in store for the writes to come."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.troubles: deque[Trouble] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> Answer:
        """What this platform answers."""
        raise NotImplementedError

    def is_write(self, asked: Asked) -> bool:
        """Whether it changes something."""
        raise NotImplementedError

    def _answered(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.is_write(asked) and self.troubles:
            trouble = self.troubles.popleft()
            if trouble.done:
                self.answer(asked)
            return Answer(trouble.status, trouble.body, trouble.headers)
        return self.answer(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                fields = {
                    name: values[-1]
                    for text in (parts.query, body)
                    for name, values in parse_qs(text, keep_blank_values=True).items()
                }
                answer = fake._answered(Asked(self.command, parts.path, fields, dict(self.headers)))
                content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content.encode())))
                self.end_headers()
                self.wfile.write(content.encode())

            do_GET = do_PUT = do_POST = _any  # noqa: N815 - http.server's own names

            def log_message(self, *_: object) -> None:
                pass

        return Handler
