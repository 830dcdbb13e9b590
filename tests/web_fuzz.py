"""Requests of any kind, sent to the pages in this process as a server would hand them on: bytes, whatever is in them."""

import asyncio
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlencode

from hypothesis import strategies as st
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Message

from grader.web.app import HEADERS, application, routes
from grader.web.rates import Rates
from grader.web.store import people, standing
from grader.web.store.codes import digest
from grader.web.store.store import Store
from tests.stores import new_store
from tests.web import NOTEBOOK, Pages, School, grade_next

WEB = Path(__file__).parents[1] / "grader" / "web"
# What forms of ours and of platforms are known to hold, and what handlers ask for: of new pages too.
FIELDS = sorted(
    {
        name
        for path in [*WEB.rglob("*.html"), *WEB.glob("*.py")]
        for name in re.findall(r'(?:\bname|field\(|get\(|getlist\()="?"?(\w+)"', path.read_text("utf-8"))
    }
    | {
        "csrf",
        "file",
        "score",
        "language",
        "iss",
        "state",
        "id_token",
        "login_hint",
        "target_link_uri",
        "invitation",
    }
)
ALWAYS = set(HEADERS) - {"x-frame-options"}  # a page in a frame has none, and its policy says of whom
NASTY = [
    *("", "0", "-1", "1e999", "nan", "1_0", "²", "9" * 30, "9" * 5000, "1" * 300, "None", "\x00", "a\x00b", "\ufffe", "🦆", "\u202e"),
    *("../../etc/passwd", "..%2f..%2f", "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)"),
    *("<script>alert(1)</script>", "{{7*7}}", "%s%n{0}{x}", "'; DROP TABLE people; --", "=1+1", "a\r\nset-cookie: a=b"),
    *("2099-12-24T18:00", "9999-12-31T23:59:59-23:59", "0001-01-01", "linear_regression", "dl101", "é" * 200),
]  # fmt: skip
TEXT = st.sampled_from(NASTY) | st.text(max_size=40)
BYTES = st.binary(max_size=40)
VISIBLE = st.binary(max_size=30).map(lambda value: bytes(one for one in value if one not in b"\r\n\0"))
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "gEt", "")
TYPES = [
    *(b"application/x-www-form-urlencoded", b"application/x-www-form-urlencoded; charset=bogus"),
    *(b"multipart/form-data; boundary=b", b"multipart/form-data", b"multipart/form-data; boundary=", b"text/plain"),
    *(b"multipart/form-data; boundary=" + b"b" * 5000, b"multipart/form-data; charset=utf-7; boundary=b"),
    *(b"MULTIPART/FORM-DATA; BOUNDARY=b", b"application/json", b"\xff\xfe", b""),
]  # fmt: skip
WHO = ("anonymous", "learner", "teacher")
CONTENTS = [
    NOTEBOOK,
    b"",
    b"{",
    b"[" * 100_000,
    b"w = 1\n",
    b"(" * 5000,
    b"\xff\xfe\x00",
    b"PK\x03\x04",
    b"{}",
    b'{"cells": 1e999}',
]


class Asked(NamedTuple):
    """A request. chunks: its body, piece by piece; left: whether the connection ends in the midst of it."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    chunks: list[bytes]
    left: bool


class Answer(NamedTuple):
    """What came back. status: None where nobody was there any more to hear it."""

    status: int | None
    headers: dict[str, str]
    body: bytes


class Town:
    """The pages of a school, with who asks them; how often somebody may ask is not minded."""

    def __init__(self, store: Store) -> None:
        pages, school = Pages(store), School(store)
        Path(store.files.folder).mkdir(exist_ok=True)
        learner = school.learner()
        teacher = store.write(people.teacher_of_code, school.teacher_code)
        assert teacher is not None
        school.receive(learner)
        grade_next(store, 7)
        (line,) = store.read(standing.lines, school.asked)
        self.pseudonym, self.log, self.streams = line.pseudonym, pages.log, False
        self.tokens = {
            "anonymous": "x" * 43,
            "learner": store.write(people.begin_visit, learner),
            "teacher": store.write(people.begin_visit, teacher),
        }
        clock = count(0, 10_000)
        service = pages.service._replace(rates=Rates(lambda: float(next(clock))), ending=lambda: self.streams)
        self.app = application(service, frozenset({"localhost"}))

    def ask(self, asked: Asked) -> Answer:
        """What a request is answered."""
        self.streams = asked.path.endswith("/events")
        return asyncio.run(self._ask(asked))

    async def _ask(self, asked: Asked) -> Answer:
        coming: list[Message] = [
            {"type": "http.request", "body": one, "more_body": True} for one in asked.chunks
        ]
        if not asked.left:
            coming.append({"type": "http.request", "body": b"", "more_body": False})
        said: list[Message] = []

        async def receive() -> Message:
            if coming:
                return coming.pop(0)
            if not asked.left:
                await asyncio.sleep(60)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "http",
            "path": unquote_to_bytes(asked.path).decode("utf-8", "replace"),
            "raw_path": asked.path.encode("utf-8", "replace"),
            "query_string": asked.query,
            "root_path": "",
            "headers": asked.headers,
            "client": ("127.0.0.1", 5000),
            "server": ("127.0.0.1", 80),
        }
        await self.app(scope, receive, send)
        if not said:
            return Answer(None, {}, b"")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in said[0]["headers"]}
        return Answer(said[0]["status"], headers, b"".join(one.get("body", b"") for one in said[1:]))

    def require_sound(self, asked: Asked) -> None:
        """Ask, and require what holds of every answer."""
        self.log.seek(0)
        self.log.truncate()
        answer = self.ask(asked)
        assert asked.left or answer.status is not None
        if answer.status is not None:
            assert 200 <= answer.status < 500, (answer.status, self.log.getvalue()[-4000:])
            assert set(answer.headers) >= ALWAYS
            assert "evil.example" not in answer.headers.get("location", "")
            assert b'href="//' not in answer.body
            assert b"<script>alert" not in answer.body
        noted = [json.loads(line) for line in self.log.getvalue().splitlines()]
        assert not [one for one in noted if "trace" in one or one["event"] == "page-failed"]


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A school whose pages are asked."""
    with new_store(folder) as store:
        yield Town(store)


def addresses() -> list[str]:
    """Every address that there is, with its parameters in braces; below a folder of files, any."""
    return [_address(route) for route in routes()]


def _address(route: BaseRoute) -> str:
    assert isinstance(route, Route | Mount)
    return f"{route.path}/{{path}}" if isinstance(route, Mount) else route.path


@st.composite
def requests(draw: st.DrawFn, town: Town) -> Asked:
    """Any request to an address, more often than not of a kind that a handler sees."""
    who = draw(st.sampled_from(WHO))
    path = re.sub(
        r"\{(\w+)(:\w+)?\}", lambda found: _parameter(draw, town, found), draw(st.sampled_from(addresses()))
    )
    path = draw(st.just(path) | st.just(path + "/") | TEXT.map(lambda more: f"/{more}"))
    query = draw(
        st.just(b"") | BYTES | _pairs().map(lambda pairs: urlencode(pairs, errors="replace").encode())
    )
    method = draw(st.sampled_from(["GET", "POST"]) | st.sampled_from(METHODS))
    token = town.tokens[who]
    body, kind = draw(_body(digest("csrf", token) if draw(st.booleans()) else "stale"))
    cut = draw(st.just(len(body)) | st.integers(0, len(body)))
    headers = [
        (
            b"host",
            draw(
                st.sampled_from(
                    [b"localhost"] * 9 + [b"localhost:80", b"LOCALHOST", b"\xff", b"localhost/@["]
                )
            ),
        )
    ]
    headers.append((b"cookie", b"grader=" + token.encode() + draw(st.just(b"") | VISIBLE)))
    headers.append((b"content-type", draw(st.just(kind) | st.sampled_from(TYPES) | VISIBLE)))
    length = str(cut).encode()
    lengths = st.sampled_from([b"", b"-1", b"0", b"\xb2", b"9" * 30, b"9" * 5000, b"1e3", b"0x10"])
    headers.append((b"content-length", draw(st.just(length) | st.just(length) | lengths)))
    names = st.sampled_from(
        [b"origin", b"sec-fetch-dest", b"accept-language", b"if-none-match", b"range", b"cookie", b"referer"]
    )
    headers += draw(st.lists(st.tuples(names, VISIBLE), max_size=2))
    left = cut < len(body) and draw(st.booleans())
    return Asked(method, path, query, headers, [body[:cut][:200], body[:cut][200:]], left)


def _parameter(draw: st.DrawFn, town: Town, found: re.Match[str]) -> str:
    usual = ["1", town.pseudonym, "style.css"]
    return str(draw(st.sampled_from(usual) | st.sampled_from(usual) | TEXT))


def _pairs() -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(st.sampled_from(FIELDS) | TEXT, TEXT), max_size=6)


@st.composite
def _body(draw: st.DrawFn, csrf: str) -> tuple[bytes, bytes]:
    """The body of a form, and of what kind it is."""
    pairs = [("csrf", csrf), *draw(_pairs())]
    if draw(st.booleans()):
        return urlencode(pairs, errors="replace").encode() + draw(st.just(b"") | BYTES), TYPES[0]
    out = io.BytesIO()
    for name, value in pairs:
        out.write(_part(draw, f'name="{name}"', value.encode("utf-8", "replace")))
    if draw(st.booleans()):
        file = draw(st.sampled_from(["work.ipynb", "work.py"]) | TEXT)
        out.write(_part(draw, f'name="file"; filename="{file}"', draw(st.sampled_from(CONTENTS) | BYTES)))
    out.write(draw(st.sampled_from([b"--b--\r\n", b"", b"--b", b"--b\r\n\r\n"])))
    return out.getvalue(), TYPES[2]


def _part(draw: st.DrawFn, said: str, content: bytes) -> bytes:
    more = draw(
        st.sampled_from(
            [
                b"",
                b"",
                b"content-type: text/plain\r\n",
                b"\xff: x\r\n",
                b"x\r\n",
                b"content-transfer-encoding: base64\r\n",
            ]
        )
    )
    return (
        b"--b\r\ncontent-disposition: form-data; "
        + said.encode("utf-8", "replace")
        + b"\r\n"
        + more
        + b"\r\n"
        + content
        + b"\r\n"
    )


def plain(path: str, method: str = "GET", **more: Any) -> Asked:
    """A request like any other, but for what is said."""
    headers = [(b"host", b"localhost"), *more.get("headers", [])]
    return Asked(method, path, more.get("query", b""), headers, more.get("chunks", []), False)
