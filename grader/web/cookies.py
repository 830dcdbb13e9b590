"""Cookies that work in a frame of another site: sent there although the page around is not ours, and there alone (partitioned)."""

from starlette.responses import Response


def set_framed(  # noqa: PLR0913 - what a cookie is
    answer: Response, name: str, value: str, *, seconds: int, secure: bool, path: str
) -> None:
    """Have the browser keep a value of plain letters, from scripts too. Without HTTPS it works on one's own machine alone."""
    where = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    answer.headers.append("set-cookie", f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; {where}")
