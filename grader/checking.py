"""What `grader check` does with each file: whose it is, and how it is graded and reported.

Imported before the warm parent starts, so what takes time to import is imported after.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from grader.errors import GraderError, KernelFault, UsageError
from grader.exercise import course_folder, load_exercise, slugs
from grader.isolation import demand_isolation, send_canary
from grader.kernel.warm import warm_parent
from grader.model import Language
from grader.report.discovery import TERMINAL
from grader.settings import Settings
from grader.watching import demand_watchable, on_each_save

if TYPE_CHECKING:
    from grader.kernel.pool import Kernels
    from grader.load import HandedIn
    from grader.report.places import Place
    from grader.report.writer import Writer

    One = Callable[[HandedIn, Kernels, Writer], int]


class Request(NamedTuple):
    """What is asked for.

    files: the submissions; formats, output: how and where the reports are written. isolated: whether others' files need a sandbox;
    graded: whether the reports have points; watch: whether the file is graded again each time it is saved.
    """

    files: list[Path]
    formats: Sequence[str]
    output: Path | None
    language: Language
    isolated: bool
    graded: bool = True
    watch: bool = False


def on_each(request: Request, settings: Settings, one: "One") -> int:
    """Do `one` thing with each submission in the files; returns the exit code, the gravest that any asked for.

    Raises UsageError if the reports cannot be written as asked, or others' files cannot be isolated; KernelFault if there are no
    kernels.
    """
    if request.watch:
        demand_watchable(request.files, on_screen=[*request.formats] == [TERMINAL] and not request.output)
    with warm_parent(settings) as zygote:
        # It warms up for a second or two, in which all that is needed later is imported.
        from grader import examine, grade  # noqa: F401, PLC0415
        from grader.catalogue import all_mistakes  # noqa: PLC0415
        from grader.kernel.pool import Kernels  # noqa: PLC0415
        from grader.load import load_all  # noqa: PLC0415
        from grader.report.writer import Writer  # noqa: PLC0415

        all_mistakes()
        several = may_be_several(request.files)
        where = _places(request, several=several)
        with Kernels(settings, zygote) as kernels:
            try:
                _demand_isolation(request, settings, kernels, several=several)
            except KernelFault as fault:
                _leave_results(request, where, fault, several=several)
                raise
            with Writer(where, request.language, several=several, spared=request.files) as writer:

                def grade_all() -> int:
                    codes = [one(each, kernels, writer) for path in request.files for each in load_all(path)]
                    return next((code for code in (3, 2, 1) if code in codes), 0)

                return (
                    on_each_save(request.files[0], grade_all, writer.tell) if request.watch else grade_all()
                )


def _places(request: Request, *, several: bool) -> "list[Place]":
    from grader.report.places import places  # noqa: PLC0415 - imports the formats

    where = places(request.formats, request.output, several=several)
    if not request.graded and (scoring := [place.format.name for place in where if place.format.scores]):
        raise UsageError("format-needs-points", format=scoring[0])
    return where


def _demand_isolation(request: Request, settings: Settings, kernels: "Kernels", *, several: bool) -> None:
    if request.isolated and of_others(request.files):
        demand_isolation(kernels)
    if kernels.sandbox.tier != "none" and several:
        send_canary(kernels, settings, request.language)


def _leave_results(request: Request, where: "list[Place]", fault: KernelFault, *, several: bool) -> None:
    """Report the files as ungradable to the systems that wait for a score: they must not take silence for one."""
    from grader.grade import ungradable  # noqa: PLC0415
    from grader.report.writer import Writer  # noqa: PLC0415

    awaited = [place for place in where if place.format.scores]
    with Writer(awaited, request.language, several=several, spared=request.files) as writer:
        for path in request.files:
            writer.failed(ungradable(path.name, "", "", fault))


def diagnose_one(settings: Settings, handed_in: "HandedIn", kernels: "Kernels", writer: "Writer") -> int:
    """Name the mistakes of one file; returns the exit code that it asks for."""
    from grader.examine import examine  # noqa: PLC0415
    from grader.grade import ungradable  # noqa: PLC0415

    submission = handed_in.submission
    if isinstance(submission, GraderError):
        writer.problem(submission)
        writer.failed(ungradable(handed_in.name, "", "", submission))
        return submission.exit_code
    report = examine(submission, settings, kernels, writer.progress, draw=writer.draws)
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
    report = grade(submission, exercise, settings, kernels, writer.progress, draw=writer.draws)
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
