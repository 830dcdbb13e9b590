"""The pipeline: a submission is run, checked, and reported on."""

import contextlib
import time
from collections.abc import Sequence

import msgspec

from grader.diagnose import Diagnosis, diagnose
from grader.errors import CourseError, GraderError, KernelFault
from grader.evidence.case import Case
from grader.evidence.training import pictures
from grader.exercise import Exercise
from grader.experiment import Experiment
from grader.kernel.faults import NEEDS_REVIEW
from grader.kernel.pool import Kernels
from grader.kernel.session import Progress
from grader.model import (
    CheckResult,
    Excerpt,
    Finding,
    Report,
    Run,
    RunError,
    Sandbox,
    Shown,
    Submission,
    Text,
    said_by,
)
from grader.runner import run_checks
from grader.settings import Settings

EXCERPT_AROUND = 2
# Bounds on what proving may cost; see `Proof`.
OWN_TIMES, REFERENCE_TIMES, MOST_SECONDS = 10.0, 20.0, 60.0
LEAST_SECONDS = 0.5


def grade(  # noqa: PLR0913 - one submission, and all that its grading depends on
    submission: Submission,
    exercise: Exercise,
    settings: Settings,
    kernels: Kernels,
    progress: Progress | None = None,
    *,
    draw: bool = True,
) -> Report:
    """Grade one submission. What fails on the grader's own side ends in an `ungradable` report, never in a zero.

    draw: whether the learner's figures are drawn, which takes a while where nobody sees them.
    """
    try:
        with contextlib.closing(
            Experiment(kernels, submission, exercise, settings, progress, draw=draw)
        ) as experiment:
            checks = run_checks(experiment)
            case = Case(submission, experiment.observed, checks, exercise.slug, exercise.manifest.answers)
            prover = Proof(experiment, kernels, settings)
            return _report(experiment, case, diagnose(case, prover), kernels.sandbox, prover.reruns)
    except (KernelFault, CourseError) as error:
        return ungradable(submission.name, submission.sha256, exercise.slug, error)


def ungradable(name: str, sha256: str, exercise: str, error: GraderError) -> Report:
    """The report on a submission that could not be graded."""
    return Report(
        exercise=exercise,
        submission=name,
        sha256=sha256,
        status="ungradable",
        score=None,
        max_score=0.0,
        needs_review=(said_by(error),),
    )


class Proof:
    """Runs and checks mended forms of a submission, as long as there is time.

    Its cells may run, in all, for ten times the submission's own time or twenty times the reference's, whichever is more (a loop
    that crashed at step one says nothing of how long the mended one takes); and everything may take a minute.
    """

    def __init__(self, experiment: Experiment, kernels: Kernels, settings: Settings) -> None:
        self._experiment, self._kernels, self._settings = experiment, kernels, settings
        own, reference = experiment.run.seconds, experiment.exercise.manifest.reference_seconds
        self._left = max(OWN_TIMES * own, REFERENCE_TIMES * reference)
        self._deadline = time.monotonic() + MOST_SECONDS
        self.reruns = 0

    def __call__(self, submission: Submission) -> Case | None:
        """The case of a mended submission; None if no time is left, or no kernel can be had."""
        exercise = self._experiment.exercise
        left = min(self._left, self._deadline - time.monotonic())
        if left < LEAST_SECONDS:
            return None
        try:
            with contextlib.closing(
                Experiment(
                    self._kernels, submission, exercise, self._settings, most_seconds=left, shown=False
                )
            ) as mended:
                checks = run_checks(mended)
        except (KernelFault, CourseError):
            return None
        self._left -= mended.seconds
        self.reruns += 1 + mended.reruns
        return Case(submission, mended.observed, checks, exercise.slug, exercise.manifest.answers)


def _report(
    experiment: Experiment,
    case: Case,
    diagnosis: Diagnosis,
    sandbox: Sandbox,
    reruns: int,
) -> Report:
    submission, checks = experiment.submission, case.checks
    error = first_error(experiment.run)
    return Report(
        exercise=experiment.exercise.slug,
        submission=submission.name,
        sha256=submission.sha256,
        status="graded",
        score=sum(check.score for check in checks),
        max_score=sum(check.max_score for check in checks),
        checks=checks,
        findings=tuple(excerpt_of(submission, finding) for finding in diagnosis.findings),
        untried=diagnosis.untried,
        needs_review=_review_reasons(experiment.run, checks),
        notes=(
            *submission.notes,
            *(Text(id="detector-broken", params={"mistake": name}) for name in diagnosis.broken),
        ),
        error=error,
        excerpt=None if error is None else excerpt(submission, error.cell, error.line),
        seconds=experiment.run.seconds,
        reruns=experiment.reruns + reruns,
        sandbox=sandbox,
        notebook=as_executed(submission, experiment.run),
        pictures=pictures(case, diagnosis.mended, experiment.exercise.manifest.line),
    )


def as_executed(submission: Submission, run: Run) -> tuple[Shown, ...]:
    """The cells as the learner wrote them, with what they showed in this run."""
    cells: list[tuple[float, Shown]] = [
        (cell.number, Shown(number=cell.number, source=cell.source, outputs=run.outputs.get(cell.number, ())))
        for cell in submission.original
    ]
    cells += [(text.before - 0.5, Shown(number=None, source=text.source)) for text in submission.prose]
    return tuple(shown for _, shown in sorted(cells, key=lambda cell: cell[0]))


def first_error(run: Run) -> RunError | None:
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


def excerpt_of(submission: Submission, finding: Finding) -> Finding:
    """A finding with the learner's lines around it."""
    return msgspec.structs.replace(finding, excerpt=excerpt(submission, finding.cell, finding.line))


def excerpt(submission: Submission, number: int | None, line: int | None) -> Excerpt | None:
    """The learner's lines around a place; None where it is not known."""
    cell = next((cell for cell in submission.original if cell.number == number), None)
    if cell is None or line is None:
        return None
    lines = cell.source.split("\n")
    if not 1 <= line <= len(lines):
        return None
    first, last = max(1, line - EXCERPT_AROUND), min(len(lines), line + EXCERPT_AROUND)
    return Excerpt(cell=cell.number, line=line, first=first, lines=tuple(lines[first - 1 : last]))
