"""Runs the command line on a notebook from within a notebook, and gives its report as something to be shown.

In a process of its own: what the learner's kernel has made of torch, of pytest or of itself is no part of a grading.
"""

import json
import os
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any, Literal

from grader.errors import UsageError

# Exit codes with a report: all passed, some check failed or something found, could not be graded.
REPORTED = (0, 1, 3)
# What a kernel sets so that programs write as to a terminal.
COLOURS = ("FORCE_COLOR", "CLICOLOR_FORCE")
# The page keeps its style to itself, and runs nothing.
FRAME = '<iframe title="grader" sandbox srcdoc="{}" style="width: 100%; height: 40em; border: 0"></iframe>'


class Shown:
    """A report as a notebook shows it: as HTML, and as text where there is no HTML. `report` is the report by its schema."""

    def __init__(self, html: str, text: str, report: dict[str, Any]) -> None:
        self._html, self._text = html, text
        self.report = report

    def __repr__(self) -> str:
        return self._text

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        del include, exclude
        return {"text/html": self._html, "text/plain": self._text}


def run(  # noqa: PLR0913, PLR0917 - what may be asked of the command
    command: Literal["check", "diagnose"],
    name: str,
    notebook: str,
    exercise: str | None,
    language: str | None,
    course: str | None = None,
) -> Shown:
    """Grade or diagnose a notebook given as JSON text; the course is grader's own, or the settings', where none is named.

    Raises UsageError with what the command line says where there is no report.
    """
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        path, reports = Path(folder, name), Path(folder, "reports")
        path.write_text(notebook, "utf-8")
        options = [f"--exercise={exercise}"] if exercise else []
        options += [f"--language={language}"] if language else []
        options += [f"--course={course}"] if course and command == "check" else []
        formats = [f"--format={format}" for format in ("terminal", "json", "html")]
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "grader", command, str(path), *options, *formats, f"--output={reports}"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name not in COLOURS},
            check=False,
        )
        if done.returncode not in REPORTED or not reports.is_dir():
            raise UsageError("notebook-not-graded", reason=done.stderr.strip().replace(folder, "")[-400:])
        return _shown(done.stdout, reports)


def _shown(text: str, folder: Path) -> Shown:
    page, report = ((folder / f"report.{suffix}").read_text("utf-8") for suffix in ("html", "json"))
    return Shown(FRAME.format(escape(page)), text, json.loads(report))
