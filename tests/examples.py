"""The examples of a page: its blocks of code, fenced or indented, and what each of them is.

A comment right before a block says what it is, where the block does not:

    <!-- example: exit 1 0 -->                 these commands end with these codes; `exit 0 or 1` with either
    <!-- example: output -->                   what the command before printed; … stands for anything
    <!-- example: file NAME -->                what that file holds from here on
    <!-- example: cell of NAME -->             a notebook's cell from here on: the one that begins with the same line
    <!-- example: change of NAME -->           a diff of a file: lines with - go, lines with + come
    <!-- example: until "WORDS" -->            a command that goes on until it is interrupted, here once it has said the words
    <!-- example: meanwhile "WORDS" -->        a command that goes on beside all that follow, once it has said the words
    <!-- example: check of SLUG -->            a check file of that exercise, which the reference passes
    <!-- example: in exercise.toml -->         fits into an exercise.toml
    <!-- example: part of PATH -->             stands in that file; … stands for what is left out
    <!-- example: drawing -->                  nothing that could be run
    <!-- example: not run: REASON -->          a command that no test runs

Without one, a block in Python is a program, and any other is commands.
"""

import re
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Their examples are tests already: a mistake's is its own, the command line's is the program's help.
GENERATED = ("docs/mistakes/", "docs/command-line.md", "docs/report.md")
COMMENT = re.compile(r"<!-- example: (.+) -->\s*")


class Example(NamedTuple):
    """One block: the page and line it stands at, its text, the language that its fence names, and the comment before it."""

    page: str
    line: int
    text: str
    language: str
    said: str

    @property
    def place(self) -> str:
        """Where to look, as editors understand it."""
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """The pages whose examples are run, as paths from the repository's folder."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
    names = [path.relative_to(ROOT).as_posix() for path in found]
    return [name for name in names if not name.startswith(GENERATED)]


def examples(page: str) -> list[Example]:
    """The blocks of a page in its order."""
    found, said = [], ""
    for token in MarkdownIt().parse((ROOT / page).read_text("utf-8")):
        comment = COMMENT.fullmatch(token.content) if token.type == "html_block" else None
        if token.type in {"fence", "code_block"} and not token.info.startswith(
            "{"
        ):  # MyST's own are no examples
            assert token.map is not None
            found.append(Example(page, token.map[0] + 1, token.content.rstrip("\n"), token.info, said))
        said = comment[1] if comment else ""
    return found


def inline(page: str) -> list[str]:
    """The pieces of code inside the sentences of a page."""
    tokens = MarkdownIt().enable("table").parse((ROOT / page).read_text("utf-8"))
    return [
        child.content for token in tokens for child in token.children or () if child.type == "code_inline"
    ]
