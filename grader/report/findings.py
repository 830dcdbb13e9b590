"""The findings of a report in a terminal: the line, what was seen there, the mended lines, and what they are worth."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.syntax import Syntax

from grader.report.document import ChangePart, Document, FindingPart
from grader.report.escape import one_line, one_paragraph, visible
from grader.report.sentences import with_worth
from grader.report.wrap import Line
from grader.text import say

MAX_WIDTH = 300
MAX_LINES = 12
COLOURS = {"confirmed": "red", "likely": "red", "possible": "yellow"}


def findings(document: Document) -> Iterator[RenderableType]:
    """The findings, the first that matters most; what mends them is told with each."""
    for finding, worth in with_worth(document):
        yield _panel(finding, worth, document)
    if document.untried:
        yield Line(say("label-untried", document.language, {"count": document.untried}), style="dim")


def _panel(finding: FindingPart, worth: str, document: Document) -> Panel:
    parts: list[RenderableType] = [Line(one_paragraph(finding.message))]
    if finding.excerpt and finding.line is not None and finding.first_line is not None:
        parts.append(excerpt(finding.excerpt, finding.first_line, finding.line))
    parts.append(Line(one_paragraph(finding.why), style="dim"))
    parts.append(Line(one_paragraph(finding.advice), style="cyan"))
    parts.extend(line for change in finding.fix for line in _diff(change, document))
    parts.append(Line(worth, style="bold green" if finding.confidence == "confirmed" else "dim"))
    place = ""
    if finding.line is not None:
        where = {"cell": finding.cell, "line": finding.line}
        place = say("label-cell-line", document.language, where) + " · "
    return Panel(
        Group(*parts),
        title=Line(f"{place}{one_line(finding.title)}", style="bold"),
        title_align="left",
        border_style=COLOURS[finding.confidence],
        expand=False,
    )


def excerpt(lines: Sequence[str], first: int, line: int) -> Syntax:
    """The learner's lines, numbered from `first`, with one of them marked."""
    return Syntax(
        "\n".join(visible(text, MAX_WIDTH) for text in lines),
        "python",
        line_numbers=True,
        start_line=first,
        highlight_lines={line},
        theme="ansi_dark",
        background_color="default",
    )


def _diff(change: ChangePart, document: Document) -> Iterator[RenderableType]:
    where = {"cell": change.cell, "line": change.line}
    yield Line(say("label-cell-line", document.language, where), style="dim")
    for mark, lines, style in (("- ", change.before, "red"), ("+ ", change.after, "green")):
        for text in lines[:MAX_LINES]:
            yield Line(mark + visible(text, MAX_WIDTH), style=style)
        if len(lines) > MAX_LINES:
            yield Line(mark + "…", style=style)
