"""Text of a submission as HTML: code highlighted, Markdown without raw HTML, outputs without what controls a terminal."""

import base64
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

from grader.model import Drawn, Language, Output, Printed, Shown
from grader.report.escape import MAX_LINES, visible
from grader.text import say

MAX_WIDTH = 300
# Of a longer cell the lines around the one in question are shown.
MAX_CELL_LINES, AROUND = 40, 12
# All cells of a notebook together.
MAX_NOTEBOOK_LINES = 1_500
CODE = re.compile("`([^`]+)`")
# What moves the cursor, colours text, or sets a terminal's title.
TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
# A progress bar writes its line again and again; the last time counts.
OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n|$)")
OUTPUT_CHARACTERS = 4_000


def sentence(text: str) -> Markup:
    """A sentence of ours, filled with a submission's own text; what stands in backticks is code."""
    parts = CODE.split(visible(text))
    marked = (
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts)
    )
    return Markup("").join(marked)


def shown_line(text: str) -> str:
    """One line of a submission."""
    return visible(text, MAX_WIDTH).replace("\n", r"\n")


# ---- code ---------------------------------------------------------------------------------------


def code_lines(source: str) -> list[Markup]:
    """The lines of Python, highlighted."""
    lines = "\n".join(visible(line, MAX_WIDTH) for line in source.split("\n"))
    lexer = PythonLexer(stripnl=False, stripall=False, ensurenl=True)
    formatted = highlight(lines, lexer, HtmlFormatter(nowrap=True))
    return [Markup(line) for line in formatted.split("\n")[: lines.count("\n") + 1]]  # noqa: S704 - escaped by Pygments


def marked(source: str, line: int | None, spoken: Language) -> Markup:
    """A cell's lines with their numbers, one of them marked; of a long cell those around it."""
    lines = code_lines(source)
    first, last = 1, len(lines)
    if last > MAX_CELL_LINES:
        middle = line or 1
        first, last = max(1, middle - AROUND), min(last, middle + AROUND)
    rows = [_row(number, lines[number - 1], number == line, spoken) for number in range(first, last + 1)]
    if first > 1:
        rows.insert(0, Markup('<span class="row skipped">⋮</span>'))
    if last < len(lines):
        rows.append(Markup('<span class="row skipped">⋮</span>'))
    return Markup('<pre class="code" dir="ltr"><code>{}</code></pre>').format(Markup("\n").join(rows))


def _row(number: int, line: Markup, hit: bool, spoken: Language) -> Markup:
    if not hit:
        return Markup(
            '<span class="row"><span class="number">{}</span><span class="text">{}</span></span>'
        ).format(number, line)
    return Markup(
        '<mark class="row hit"><span class="number">{}<span class="sr"> {}</span></span>'
        '<span class="text">{}</span></mark>'
    ).format(number, say("html-this-line", spoken), line)


def difference(before: Sequence[str], after: Sequence[str], spoken: Language) -> Markup:
    """Lines that go and lines that come."""
    rows = []
    for kind, mark, label, lines in (
        ("del", "−", "html-removed", before),
        ("ins", "+", "html-added", after),
    ):
        for line in code_lines("\n".join(lines))[:MAX_LINES] if lines else ():
            rows.append(
                Markup(
                    '<{0} class="row"><span class="number">{1}<span class="sr"> {2}</span></span>'
                    '<span class="text">{3}</span></{0}>'
                ).format(Markup(kind), mark, say(label, spoken), line)  # noqa: S704 - one of two words
            )
    return Markup('<pre class="code diff" dir="ltr"><code>{}</code></pre>').format(Markup("\n").join(rows))


# ---- the notebook -------------------------------------------------------------------------------


class Notebook:
    """The cells as executed, as HTML."""

    def __init__(self, cells: Sequence[Shown], spoken: Language) -> None:
        self.cells, self._spoken = cells, spoken
        self._heading = 2  # the level of the last heading: none may skip one
        self._lines = MAX_NOTEBOOK_LINES

    def code(self, cell: Shown) -> Markup:
        """The source of a code cell."""
        lines = cell.source.split("\n")
        kept, self._lines = lines[: max(self._lines, 0)], self._lines - len(lines)
        rows = [
            _row(number, line, False, self._spoken)
            for number, line in enumerate(code_lines("\n".join(kept)), 1)
        ]
        if len(kept) < len(lines):
            rows.append(Markup('<span class="row skipped">⋮</span>'))
        return Markup('<pre class="code" dir="ltr"><code>{}</code></pre>').format(Markup("\n").join(rows))

    def prose(self, cell: Shown) -> Markup:
        """A Markdown cell. Headings follow those before them, links cannot be followed, images are told by their words."""
        tokens = _markdown().parse(
            "\n".join(visible(line, 4 * MAX_WIDTH) for line in cell.source.split("\n"))
        )
        for token in tokens:
            if token.type == "heading_open":
                self._heading = min(2 + int(token.tag[1:]), self._heading + 1, 6)
            if token.type in ("heading_open", "heading_close"):
                token.tag = f"h{self._heading}"
        rendered = _markdown().renderer.render(tokens, _markdown().options, {})
        return Markup(rendered)  # noqa: S704 - escaped by markdown-it, whose raw HTML is off

    def output(self, output: Output) -> Markup:
        """What a cell showed."""
        if isinstance(output, Drawn):
            encoded = base64.b64encode(output.data).decode()
            alternative = shown_line(output.text) or say("html-image", self._spoken)
            return Markup('<p class="drawn"><img alt="{}" src="data:image/{};base64,{}"></p>').format(
                alternative, output.format, encoded
            )
        return Markup('<pre class="output {}" dir="ltr">{}</pre>').format(output.stream, printed(output))


def printed(output: Printed) -> str:
    """Printed text as it would stand on a screen, with how much of it is missing."""
    plain = OVERWRITTEN.sub("", TERMINAL_CODES.sub("", output.text)).replace("\r", "").rstrip("\n")
    kept = "\n".join(plain[:OUTPUT_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES])
    cut = output.cut + len(plain) - len(kept)
    return f"{visible(kept, OUTPUT_CHARACTERS)}… [+{cut}]" if cut else visible(kept, OUTPUT_CHARACTERS)


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("link_open", _nothing)
    parser.add_render_rule("link_close", _address)
    parser.add_render_rule("image", _in_words)
    parser.core.ruler.push("addresses", _keep_addresses)
    return parser


def _keep_addresses(state: Any) -> None:
    """Give the end of each link its address, which is shown and not followed."""
    for token in state.tokens:
        open_links: list[Token] = []
        for child in token.children or ():
            if child.type == "link_open":
                open_links.append(child)
            elif child.type == "link_close" and open_links:
                child.meta = {"address": str(open_links.pop().attrs.get("href", ""))}


def _nothing(*_: Any) -> str:
    return ""


def _address(_renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    address = visible(tokens[index].meta.get("address", ""), MAX_WIDTH)
    return str(Markup(' <span class="address">({})</span>').format(address))


def _in_words(_renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return str(Markup('<span class="address">[{}]</span>').format(visible(tokens[index].content, MAX_WIDTH)))
