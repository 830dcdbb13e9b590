"""Writes what is generated in docs/: the schemas and the page of the report's, the command line, the formats, the pages of
mistakes, the picture of a report.

    python -m tests.measure.docs

A test compares all but the picture with what is kept.
"""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from grader.catalogue import all_mistakes
from grader.cli import app
from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Language
from grader.report import doctor, document, terminal
from grader.report.discovery import format_of, names
from grader.report.document import word
from grader.report.explain import page
from grader.report.overview import document as overview
from grader.settings import Settings
from tests.measure.report_page import report_text

LISTS: dict[Language, str] = {
    "en": "# The mistakes that grader names\n\nGenerated from `grader/mistakes/` by `make docs`.\n",
    "zh": "# grader 能指出的错误\n\n由 `make docs` 从 `grader/mistakes/` 生成。\n",
}
FORMATS = """# The formats of a report

This page is generated from `grader/report/formats/` by `make docs`. `grader formats` lists them.

    grader check mine.ipynb --format markdown                        # to the screen
    grader check mine.ipynb --format junit --output report.xml       # into a file
    grader check mine.ipynb --format junit --format json --output out/   # into a folder: out/report.xml, out/report.json
    grader check mine.ipynb --format terminal --format json --output report.json   # on the screen, and into a file

- One format goes to the screen, or to what `--output` names: a file, or a folder that is there already.
- Several formats need `--output`. `terminal` among them stays on the screen; if one other is left, it is written as if it were alone;
  more of them go into a folder, which is made if need be, as `report` with the suffix of each.
- Of several submissions, some formats make one text. The others write a file for each submission into the folder that `--output`
  names, by the submission's name.
- A file that could not be graded gets its report like any other, and a message on the error channel.

| format | what for | its file | several submissions |
|---|---|---|---|
"""
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
PICTURED = ROOT / "tests" / "corpus" / "linear_regression" / "s012.py"


def schema_texts() -> dict[str, str]:
    """What `grader schema` prints of each thing, by the file that keeps it."""
    return {
        f"{name}.schema.json": json.dumps(described.json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, described in (("report", document), ("doctor", doctor), ("class", overview))
    }


def command_line_text() -> str:
    """The help of every command, as Markdown."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="grader", terminal_width=80)
    parts = ["# The command line\n", "This page is generated from the program itself by `make docs`.\n"]
    parts += _help_of("grader", group.get_help(context))
    return "\n".join([*parts, *_commands_of("grader", group, context)])


def _commands_of(path: str, group: Any, context: typer.Context) -> Iterator[str]:
    """The help of each command of a group, and of theirs."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = typer.Context(command, info_name=name, parent=context, terminal_width=80)
        yield from _help_of(f"{path} {name}", command.get_help(own))
        if hasattr(command, "list_commands"):
            yield from _commands_of(f"{path} {name}", command, own)


def formats_text() -> str:
    """What each format is for and how its files are called, as Markdown."""
    formats = [format_of(name) for name in names()]
    rows = [
        f"| [{each.name}](#{each.name}) | {each.words['en']} | `{each.suffix()}` "
        f"| {f'one text, `{each.suffix(together=True)}`' if each.joins else 'a file each'} |\n"
        for each in formats
    ]
    return FORMATS + "".join(rows) + "".join(f"\n## {each.name}\n\n{each.docs}\n" for each in formats)


def mistake_pages() -> dict[str, str]:
    """A page for each mistake in each language, and a list of them all, by the file that keeps it."""
    pages = {}
    for language, head in LISTS.items():
        rows = [head]
        for name, one in all_mistakes().items():
            pages[f"mistakes/{language}/{name}.md"] = page(one, language)
            rows.append(f"- [{name}]({name}.md): {one.words[language].title}")
        pages[f"mistakes/{language}/README.md"] = "\n".join(rows) + "\n"
    return pages


def _help_of(title: str, text: str) -> list[str]:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return [f"## {title}\n", f"```text\n{lines}\n```\n"]


def picture() -> str:
    """The report on a submission with a mistake, as SVG."""
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True)
    exercise = load_exercise(course_folder(None), "linear_regression")
    with Kernels(Settings()) as kernels:
        report = grade(load(PICTURED), exercise, Settings(), kernels)
    terminal.show(word(report, exercise, "en"), console)
    svg = console.export_svg(title=f"grader check {PICTURED.name}", unique_id="report")
    return FONT_FACE.sub("", svg)  # it is shown with the reader's own fonts, and fetches none


def main() -> int:
    """Write the files."""
    for name, text in (schema_texts() | mistake_pages()).items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")
    (DOCS / "command-line.md").write_text(command_line_text(), "utf-8")
    (DOCS / "formats.md").write_text(formats_text(), "utf-8")
    (DOCS / "report.md").write_text(report_text(), "utf-8")
    (DOCS / "report.svg").write_text(picture(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
