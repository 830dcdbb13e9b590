"""A submission as an experiment: run once, then again with exactly one thing changed."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from grader.arrays import from_numpy
from grader.exercise import Exercise
from grader.hidden import hidden_numbers
from grader.kernel.pool import Kernels
from grader.kernel.session import Progress
from grader.limits import merged
from grader.model import Argument, Call, Limits, Run, Submission, Swap
from grader.observed import with_calls
from grader.settings import Settings

# How many times as long the same code may take where other jobs want the processor too.
BUSY = 4


class LeafArgument(msgspec.Struct, frozen=True):
    """An array that a learner's function gets as a leaf tensor, which requires a gradient."""

    values: Any


# What check files pass to a learner's function: a number, a list of numbers, or an array, which becomes a tensor.
HiddenArgument = float | Sequence[float] | np.ndarray[Any, Any] | LeafArgument


class Experiment:
    """The base run of a submission, its reruns, and calls of its functions.

    The base run's kernel stays, since the learner's functions live in it; a rerun's ends with it.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one experiment, and all that bounds it
        self,
        kernels: Kernels,
        submission: Submission,
        exercise: Exercise,
        settings: Settings,
        progress: Progress | None = None,
        most_seconds: float | None = None,
        *,
        draw: bool = False,
        shown: bool = True,
    ) -> None:
        """Run the submission, for `most_seconds` at most if that is given; draw its figures if asked to.

        shown: whether anybody will look at what its cells show. Raises KernelFault if no kernel can be had.
        """
        self._kernels = kernels
        self.submission = submission
        self.exercise = exercise
        self.settings = settings
        self._limits = _bounded(merged(exercise.manifest.limits, settings), most_seconds)
        self.reruns = 0
        self._shown: list[Call] = []
        self.seconds = 0.0  # of the submission's own cells, all runs together
        self._session = kernels.open(self._limits, bare=not shown)
        if exercise.watched:
            kernels.prepare(self._limits, bare=True)  # for the rerun on exchanged data
        try:
            self.run: Run = kernels.do(
                self._session.run(
                    submission,
                    seed=settings.seed,
                    values=exercise.names,
                    watch=exercise.watched,
                    draw=draw,
                    progress=progress,
                )
            )
        except BaseException:
            self.close()
            raise
        self.seconds += self.run.seconds

    def rerun(self, exchange: Sequence[Swap] = ()) -> Run:
        """Run the submission again with the same seeds, its data exchanged."""
        self.reruns += 1
        session = self._kernels.open(self._limits, bare=True)
        try:
            run = self._kernels.do(
                session.run(
                    self.submission,
                    seed=self.settings.seed,
                    values=self.exercise.names,
                    watch=self.exercise.watched,
                    exchange=exchange,
                )
            )
        finally:
            self._kernels.close(session)
        self.seconds += run.seconds
        return run

    def may_be_slow(self, rerun: Run) -> bool:
        """Whether a rerun ended at a limit of time that the base run had kept but come near: a busy machine is enough for that."""
        limited = any(error.kind in ("time-limit", "run-time-limit", "cpu-limit") for error in rerun.errors)
        allowed = min(self._limits.cell_seconds, self._limits.run_seconds)
        return limited and self.run.complete and self.run.seconds >= allowed / BUSY

    def hidden_numbers(self, check: str) -> np.random.Generator:
        """The random numbers that a check draws its hidden data from."""
        return hidden_numbers(self.settings, self.exercise, self.submission, check)

    def close(self) -> None:
        """End the base run's kernel."""
        self._kernels.close(self._session)

    def call(self, name: str, arguments: Sequence[HiddenArgument], *, shown: bool = False) -> Call:
        """Call a learner's function in the base run's kernel with arguments of ours; shown: they are public."""
        call = self._kernels.do(
            self._session.call(name, [_argument(argument) for argument in arguments], seed=self.settings.seed)
        )
        if shown:
            self._shown.append(call)
        return call

    @property
    def observed(self) -> Run:
        """What the submission was seen to do: in the base run, and in calls with public arguments."""
        return with_calls(self.run, self._shown)


def _bounded(limits: Limits, most_seconds: float | None) -> Limits:
    if most_seconds is None:
        return limits
    cell, run = min(limits.cell_seconds, most_seconds), min(limits.run_seconds, most_seconds)
    return msgspec.structs.replace(limits, cell_seconds=cell, run_seconds=run)


def _argument(argument: HiddenArgument) -> Argument:
    if isinstance(argument, LeafArgument):
        return Argument(form="leaf", array=from_numpy(argument.values))
    if isinstance(argument, np.ndarray):
        return Argument(form="tensor", array=from_numpy(argument))
    kind = np.int64 if isinstance(argument, int) else np.float64
    return Argument(form="plain", array=from_numpy(np.asarray(argument, dtype=kind)))
