"""Pages from templates: what comes from people is escaped, and nothing is fetched from elsewhere."""

from functools import cache, lru_cache, partial
from importlib import resources
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from grader.model import Language
from grader.report.html import TONGUES, words
from grader.report.sentences import points
from grader.text import say
from grader.web.cookies import set_framed
from grader.web.languages import COOKIE, chosen

YEAR = 365 * 86_400


def page(request: Request, template: str, spoken: Language, status: int, /, **context: Any) -> Response:
    """A page; its language is remembered if it was asked for."""
    root = request.app.state.service.root
    text = (
        _environment()
        .get_template(f"{template}.html")
        .render(
            tongue=TONGUES[spoken],
            spoken=spoken,
            root=root,
            path=_address(request) if request.method == "GET" else f"{root}/",
            outside=getattr(request.state, "outside", False),
            say=lambda id, **params: words.sentence(say(id, spoken, params)),
            plainly=lambda id, **params: say(id, spoken, params),
            told=lambda text: words.sentence(say(text.id, spoken, text.params)),
            line=words.shown_line,
            marks=_marks,
            points=points,
            minute=lambda moment: moment[:16].replace("T", " "),
            **context,
        )
    )
    answer = HTMLResponse(text, status)
    remember_language(request, answer)
    return answer


def _marks(score: tuple[float, float | None] | None) -> str:
    """A score out of full marks; of one that nothing is known of, a dash."""
    if score is None:
        return "–"
    scored, full = score
    return points(scored) if full is None else f"{points(scored)} / {points(full)}"


def _address(request: Request) -> str:
    """The address that was asked for, as a link on the page: one that begins with two slashes would lead to another site."""
    return "/" + quote(request.scope["path"].lstrip("/"))


def remember_language(request: Request, answer: Response) -> None:
    """Have the browser remember the language that a request asks for, if it does."""
    if (language := chosen(request)) is not None:
        secure, path = request.app.state.service.secure, request.app.state.service.cookie_path
        if getattr(request.state, "frames", None) is not None:
            set_framed(answer, COOKIE, language, seconds=YEAR, secure=secure, path=path)
        else:
            answer.set_cookie(
                COOKIE, language, max_age=YEAR, httponly=True, samesite="lax", secure=secure, path=path
            )


@lru_cache(maxsize=64)
def task(markdown: str) -> Markup:
    """The text of a task, which an author of the course wrote."""
    return Markup(_markdown().render(markdown))  # noqa: S704 - escaped by markdown-it, whose raw HTML is off


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(partial(_file, "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _file(folder: str, name: str) -> str:
    return resources.files("grader.web").joinpath(folder, name).read_text("utf-8")
