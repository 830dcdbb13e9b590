"""Whose pages may show ours in frames: those of the learning platform that somebody came from, and nobody else's."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request

_ORIGIN = re.compile(r"https?://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")


def in_frame(request: Request) -> bool:
    """Whether a browser says that it shows the answer in a frame."""
    return request.headers.get("sec-fetch-dest") in {"iframe", "frame"}


def origin(address: str | None) -> str | None:
    """The origin of an address, as headers name it; None of what has none."""
    try:
        parts = urlsplit(address or "")
        found = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
    except ValueError:
        return None
    return found if _ORIGIN.fullmatch(found) else None


def origins(addresses: Iterable[str | None]) -> str:
    """The origins of addresses, each once, parted by spaces."""
    return " ".join(dict.fromkeys(filter(None, map(origin, addresses))))


def framed_by(frames: str, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that may be shown in frames of some origins, also where it is framed by a page of ours there."""
    return [
        (name, _opened(value.decode("latin-1"), frames).encode("latin-1"))
        if name == b"content-security-policy"
        else (name, value)
        for name, value in headers
        if name != b"x-frame-options"  # it knows no origins, and where it is given besides, it is not minded
    ]


def _opened(policy: str, frames: str) -> str:
    policy = policy.replace("frame-ancestors 'none'", f"frame-ancestors {frames}")
    return policy.replace("frame-ancestors 'self'", f"frame-ancestors 'self' {frames}")
