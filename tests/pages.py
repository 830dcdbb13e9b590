"""Makes pages of reports, and reads them as a browser does."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib

from grader.exercise import course_folder, load_exercise
from grader.model import Language, Report
from grader.report.document import word
from grader.report.html import render

HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"


def page(report: Report, language: Language = "en") -> str:
    exercise = load_exercise(course_folder(None), report.exercise) if report.exercise else None
    return render(word(report, exercise, language), report.pictures, report.notebook)


def parsed(text: str) -> Any:
    """The tree of a page; fails where it is not valid HTML."""
    return html5lib.HTMLParser(strict=True).parse(text)


def tag(element: Element) -> str:
    return element.tag.removeprefix(HTML) if isinstance(element.tag, str) else ""


def elements(tree: Any, name: str) -> list[Element]:
    return [element for element in tree.iter() if tag(element) == name]


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def addresses(tree: Any) -> Iterator[tuple[str, str]]:
    """What a page refers to, by the attribute that does."""
    for element in tree.iter():
        for key, value in element.items():
            if key.rpartition("}")[2] in (
                "href",
                "src",
                "srcset",
                "data",
                "action",
                "poster",
                "background",
                "cite",
            ):
                yield tag(element), value
