"""Each student's report as a page of its own."""

import hashlib
import os
from pathlib import Path

from grader import __version__
from grader.exercise import Exercise
from grader.grades import Grade
from grader.model import Language, Report
from grader.outcome.names import file_name
from grader.outcome.placing import as_bytes, put
from grader.report.discovery import format_of
from grader.report.document import word

FOLDER = "reports"


def report_path(folder: Path, student: str) -> Path:
    """Where the report of a student is."""
    return folder / FOLDER / f"{file_name(student)}.html"


def write_report(folder: Path, grade: Grade, exercise: Exercise, language: Language) -> Path | None:
    """Write the report of a student who has one. A page costs a sixth of a second, so one that is there already is kept.

    Raises OSError.
    """
    report = grade.report
    if report is None:
        return None
    path, stamp = report_path(folder, grade.student), _stamp(report, exercise, language)
    if not _ends_in(path, stamp):
        page = format_of("html").render(word(report, exercise, language), report)
        put(path, as_bytes(page) + stamp)
    return path


def _stamp(report: Report, exercise: Exercise, language: Language) -> bytes:
    """A comment for the end of a page that tells what it was made from."""
    made_from = as_bytes(f"{__version__} {exercise.slug} {exercise.manifest.version} {language} {report!r}")
    return b"<!-- " + hashlib.sha256(made_from).hexdigest().encode() + b" -->\n"


def _ends_in(path: Path, stamp: bytes) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(stamp), os.SEEK_END)
            return file.read() == stamp
    except OSError:
        return False
