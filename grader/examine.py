"""Diagnoses a PyTorch notebook or module without an exercise: no points, the mistakes alone.

There is no target to compare with, and strangers' notebooks show wrong loops on purpose, correct them later, and
diverge to make a point. So the bar is higher: a finding needs a rerun in which an error is gone, or evidence without doubt in
the last training of the run.
"""

import time

from grader.diagnose import Diagnosis, diagnose
from grader.errors import KernelFault
from grader.evidence.case import Case
from grader.evidence.training import pictures
from grader.grade import MOST_SECONDS, OWN_TIMES, as_executed, excerpt_of, first_error, ungradable
from grader.kernel.pool import Kernels
from grader.kernel.session import Progress
from grader.limits import merged
from grader.model import Finding, Limits, Report, Run, Submission
from grader.settings import Settings

LEAST_SECONDS = 5.0


def examine(
    submission: Submission,
    settings: Settings,
    kernels: Kernels,
    progress: Progress | None = None,
    *,
    draw: bool = True,
) -> Report:
    """Run a submission and name its mistakes. A fault on the grader's own side ends in an `ungradable` report.

    draw: whether the learner's figures are drawn.
    """
    limits = merged(settings)
    try:
        run = _run(submission, settings, kernels, limits, progress, draw=draw)
    except KernelFault as fault:
        return ungradable(submission.name, submission.sha256, "", fault)
    case = Case(submission, run)
    deadline = time.monotonic() + min(MOST_SECONDS, max(LEAST_SECONDS, OWN_TIMES * run.seconds))
    reruns = 0

    def rerun(mended: Submission) -> Case | None:
        nonlocal reruns
        if time.monotonic() > deadline:
            return None
        reruns += 1
        try:
            return Case(mended, _run(mended, settings, kernels, limits))
        except KernelFault:
            return None

    diagnosis = diagnose(case, rerun)
    error = first_error(run)
    return Report(
        exercise="",
        submission=submission.name,
        sha256=submission.sha256,
        status="graded",
        score=None,
        max_score=0.0,
        findings=tuple(excerpt_of(submission, finding) for finding in _beyond_doubt(case, diagnosis)),
        untried=diagnosis.untried,
        notes=submission.notes,
        error=error,
        seconds=run.seconds,
        reruns=reruns,
        sandbox=kernels.sandbox,
        notebook=as_executed(submission, run),
        pictures=pictures(case, diagnosis.mended, None),
    )


def _beyond_doubt(case: Case, diagnosis: Diagnosis) -> list[Finding]:
    """What is proven, or is of the last training of the run: what came before another one may have been shown on purpose."""
    trained = [event.cell for event in case.gradient_events]

    def is_of_the_last(cell: int | None) -> bool:
        return cell is None or not any(cell <= one < trained[-1] for one in trained)

    return [
        finding
        for finding in diagnosis.findings
        if finding.confidence == "confirmed"
        or (finding.confidence == "likely" and is_of_the_last(finding.cell))
    ]


def _run(  # noqa: PLR0913 - one run
    submission: Submission,
    settings: Settings,
    kernels: Kernels,
    limits: Limits,
    progress: Progress | None = None,
    *,
    draw: bool = False,
) -> Run:
    session = kernels.open(limits)
    try:
        return kernels.do(session.run(submission, seed=settings.seed, draw=draw, progress=progress))
    finally:
        kernels.close(session)
