"""How `make site` builds the site from these pages: Sphinx, Markdown by MyST, the theme Furo. Nothing is fetched."""

import re
from typing import Any

from sphinx.application import Sphinx

project = "grader"
copyright = "the authors of grader, MIT licence"
extensions = ["myst_parser"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "grader"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"footer_icons": []}

# Pages in Chinese, and the lists of mistakes, which the pages beside them belong to.
CHINESE = re.compile(r"\.zh$|^mistakes/zh/")
LIST = re.compile(r"^mistakes/\w+/README$")
MEMBERS = "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


def setup(app: Sphinx) -> None:
    """Join the pages of mistakes to their lists, and tell browsers the language of a page."""
    app.connect("source-read", _list_members)
    app.connect("html-page-context", _tell_language)


def _list_members(app: Sphinx, page: str, source: list[str]) -> None:
    if LIST.search(page):
        source[0] += MEMBERS


def _tell_language(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    context["language"] = "zh-Hans" if CHINESE.search(page) else "en"
