"""For people. On a screen it has colours and fits the width; in a file it is plain text."""

import io

from rich.console import Console

from grader.report import terminal
from grader.report.document import Document

WORDS = {
    "en": "for people: on the screen, or as plain text in a file",
    "zh": "给人看：显示在屏幕上，或作为纯文本写入文件",
}
SUFFIX = ".txt"
PLAIN_WIDTH = 100
# What the pages of other systems have room for.
WITHIN_WIDTH = 80


def render(document: Document, width: int = PLAIN_WIDTH) -> str:
    """A report as plain text."""
    # Without a look at the environment: FORCE_COLOR is meant for screens.
    console = Console(file=io.StringIO(), width=width, highlight=False, color_system=None, _environ={})
    terminal.show(document, console)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def within(document: Document) -> str:
    """A report as plain text on another system's page, for the formats of such systems."""
    return render(document, WITHIN_WIDTH)


def part(document: Document) -> str:
    """A report as plain text among others."""
    return render(document)
