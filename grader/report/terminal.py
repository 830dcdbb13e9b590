"""The report in a terminal: the score, why it is not full, where the notebook stopped, and each check."""

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from grader.report.curve import drawn
from grader.report.document import CheckPart, Document, ErrorPart, all_passed
from grader.report.escape import one_line, one_paragraph, visible
from grader.report.findings import excerpt, findings
from grader.report.sentences import points
from grader.report.wrap import Line
from grader.text import say

MARKS = {"passed": ("✔", "green"), "failed": ("✘", "red"), "skipped": ("–", "yellow")}
# A submission's text begins no line of the report: it could be taken for the grader's.
INDENTED = (0, 0, 0, 2)
MAX_NOTES = 5
MAX_REASONS = 10


def show(document: Document, console: Console) -> None:
    """Print a report."""
    console.print(_headline(document))
    for finding in findings(document):
        console.print(finding)
    if document.run.error is not None:
        console.print(_error(document.run.error, document))
    if (curve := drawn(document.curves.loss, document.language)) is not None:
        console.print(curve)
    if document.checks:
        console.print(_checks(document))
    for reason in document.needs_review[:MAX_REASONS]:
        console.print(_labelled(document, "label-review", reason, "yellow"))
    for note in document.notes[:MAX_NOTES]:
        console.print(_labelled(document, "label-notes", note, "dim"))
    if document.run.sandbox is not None and document.run.sandbox.tier == "none":
        console.print(Line(say("label-not-isolated", document.language), style="dim"))
    if document.checks and all_passed(document):
        console.print(Line(say("label-all-passed", document.language), style="bold green"))


def _headline(document: Document) -> RenderableType:
    line = Line()
    line.append(one_line(document.submission.name), style="bold")
    line.append(f"  ·  {one_line(document.title)}\n" if document.title else "\n")
    if document.status == "ungradable":
        line.append(say("label-ungradable", document.language), style="bold yellow")
    elif document.score is None:
        line.append(say("label-findings", document.language, {"count": len(document.findings)}), style="bold")
    else:
        full = document.score == document.max_score
        line.append(say("label-score", document.language) + " ")
        line.append(points(document.score), style="bold green" if full else "bold")
        line.append(f" / {points(document.max_score)}")
    return Panel(line, expand=False, padding=(0, 2))


def _checks(document: Document) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, show_header=False)
    table.add_column(width=1, no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    hints: set[str] = set()
    for check in document.checks:
        mark, colour = MARKS[check.status]
        hint = "" if check.hint in hints else check.hint  # the same advice twice is no better than once
        hints.add(check.hint)
        table.add_row(Line(mark, style=colour), _sentence(check, hint, document), _points_of(check))
    return table


def _sentence(check: CheckPart, hint: str, document: Document) -> RenderableType:
    skipped = check.status == "skipped"
    lines: list[RenderableType] = [Line(one_paragraph(check.title), style="dim" if skipped else "")]
    if check.message:
        lines.append(_indented(one_paragraph(check.message), "dim" if skipped else "red"))
    if hint:
        lines.append(_indented(say("label-hint", document.language) + one_paragraph(hint), "cyan"))
    return Group(*lines)


def _indented(text: str, style: str) -> RenderableType:
    return Padding(Line(text, style=style), INDENTED)


def _points_of(check: CheckPart) -> Text:
    return Text(f"{points(check.score)}/{points(check.max_score)}", style=MARKS[check.status][1])


def _error(error: ErrorPart, document: Document) -> RenderableType:
    parts: list[RenderableType] = [Line(visible(error.message), style="red")]
    if error.excerpt and error.first_line is not None and error.line is not None:
        parts.append(excerpt(error.excerpt, error.first_line, error.line))
    title = None
    if error.line is not None:
        title = say("label-cell-line", document.language, {"cell": error.cell, "line": error.line})
    return Panel(Group(*parts), title=title, title_align="left", border_style="red", expand=False)


def _labelled(document: Document, label: str, text: str, style: str) -> RenderableType:
    line = Line(say(label, document.language), style=f"bold {style}")
    line.append(one_paragraph(text), style=style)
    return Padding(line, INDENTED)
