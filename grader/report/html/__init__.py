"""The report as one HTML page for a browser: nothing in it is run, and nothing is fetched.

What comes from a submission is escaped by the template, or made by the functions of `words`, `plots` and `graph`, which put together
markup from escaped parts. A Content-Security-Policy in the page says so to the browser as well.
"""

from collections.abc import Sequence
from functools import cache, partial
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from grader.model import Language, Shown
from grader.picture import Pictures
from grader.report.document import Document, all_passed
from grader.report.html import words
from grader.report.html.figures import Figures
from grader.report.sentences import points
from grader.text import say

# How Chinese is told from Japanese where both have a character of their own shape.
TONGUES: dict[Language, str] = {"en": "en", "zh": "zh-Hans"}


def render(document: Document, pictures: Pictures | None = None, notebook: Sequence[Shown] = ()) -> str:
    """The page of a report: worded in `document`, with what there is to draw and the notebook as executed."""
    spoken = document.language
    return _page().render(
        document=document,
        tongue=TONGUES[spoken],
        style=Markup(_file("style.css")),  # noqa: S704 - our own file
        say=lambda id, **params: words.sentence(say(id, spoken, params)),
        plainly=lambda id, **params: say(id, spoken, params),
        points=points,
        passed=document.score is not None and all_passed(document),
        sources={cell.number: cell.source for cell in notebook if cell.number is not None},
        notebook=words.Notebook(notebook, spoken),
        figures=Figures(pictures or Pictures(), spoken),
        words=words,
        marked=partial(words.marked, spoken=spoken),
    )


@cache
def _page() -> Template:
    environment = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _file(name: str) -> str:
    """A file of this package; under Windows too its lines end as they are written."""
    return resources.files(__name__).joinpath(name).read_text("utf-8")
