"""What `grader check` does with each file: whose it is, and how it is graded and reported."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader.archive import ARCHIVE_SUFFIX
from grader.errors import GraderError, KernelFault, UsageError
from grader.exercise import course_folder, load_exercise, slugs
from grader.load import HandedIn
from grader.model import Language
from grader.report.document import all_passed
from grader.settings import Settings

if TYPE_CHECKING:
    from grader.kernel.pool import Kernels
    from grader.report.writer import Writer


def send_canary(kernels: "Kernels", settings: Settings, spoken: Language) -> None:
    """Try the sandbox before others' code runs in it. Raises KernelFault if anything gets out."""
    from grader.kernel.canary import canary  # noqa: PLC0415 - when it is needed, which is seldom
    from grader.report.doctor import sentences  # noqa: PLC0415

    if breaches := canary(kernels, course_folder(settings.course)):
        raise KernelFault("sandbox-leaks", what=" ".join(sentences(breaches, spoken)))


def check_one(
    handed_in: HandedIn, chosen: str | None, settings: Settings, kernels: "Kernels", writer: "Writer"
) -> int:
    """Grade one file and report on it; returns the exit code that it asks for."""
    from grader.grade import grade, ungradable  # noqa: PLC0415

    course = course_folder(settings.course)
    try:
        submission = handed_in.submission
        if isinstance(submission, GraderError):
            raise submission
        slug = chosen or submission.exercise
        if slug is None:
            raise UsageError("exercise-not-named", path=handed_in.path, known=", ".join(slugs(course)))
        exercise = load_exercise(course, slug)
    except GraderError as error:
        writer.problem(error)
        writer.failed(ungradable(handed_in.name, "", chosen or "", error))
        return error.exit_code
    report = grade(submission, exercise, settings, kernels, writer.progress)
    writer.report(report, exercise)
    if report.score is None:
        return 3
    return 0 if all_passed(report) else 1


def may_be_several(files: list[Path]) -> bool:
    """Whether there may be more than one submission: an archive is not opened before its turn."""
    return len(files) > 1 or any(path.suffix.lower() == ARCHIVE_SUFFIX for path in files)


def of_others(files: list[Path]) -> bool:
    """Whether any file may be someone else's: it belongs to another user, or there may be several."""
    if may_be_several(files):
        return True
    # Windows has no owners of this kind.
    return sys.platform != "win32" and any(
        path.exists() and path.stat().st_uid != os.geteuid() for path in files
    )


def same_file(output: Path, path: Path) -> bool:
    """Whether the report would be written over a submission."""
    return output.exists() and path.exists() and output.samefile(path)
