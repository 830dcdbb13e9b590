"""Writes what is generated in docs/: the schemas, the command line, the pages of mistakes, and the picture of a report.

    python -m tests.measure.docs

A test compares all but the picture with what is kept.
"""

import io
import json
import sys
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
from grader.report.document import word
from grader.report.explain import page
from grader.settings import Settings

LISTS: dict[Language, str] = {
    "en": "# The mistakes that grader names\n\nGenerated from `grader/mistakes/` by `make docs`.\n",
    "zh": "# grader 能指出的错误\n\n由 `make docs` 从 `grader/mistakes/` 生成。\n",
}
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PICTURED = ROOT / "tests" / "corpus" / "linear_regression" / "s012.py"


def schema_texts() -> dict[str, str]:
    """What `grader schema` prints of each thing, by the file that keeps it."""
    return {
        f"{name}.schema.json": json.dumps(described.json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, described in (("report", document), ("doctor", doctor))
    }


def command_line_text() -> str:
    """The help of every command, as Markdown."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="grader", terminal_width=80)
    parts = ["# The command line\n", "This page is generated from the program itself by `make docs`.\n"]
    parts += _help_of("grader", group.get_help(context))
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        parts += _help_of(
            f"grader {name}",
            command.get_help(typer.Context(command, info_name=name, parent=context, terminal_width=80)),
        )
    return "\n".join(parts)


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
    return console.export_svg(title=f"grader check {PICTURED.name}", unique_id="report")


def main() -> int:
    """Write the files."""
    for name, text in (schema_texts() | mistake_pages()).items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_text(text, "utf-8")
    (DOCS / "command-line.md").write_text(command_line_text(), "utf-8")
    (DOCS / "report.svg").write_text(picture(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
