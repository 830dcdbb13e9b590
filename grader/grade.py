"""The pipeline: a submission is run, checked, and reported on."""

import contextlib
from collections.abc import Sequence

from grader.errors import CourseError, GraderError, KernelFault
from grader.exercise import Exercise
from grader.experiment import Experiment
from grader.kernel.faults import NEEDS_REVIEW
from grader.kernel.pool import Kernels
from grader.kernel.session import Progress
from grader.model import CheckResult, Excerpt, Report, Run, RunError, Sandbox, Submission, Text
from grader.runner import run_checks
from grader.settings import Settings

EXCERPT_AROUND = 2


def grade(
    submission: Submission,
    exercise: Exercise,
    settings: Settings,
    kernels: Kernels,
    progress: Progress | None = None,
) -> Report:
    """Grade one submission. What fails on the grader's own side ends in an `ungradable` report, never in a zero."""
    try:
        with contextlib.closing(Experiment(kernels, submission, exercise, settings, progress)) as experiment:
            return _report(experiment, run_checks(experiment), kernels.sandbox)
    except (KernelFault, CourseError) as error:
        return ungradable(submission.name, submission.sha256, exercise.slug, error)


def ungradable(name: str, sha256: str, exercise: str, error: GraderError) -> Report:
    """The report on a submission that could not be graded."""
    reason = Text(id=error.text, params={key: str(value) for key, value in error.params.items()})
    return Report(
        exercise=exercise,
        submission=name,
        sha256=sha256,
        status="ungradable",
        score=None,
        max_score=0.0,
        needs_review=(reason,),
    )


def _report(experiment: Experiment, checks: tuple[CheckResult, ...], sandbox: Sandbox) -> Report:
    submission = experiment.submission
    error = _first_error(experiment.run)
    return Report(
        exercise=experiment.exercise.slug,
        submission=submission.name,
        sha256=submission.sha256,
        status="graded",
        score=sum(check.score for check in checks),
        max_score=sum(check.max_score for check in checks),
        checks=checks,
        needs_review=_review_reasons(experiment.run, checks),
        notes=submission.notes,
        error=error,
        excerpt=None if error is None else excerpt(submission, error),
        seconds=experiment.run.seconds,
        reruns=experiment.reruns,
        sandbox=sandbox,
    )


def _first_error(run: Run) -> RunError | None:
    """The error to show: a limit before all, since it ended the run, else the first that a cell raised."""
    if not run.complete and run.errors:
        return run.errors[-1]
    return run.errors[0] if run.errors else None


def _review_reasons(run: Run, checks: Sequence[CheckResult]) -> tuple[Text, ...]:
    """Why a person should look, if anyone should. With full marks nothing that was missing mattered."""
    if all(check.score == check.max_score and not check.review for check in checks):
        return ()
    reasons = [
        Text(id=f"review-{error.kind}", params={"message": error.message, "cell": error.cell})
        for error in run.errors
        if error.kind in NEEDS_REVIEW
    ]
    reasons += [check.reason for check in checks if check.review and check.reason is not None]
    return tuple(reason for n, reason in enumerate(reasons) if reason not in reasons[:n])


def excerpt(submission: Submission, error: RunError) -> Excerpt | None:
    """The learner's lines around an error; None where its place is not known."""
    cell = next((cell for cell in submission.original if cell.number == error.cell), None)
    if cell is None or error.line is None:
        return None
    lines = cell.source.split("\n")
    if not 1 <= error.line <= len(lines):
        return None
    first = max(1, error.line - EXCERPT_AROUND)
    last = min(len(lines), error.line + EXCERPT_AROUND)
    return Excerpt(cell=cell.number, line=error.line, first=first, lines=tuple(lines[first - 1 : last]))
