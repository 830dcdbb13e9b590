"""How `make site` builds the site from these pages: Sphinx, Markdown by MyST, the theme Furo. Nothing is fetched."""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

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
html_search_language = "both"

# Pages in Chinese, and the lists of mistakes, which the pages beside them belong to.
CHINESE = re.compile(r"\.zh$|^mistakes/zh/")
LIST = re.compile(r"^mistakes/\w+/README$")
MEMBERS = "\n```{toctree}\n:hidden:\n:glob:\n\n*\n```\n"


class SearchBoth(SearchEnglish):
    """English words, and Chinese text as its pairs of neighbouring signs, so that every word in it is found."""

    lang = "both"
    runs = re.compile(r"[\u4e00-\u9fff]+|[^\W\u4e00-\u9fff]+")
    js_splitter_code = """
var splitQuery = (query) =>
  (query.match(/[\\u4e00-\\u9fff]+|(?:(?![\\u4e00-\\u9fff])[\\p{Letter}\\p{Number}_])+/gu) || []).flatMap((run) =>
    /^[\\u4e00-\\u9fff]{3,}/.test(run) ? Array.from(run.slice(1), (sign, at) => run[at] + sign) : [run]);
"""

    def split(self, text: str) -> list[str]:
        """What is kept of a text; the same is done with what is searched for, in the browser."""
        return [word for run in self.runs.findall(text) for word in self._words(run)]

    def _words(self, run: str) -> list[str]:
        chinese = "\u4e00" <= run[0] <= "\u9fff"
        return [run[at : at + 2] for at in range(len(run) - 1)] if chinese and len(run) > 1 else [run]


def setup(app: Sphinx) -> None:
    """Make Chinese searchable, join the pages of mistakes to their lists, and tell browsers the language of a page."""
    app.add_search_language(SearchBoth)
    app.connect("source-read", _list_members)
    app.connect("html-page-context", _tell_language)


def _list_members(app: Sphinx, page: str, source: list[str]) -> None:
    if LIST.search(page):
        source[0] += MEMBERS


def _tell_language(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    context["language"] = "zh-Hans" if CHINESE.search(page) else "en"
