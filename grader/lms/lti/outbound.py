"""The one way out of this machine: to platforms, whose addresses others chose.

A name is resolved once, each of its addresses is judged, and the connection goes to the address that was judged, so that a name which
changes its mind leads nowhere else. Nothing is kept open: a connection that was verified for one name serves no other.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import httpx
import msgspec

from grader.errors import PlatformFault
from grader.lms.lti.addresses import Address, allowed, resolved
from grader.lms.lti.deadline import Deadline

# Seconds for each step of a connection, and for an answer in all; bytes of an answer.
STEP_SECONDS, WHOLE_SECONDS = 5.0, 20.0
LARGEST = 2_000_000
# What may work later: too early, too often, a conflict of the moment, any fault of the server's own.
_MAY_PASS = {408, 409, 425, 429}
_PORTS: Mapping[str, int] = MappingProxyType({"https": 443, "http": 80})
_LAST_PORT = 65535
_SHOWN = 200
_NOTHING = {b"", b"[]", b"{}"}

T = TypeVar("T")
Resolve = Callable[[str, int], Sequence[Address]]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. headers: by their names in small letters; host: for messages; reason: what stood beside the status."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    host: str
    reason: str = ""

    def fault(self, *, passing: bool = False) -> PlatformFault | None:
        """What to raise if the platform did not do what it was asked. passing: whether the same may work later, whatever the status."""
        if 200 <= self.status < 300:  # noqa: PLR2004 - HTTP's own
            return None
        after = self.headers.get("retry-after", "")
        # Moodle says why it refuses a score beside the status, and nothing in the body.
        said = self.reason if self.body.strip() in _NOTHING else self.body[:_SHOWN].decode("utf-8", "replace")
        return PlatformFault(
            "lti-answer-status",
            retry=passing or self.status in _MAY_PASS or self.status >= 500,  # noqa: PLR2004
            after=float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else None,  # noqa: PLR2004
            host=self.host,
            code=self.status,
            said=said[:_SHOWN],
        )

    def parsed(self, type: type[T]) -> T:
        """The body as a record. Raises PlatformFault where the platform refused, or sent something else."""
        if (fault := self.fault()) is not None:
            raise fault
        try:
            return msgspec.json.decode(self.body, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise PlatformFault(
                "lti-answer-unreadable", retry=False, host=self.host, detail=str(error)[:_SHOWN]
            ) from None


class Outbound:
    """Asks platforms. networks: beyond public addresses, such as `LOOPBACK`; plain http goes to loopback among them alone.

    tls: whose certificates are believed, and nobody else's; by default the system's. seconds: for a whole answer. Threads may share one.
    """

    def __init__(
        self,
        *,
        networks: Iterable[str] = (),
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolved,
        seconds: float = WHOLE_SECONDS,
    ) -> None:
        self._networks, self._resolve, self._seconds = tuple(networks), resolve, seconds
        self._tls = httpx.create_ssl_context() if tls is None else tls

    def get(self, url: str, accept: str, bearer: str | None = None) -> Answer:
        """Fetch. Raises PlatformFault where no answer can be had, or it is a redirect or too large; any status is an answer."""
        return self._send("GET", url, {"accept": accept}, b"", bearer)

    def post(self, url: str, body: bytes, kind: str, *, accept: str, bearer: str | None = None) -> Answer:
        """Post a body of a content type. Raises PlatformFault like `get`."""
        return self._send("POST", url, {"accept": accept, "content-type": kind}, body, bearer)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, bearer: str | None
    ) -> Answer:
        target = _address(url)
        sent = {**headers, "user-agent": "grader", "accept-encoding": "identity", "connection": "close"}
        sent["host"] = target.netloc.decode("ascii")
        if bearer is not None:
            sent["authorization"] = f"Bearer {bearer}"
        places = self._places(target)
        for place in places[:-1]:
            try:
                return self._asked(method, target, place, sent, body)
            except httpx.ConnectError:
                continue
        try:
            return self._asked(method, target, places[-1], sent, body)
        except httpx.TransportError as error:
            raise _unreachable(target.host, error) from error

    def _places(self, target: httpx.URL) -> Sequence[Address]:
        """The addresses that a host has; one bad one among them spoils all, since it is the host that is not believed."""
        port = target.port or _PORTS[target.scheme]
        try:
            places = self._resolve(target.host, port)
        except (OSError, UnicodeError) as error:
            raise _unreachable(target.host, error) from error
        if not places or not all(allowed(place, self._networks) for place in places):
            raise PlatformFault("lti-address-private", retry=False, host=target.host)
        if target.scheme == "http" and not all(place.is_loopback for place in places):
            raise PlatformFault("lti-address-malformed", retry=False, url=str(target)[:_SHOWN])
        return places

    def _asked(
        self, method: str, target: httpx.URL, place: Address, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Ask one address. Raises httpx.TransportError where it cannot be reached."""
        transport = httpx.HTTPTransport(verify=self._tls, trust_env=False)
        with (
            Deadline(self._seconds) as deadline,
            httpx.Client(transport=transport, trust_env=False, timeout=STEP_SECONDS) as client,
            client.stream(
                method,
                target.copy_with(host=str(place)),
                headers=headers,
                content=body,
                extensions={"sni_hostname": target.host, "trace": deadline.trace},
            ) as response,
        ):
            if response.is_redirect:
                raise PlatformFault("lti-answer-redirects", retry=False, host=target.host)
            body = _body(response, target.host)
            if deadline.over:
                raise httpx.ReadTimeout("timed out")
            return Answer(
                status=response.status_code,
                headers=dict(response.headers),
                body=body,
                host=target.host,
                reason=response.reason_phrase,
            )


def _address(url: str) -> httpx.URL:
    """An address that may be asked, as far as its letters go."""
    try:
        target = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise PlatformFault("lti-address-malformed", retry=False, url=url[:_SHOWN]) from None
    named = target.scheme in _PORTS and target.host and 0 < (target.port or 1) <= _LAST_PORT
    if not named or target.userinfo or target.fragment:
        raise PlatformFault("lti-address-malformed", retry=False, url=url[:_SHOWN])
    return target


def _body(response: httpx.Response, host: str) -> bytes:
    """The body as it comes, up to a size; nothing is unpacked, since we asked for nothing packed."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise PlatformFault("lti-answer-unreadable", retry=False, host=host, detail="content-encoding")
    parts: list[bytes] = []
    size = 0
    for part in response.iter_raw():
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise PlatformFault("lti-answer-too-large", retry=False, host=host, limit=LARGEST)
    return b"".join(parts)


def _unreachable(host: str, error: Exception) -> PlatformFault:
    return PlatformFault("lti-unreachable", retry=True, host=host, detail=str(error)[:_SHOWN])
