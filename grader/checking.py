"""What `grader check` does with each file: whose it is, and how it is graded and reported.

Imported before the warm parent starts, so what takes time to import is imported after.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from grader.errors import GraderError, KernelFault, UsageError
from grader.exercise import course_folder, load_exercise, slugs
from grader.kernel.warm import warm_parent
from grader.model import Language
from grader.settings import Settings

if TYPE_CHECKING:
    from grader.kernel.pool import Kernels
    from grader.load import HandedIn
    from grader.report.writer import Writer

    One = Callable[[HandedIn, Kernels, Writer], int]


def send_canary(kernels: "Kernels", settings: Settings, spoken: Language) -> None:
    """Try the sandbox before others' code runs in it. Raises KernelFault if anything gets out."""
    from grader.kernel.canary import canary  # noqa: PLC0415 - when it is needed, which is seldom
    from grader.report.doctor import sentences  # noqa: PLC0415

    if breaches := canary(kernels, course_folder(settings.course)):
        raise KernelFault("sandbox-leaks", what=" ".join(sentences(breaches, spoken)))


class Request(NamedTuple):
    """What is asked for: which files, how the reports are written and where; isolated: whether others' files need a sandbox."""

    files: list[Path]
    format: str
    output: Path | None
    language: Language
    isolated: bool


def on_each(request: Request, settings: Settings, one: "One") -> int:
    """Do `one` thing with each submission in the files; returns the exit code, the gravest that any asked for.

    Raises UsageError if the report would be written over a submission, or others' files cannot be isolated; KernelFault if there
    are no kernels.
    """
    files = request.files
    if request.output is not None and any(same_file(request.output, path) for path in files):
        raise UsageError("file-exists", path=str(request.output))
    with warm_parent(settings) as zygote:
        # It warms up for a second or two, in which all that is needed later is imported.
        from grader import examine, grade  # noqa: F401, PLC0415
        from grader.catalogue import all_mistakes  # noqa: PLC0415
        from grader.kernel.pool import Kernels  # noqa: PLC0415
        from grader.load import load_all  # noqa: PLC0415
        from grader.report.writer import Writer  # noqa: PLC0415

        if request.format == "html":
            from grader.report import html  # noqa: F401, PLC0415 - it imports matplotlib

        all_mistakes()
        several = may_be_several(files)
        if several and request.format == "html":
            raise UsageError("html-of-one")
        with Kernels(settings, zygote) as kernels:
            if kernels.sandbox.tier == "none" and of_others(files) and request.isolated:
                raise UsageError("others-not-isolated")
            if kernels.sandbox.tier != "none" and several:
                send_canary(kernels, settings, request.language)
            with Writer(request.format, request.output, request.language, several=several) as writer:
                codes = [one(handed_in, kernels, writer) for path in files for handed_in in load_all(path)]
    return next((code for code in (3, 2, 1) if code in codes), 0)


def diagnose_one(settings: Settings, handed_in: "HandedIn", kernels: "Kernels", writer: "Writer") -> int:
    """Name the mistakes of one file; returns the exit code that it asks for."""
    from grader.examine import examine  # noqa: PLC0415
    from grader.grade import ungradable  # noqa: PLC0415

    submission = handed_in.submission
    if isinstance(submission, GraderError):
        writer.problem(submission)
        writer.failed(ungradable(handed_in.name, "", "", submission))
        return submission.exit_code
    report = examine(submission, settings, kernels, writer.progress)
    writer.report(report, None)
    if report.status == "ungradable":
        return 3
    return 1 if report.findings else 0


def check_one(
    chosen: str | None, settings: Settings, handed_in: "HandedIn", kernels: "Kernels", writer: "Writer"
) -> int:
    """Grade one file and report on it; returns the exit code that it asks for."""
    from grader.grade import grade, ungradable  # noqa: PLC0415
    from grader.report.document import all_passed  # noqa: PLC0415

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
    from grader.archive import ARCHIVE_SUFFIX  # noqa: PLC0415

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
