"""GitHub's Markdown, for a comment on a pull request or a job's summary.

The mistakes come first, with the mended lines as a diff, then the checks as a table. Nothing of a submission becomes markup: no HTML, no link, no image, no mention of a person or an issue.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from grader.report.document import ChangePart, CheckPart, Document, ErrorPart, FindingPart
from grader.report.escape import one_line, one_paragraph, visible
from grader.report.sentences import points, reasons, verdict, with_worth
from grader.text import say

WORDS = {
    "en": "for a comment on a pull request or a job's summary; several are one section each",
    "zh": "用作拉取请求的评论或任务摘要；多份报告时每份一节",
}
SUFFIX = ".md"

MARKS = {"passed": "✔", "failed": "✘", "skipped": "–"}
MAX_WIDTH = 300
MAX_LINES = 12
# A backslash makes the rest of them plain; before these GitHub looks at it too late, or not at all.
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", ":": "&#58;", ".": "&#46;"}
SPECIAL = re.compile(r"[&<>$\\`*_\[\]~|#!^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
# What GitHub links after the Markdown is read, unless it is code: people, issues, addresses.
MENTION = re.compile(r"@(?=\w)|(?<=\w)@|#(?=\d)")
# Ends the cell of a table, even within code.
BARE_PIPE, PIPE = re.compile(r"(?<!\\)\|"), r"\\|"
# What begins a list, a heading's underline or indented code where it begins a line.
BEGINNING = re.compile(r"^(\d*)([-+=.)\s])")


def render(document: Document) -> str:
    """A report as a section of its own."""
    return "\n\n".join(filter(None, _blocks(document))) + "\n"


def part(document: Document) -> str:
    """A report as one of several sections."""
    return render(document) + "\n"


def _blocks(document: Document) -> Iterator[str]:
    name = code(document.submission.name)
    yield f"## {name} · {text(document.title)}" if document.title else f"## {name}"
    yield f"**{text(verdict(document))}**"
    for finding, worth in with_worth(document):
        yield from _finding(finding, worth, document)
    if document.untried:
        yield text(say("label-untried", document.language, {"count": document.untried}))
    if document.run.error is not None:
        yield from _error(document.run.error, document)
    if document.checks:
        yield "\n".join(_table(document))
    for label, sentences in (
        (say("label-review", document.language), document.needs_review),
        (say("label-notes", document.language), document.notes),
    ):
        for sentence in sentences:
            yield f"> **{text(label)}** {text(sentence)}"
    if document.run.sandbox is not None and document.run.sandbox.tier == "none":
        yield f"> {text(say('label-not-isolated', document.language))}"


def _finding(finding: FindingPart, worth: str, document: Document) -> Iterator[str]:
    yield f"### {text(finding.title)}{_place(finding.cell, finding.line, document)}"
    yield text(finding.message)
    if finding.excerpt:
        yield _excerpt(finding.excerpt, finding.first_line, finding.line)
    yield text(finding.why)
    yield text(finding.advice)
    if finding.fix:
        yield fenced("diff", [line for change in finding.fix for line in _diff(change, document)])
    yield f"*{text(worth)}*"


def _error(error: ErrorPart, document: Document) -> Iterator[str]:
    yield f"### {text(say('label-error', document.language))}{_place(error.cell, error.line, document)}"
    yield text(error.message)
    if error.excerpt:
        yield _excerpt(error.excerpt, error.first_line, error.line)


def _place(cell: int | None, line: int | None, document: Document) -> str:
    if line is None:
        return ""
    return " · " + text(say("label-cell-line", document.language, {"cell": cell, "line": line}))


def _excerpt(lines: Sequence[str], first: int | None, marked: int | None) -> str:
    begin = first or 1
    return fenced(
        "python",
        [
            f"{line}   # ←" if number == marked else line
            for number, line in enumerate(map(_cut, lines), begin)
        ],
    )


def _diff(change: ChangePart, document: Document) -> Iterator[str]:
    where = {"cell": change.cell, "line": change.line}
    yield f"@@ {say('label-cell-line', document.language, where)} @@"
    for mark, lines in (("- ", change.before), ("+ ", change.after)):
        yield from (mark + _cut(line) for line in lines[:MAX_LINES])
        if len(lines) > MAX_LINES:
            yield mark + "…"


def _table(document: Document) -> Iterator[str]:
    spoken = document.language
    yield f"| | {say('label-check', spoken)} | {say('label-reason', spoken)} | {say('label-points', spoken)} |"
    yield "|---|---|---|---:|"
    for check in document.checks:
        cells = (
            MARKS[check.status],
            text(check.title),
            " ".join(map(text, reasons(check, document))),
            _points(check),
        )
        yield f"| {' | '.join(BARE_PIPE.sub(PIPE, cell) for cell in cells)} |"


def _points(check: CheckPart) -> str:
    return f"{points(check.score)}/{points(check.max_score)}"


# ---- text that stays text -----------------------------------------------------------------------


def text(words: str) -> str:
    """A paragraph or table cell in which nothing is markup but what stands between two backquotes, which is code."""
    pieces = one_paragraph(words).replace("\t", " ").strip().split("`")
    alone = len(pieces) - 1 if len(pieces) % 2 == 0 else None  # after a backquote that has no partner
    written = [
        _plain(f"`{piece}" if place == alone else piece) if place % 2 == 0 or place == alone else _code(piece)
        for place, piece in enumerate(pieces)
    ]
    return BEGINNING.sub(lambda found: f"{found[1]}&#{ord(found[2])};", "".join(written))


def code(words: str) -> str:
    """A piece of code within a line."""
    return _code(one_line(words).replace("`", "'")) if words.strip() else "–"


def _code(words: str) -> str:
    return f"`{words}`" if words.strip() else _plain(f"`{words}`")


def _plain(words: str) -> str:
    first, *others = map(_escaped, MENTION.split(words))
    marks = MENTION.findall(words)
    return first + "".join(f"`{mark}`{piece}" for mark, piece in zip(marks, others, strict=True))


def _escaped(words: str) -> str:
    return SPECIAL.sub(lambda found: ENTITIES.get(found[0]) or f"\\{found[0]}", words)


def _cut(line: str) -> str:
    return visible(line, MAX_WIDTH).replace("\n", r"\n")


def fenced(language: str, lines: Iterable[str]) -> str:
    """A block of code that none of its lines can end."""
    body = "\n".join(lines)
    longest = max(map(len, re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"
