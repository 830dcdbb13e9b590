"""The pages of the platform in `tests.moodle_platform`, as far as they are the same everywhere: forms that send themselves, and errors."""

import html
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from tests.lti_site import Asked, Reply

# What an exception that nobody catches looks like from outside, whatever it was about.
ERROR_PAGE = Reply(
    b"<!DOCTYPE html><title>Error</title>", 404, (("Content-Type", "text/html; charset=utf-8"),)
)


class Refused(Exception):  # noqa: N818 - Moodle says no
    """Moodle ends with an error page, which says why."""


def said_by(asked: Asked) -> dict[str, str]:
    kind = asked.headers.get("content-type", "")
    posted = asked.body.decode() if kind.startswith("application/x-www-form-urlencoded") else ""
    return dict(parse_qsl(urlsplit(asked.path).query)) | dict(parse_qsl(posted))


def query(asked: Asked) -> str:
    return urlsplit(asked.path).query


def framing(what: str) -> Reply:
    """A page of which only a frame matters, that is taken away where it asks for that."""
    frame = f'<iframe src="{html.escape(what)}" title="Tool" width="100%" height="700"></iframe>'
    closing = """<script>addEventListener("message", ({ data }) => {
      if (data && data.subject === "org.imsglobal.lti.close") document.querySelector("iframe").replaceWith("Closed");
    });</script>"""
    return page(f"<h1>Week 1</h1>{frame}{closing}")


def page(body: str) -> Reply:
    content = f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>School</title>{body}'
    return Reply(content.encode(), 200, (("Content-Type", "text/html; charset=utf-8"),))


def form(action: str, fields: dict[str, str]) -> Reply:
    """A page that sends its form at once."""
    inputs = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in fields.items()
    )
    sent = "<script>document.forms[0].submit();</script>"
    return page(f'<form action="{html.escape(action)}" method="post" data-sent>{inputs}</form>{sent}')


def reposted(asked: Asked) -> Reply:
    """The same request once more, from a page of this site, so that the browser sends its cookie along; but once."""
    fields = dict(parse_qsl(asked.body.decode()))
    if fields.get("repost"):
        raise Refused("nobody is logged in")
    return form(asked.path, fields | {"repost": "true"})


def with_errors(answering: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    def answered(asked: Asked) -> Reply:
        try:
            return answering(asked)
        except Refused as why:
            return ERROR_PAGE._replace(body=ERROR_PAGE.body + html.escape(str(why)).encode())

    return answered
