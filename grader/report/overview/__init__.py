"""The page of a class, and those of two solutions side by side: nothing in them is run, and nothing is fetched.

They are built as the page of a report is (`grader.report.html`), with its style; what students wrote is escaped by the template.
"""

from collections.abc import Sequence
from functools import cache, partial
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from grader.model import Language
from grader.report import html
from grader.report.html import TONGUES, words
from grader.report.overview.document import Document, PairPart, StudentPart
from grader.report.overview.histogram import histogram, label
from grader.report.overview.pairs import side_by_side
from grader.report.sentences import points
from grader.text import say

STYLES = ((html.__name__, "style.css"), (__name__, "overview.css"))
# So many pieces of a page are put together at a time: a large class has hundreds of thousands, which take more room than the page.
PIECES = 1_000


def render(document: Document) -> str:
    """The page of a class."""
    students = {student.student: student for student in document.students}
    page = _page("class.html").stream(
        document=document,
        drawn=_drawn(document),
        label=label,
        called=lambda student: (
            called(students[student]) if student in students else words.shown_line(student)
        ),
        student_of=students.get,
        **_common(document.language),
    )
    page.enable_buffering(PIECES)
    return "".join(page)


def render_pair(
    left: Sequence[str], right: Sequence[str], pair: PairPart, names: tuple[str, str], language: Language
) -> str:
    """The page of two solutions, given as lines. names: what their students are called."""
    return _page("pair.html").render(
        rows=side_by_side(left, right), pair=pair, names=names, **_common(language)
    )


def called(student: StudentPart) -> str:
    """What a student is called: the name, or else the id."""
    return words.shown_line(student.name.strip() or student.student)


def _drawn(document: Document) -> Markup:
    spoken = document.language
    parts = [
        say("class-bin", spoken, {"scores": label(one), "count": one.count})
        for one in document.scores.bins
        if one.count
    ]
    return histogram(document.scores.bins, say("class-histogram", spoken, {"bins": " ".join(parts)}))


def _common(spoken: Language) -> dict[str, Any]:
    return {
        "tongue": TONGUES[spoken],
        "style": Markup("\n".join(_file(package, name) for package, name in STYLES)),  # noqa: S704 - our own files
        "plainly": lambda id, **params: say(id, spoken, params),
        "points": points,
        "words": words,
        "marked": partial(words.marked, spoken=spoken),
        "called_of": called,
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(partial(_file, __name__)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _page(name: str) -> Template:
    return _environment().get_template(name)


def _file(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text("utf-8")
