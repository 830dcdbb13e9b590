"""The grader's test of itself and of a course: what it must let pass, what it must catch, and what it must name.

Of each exercise the reference must have full marks, and so must equivalent ways to write it, with nothing named; the starter
must not; and each mistake that can be planted in the reference must cost points and be named.
"""

import ast
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import msgspec
from msgspec.structs import replace

from grader.catalogue import all_mistakes, mistake
from grader.errors import CourseError, UsageError
from grader.evidence.case import Case
from grader.evidence.edits import Edit, apply, changes
from grader.exercise import Exercise, load_exercise, slugs
from grader.experiment import Experiment
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load, load_content
from grader.model import Cell, Change, Confidence, Finding, Language, Limits, Submission, Text
from grader.rewrites import all_rewrites
from grader.runner import run_checks
from grader.settings import Settings
from grader.starter import starter_notebook
from grader.workers import Workers

# A mistake can be planted in many ways and places; of each exercise so many are tried.
PLANTS = 2
# A mutant's cell may run for so many times the reference's time here, unless the settings say otherwise.
PATIENCE, LEAST_SECONDS = 10.0, 5.0
NOT_SURE: Confidence = "possible"

Kind = Literal["reference", "starter", "rewrite", "mistake"]
# What is done, and what there is to do, so far as that is known.
Progress = Callable[[int, int], None]


class Trial(msgspec.Struct, frozen=True):
    """One submission to grade, and why. submission: None where a plant or rewrite is broken, by `reason`.

    name: of the mistake or rewrite. changes: what it changed in the reference. known: why the mistake is not named here.
    seconds: how long a cell of it may run; None is as usual.
    """

    exercise: str
    kind: Kind
    name: str = ""
    submission: Submission | None = None
    changes: tuple[Change, ...] = ()
    reason: str = ""
    known: str | None = None
    seconds: float | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of a trial: its marks; the mistakes that were named; how sure the true one was, if it was."""

    trial: Trial
    score: float = 0.0
    max_score: float = 0.0
    found: tuple[str, ...] = ()
    named: Confidence | None = None
    ungradable: tuple[Text, ...] = ()

    @property
    def full(self) -> bool:
        """Whether it was given all points."""
        return bool(self.max_score) and self.score == self.max_score

    @property
    def as_wanted(self) -> bool:
        """Whether it came out as it must, known misses aside."""
        if self.trial.submission is None or self.ungradable:
            return False
        if self.trial.kind == "mistake":
            return self.named is not None
        return not self.full if self.trial.kind == "starter" else self.full and not self.found


class Result(msgspec.Struct, frozen=True):
    """All outcomes, by exercise and name."""

    outcomes: tuple[Outcome, ...]

    @property
    def gaps(self) -> list[Outcome]:
        """What did not come out as it must, and is not known."""
        return [one for one in self.outcomes if not one.as_wanted and one.trial.known is None]

    @property
    def stale(self) -> list[Trial]:
        """One trial for each known miss that is none any more."""
        found: dict[tuple[str, str], list[Outcome]] = {}
        for one in self.outcomes:
            if one.trial.known is not None:
                found.setdefault((one.trial.exercise, one.trial.name), []).append(one)
        return [each[0].trial for each in found.values() if all(one.as_wanted for one in each)]

    @property
    def ungradable(self) -> bool:
        """Whether the grader itself failed somewhere."""
        return any(one.ungradable for one in self.outcomes)


class Work(NamedTuple):
    """One exercise to test, how, and the mistakes to try; without any, everything is tried."""

    exercise: Exercise
    settings: Settings
    mistakes: tuple[str, ...]
    plants: int


def selftest(  # noqa: PLR0913, PLR0917 - one test, and all that narrows it
    course: Path,
    settings: Settings,
    exercises: Sequence[str] = (),
    mistakes: Sequence[str] = (),
    plants: int = PLANTS,
    jobs: int | None = None,
    progress: Progress = lambda done, of: None,
) -> Result:
    """Test the exercises of a course (all, where none are chosen) against the mistakes of the catalogue.

    With chosen mistakes nothing else is tried. Raises UsageError for a name that nothing has, CourseError where an exercise
    is incomplete or its known misses name no mistake, KernelFault where there are no kernels.
    """
    chosen = [load_exercise(course, slug) for slug in exercises or slugs(course)]
    names = tuple(mistake(name).name for name in mistakes)
    for one in chosen:
        _demand_known(one)
    works = {one.slug: Work(one, settings, names, plants) for one in chosen}
    outcomes: list[Outcome] = []
    with Workers(jobs) as workers:
        trials = [trial for planned in workers.each(settings, plan, works.values()) for trial in planned]
        for outcome in workers.each(settings, judge, [(works[trial.exercise], trial) for trial in trials]):
            outcomes.append(outcome)
            progress(len(outcomes), len(trials))
    return Result(
        tuple(sorted(outcomes, key=lambda one: (one.trial.exercise, one.trial.kind, one.trial.name)))
    )


def _demand_known(exercise: Exercise) -> None:
    """Raises CourseError if a known miss of an exercise is none of the catalogue's mistakes."""
    for name in exercise.manifest.known_misses:
        try:
            mistake(name)
        except UsageError as error:
            path = exercise.folder / "exercise.toml"
            raise CourseError(
                "known-miss-unknown", path=str(path), name=name, known=error.params["known"]
            ) from None


def plan(kernels: Kernels, work: Work) -> list[Trial]:
    """Everything to try of one exercise."""
    exercise = work.exercise
    if not exercise.reference.is_file():
        raise CourseError("reference-missing", exercise=exercise.slug, path=str(exercise.reference))
    reference = load(exercise.reference)
    with contextlib.closing(Experiment(kernels, reference, exercise, work.settings)) as experiment:
        run_checks(experiment)  # checks that are broken are told of once, and not of each trial
        case = Case(reference, experiment.run, (), exercise.slug)
    chosen = work.settings.cell_seconds or exercise.manifest.limits.cell_seconds
    seconds = chosen or min(Limits().cell_seconds, max(LEAST_SECONDS, PATIENCE * case.run.seconds))
    trials: list[Trial] = []
    if not work.mistakes:
        trials += _whole(exercise, reference)
        for name, rewrite in all_rewrites().items():
            trials += _edited(case, Trial(exercise.slug, "rewrite", name), partial(rewrite, case))[
                : work.plants
            ]
    for name, one in all_mistakes().items():
        if not work.mistakes or name in work.mistakes:
            known = exercise.manifest.known_misses.get(name) or one.known_misses.get(exercise.slug)
            trial = Trial(exercise.slug, "mistake", name, known=known, seconds=seconds)
            trials += _edited(case, trial, partial(one.plants, case))[: work.plants]
    return trials


def judge(kernels: Kernels, task: tuple[Work, Trial]) -> Outcome:
    """Grade one trial."""
    work, trial = task
    if trial.submission is None:
        return Outcome(trial)
    settings = work.settings if trial.seconds is None else replace(work.settings, cell_seconds=trial.seconds)
    report = grade(trial.submission, work.exercise, settings, kernels)
    if report.score is None:
        return Outcome(trial, ungradable=report.needs_review)
    findings = [finding for finding in report.findings if finding.confidence != NOT_SURE]
    return Outcome(
        trial,
        score=report.score,
        max_score=report.max_score,
        found=tuple(finding.mistake for finding in findings),
        named=_named(trial, findings),
    )


def _named(trial: Trial, findings: Sequence[Finding]) -> Confidence | None:
    """How sure the true mistake was named."""
    if trial.kind != "mistake":
        return None
    true = {one.confidence for one in findings if one.mistake in mistake(trial.name).accepted}
    return "confirmed" if "confirmed" in true else next(iter(true), None)


def _whole(exercise: Exercise, reference: Submission) -> Iterator[Trial]:
    starter, *_ = [starter_notebook(exercise, language) for language in get_args(Language)]
    yield Trial(exercise.slug, "reference", submission=reference)
    submission = load_content(exercise.starter.name, starter.encode(), str(exercise.starter))
    yield Trial(exercise.slug, "starter", submission=submission)


def _edited(case: Case, trial: Trial, ways: Callable[[], Iterable[list[Edit]]]) -> list[Trial]:
    """The trial with each different form that edits give the reference."""
    made: dict[tuple[Cell, ...], Submission] = {}
    try:
        for edits in ways():
            edited = _applied(case.submission, edits)
            made.setdefault(edited.cells, edited)
    except Exception as error:  # noqa: BLE001 - told as a gap; the other trials stand without it
        return [replace(trial, reason=f"{type(error).__name__}: {error}")]
    made.pop(case.submission.cells, None)
    return [
        replace(trial, submission=edited, changes=changes(case.submission, edited))
        for edited in made.values()
    ]


def _applied(submission: Submission, edits: Sequence[Edit]) -> Submission:
    """Raises ValueError (of which SyntaxError is one) where the edits do not give Python."""
    edited = apply(submission, edits)
    if edited is None:
        raise ValueError("edits that want the same place")
    for cell in edited.cells:
        ast.parse(cell.source)
    return edited
