"""A submission's case: its source, its run, and what the run says about training, read once for all mistakes."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from grader.arrays import Numbers, to_numpy
from grader.evidence.code import Code, Loop, called
from grader.evidence.suspicion import Suspicion
from grader.exercise import Answer
from grader.model import CheckResult, Parameters, Run, RunError, Submission
from grader.trace import Act, Event, Tensor
from grader.values import Array

# What asks for gradients or makes a step, in source.
GRADIENT_CALLS = ("backward", "grad", "backwards")
STEP_CALLS = ("step",)
NO_ANSWERS: Mapping[str, Answer] = MappingProxyType({})


class Moment(NamedTuple):
    """A parameter at one gradient call: its values, its gradient before the call and after it (None: none)."""

    event: Event
    tensor: Tensor
    value: Numbers
    before: Numbers | None
    after: Numbers | None


class Move(NamedTuple):
    """What became of a parameter between two gradient calls that followed each other at one place.

    gradient: what `.grad` held after the first call. delta: new value − old value. replaced: by another tensor.
    """

    name: str
    first: Moment
    second: Moment
    gradient: Numbers | None
    delta: Numbers
    replaced: bool


class Case:
    """Everything that detectors may look at. `checks` and `answers` are empty and `exercise` None where there is no exercise."""

    def __init__(
        self,
        submission: Submission,
        run: Run,
        checks: Sequence[CheckResult] = (),
        exercise: str | None = None,
        answers: Mapping[str, Answer] = NO_ANSWERS,
    ) -> None:
        self.submission = submission
        self.run = run
        self.checks = tuple(checks)
        self.exercise = exercise
        self.answers = answers
        self.code = Code(submission)
        self._moments: dict[tuple[object, ...], dict[str, list[Moment]]] = {}

    @property
    def score(self) -> float:
        """The points it was given."""
        return sum(check.score for check in self.checks)

    @property
    def full(self) -> bool:
        """Whether it was given all points, so that nothing has to be explained."""
        return bool(self.checks) and all(check.score == check.max_score for check in self.checks)

    def failed(self, *reasons: str) -> bool:
        """Whether a check failed for one of these reasons (ids of texts, such as `gradient-kept`)."""
        return any(check.reason is not None and check.reason.id in reasons for check in self.checks)

    # ---- the run ----------------------------------------------------------------------------

    @property
    def errors(self) -> tuple[RunError, ...]:
        """The exceptions and limits that cells ended in."""
        return self.run.errors

    @property
    def error(self) -> RunError | None:
        """The first of them."""
        return self.run.errors[0] if self.run.errors else None

    def says(self, *texts: str) -> RunError | None:
        """The first error whose message holds one of some texts, whatever their case."""
        return next(
            (error for error in self.errors if any(text.lower() in error.message.lower() for text in texts)),
            None,
        )

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened, in order."""
        return self.run.trace.events

    @property
    def acts(self) -> tuple[Act, ...]:
        """The operations of the first steps, in order."""
        return self.run.trace.acts

    @cached_property
    def gradient_events(self) -> tuple[Event, ...]:
        """The calls of backward and of grad that were looked at."""
        return tuple(event for event in self.events if event.kind in ("backward", "grad"))

    @cached_property
    def gradient_calls(self) -> int:
        """How often gradients were asked for in the whole run."""
        return sum(training.calls for training in self.run.trace.trainings)

    @cached_property
    def steps(self) -> tuple[Event, ...]:
        """The steps of optimizers that were looked at."""
        return tuple(event for event in self.events if event.kind == "step")

    @cached_property
    def optimizers(self) -> tuple[Event, ...]:
        """The optimizers that were made, with their tensors first."""
        return tuple(event for event in self.events if event.kind == "optimizer")

    @cached_property
    def end(self) -> Event | None:
        """The look around after the last cell."""
        return next((event for event in self.events if event.kind == "end"), None)

    def at_error(self, error: RunError) -> Event | None:
        """The look around at the place of an error."""
        found = (event for event in self.events if event.kind == "error" and event.cell == error.cell)
        return next((event for event in found if error.line is None or event.line == error.line), None)

    def places(self) -> dict[tuple[int, int], list[Event]]:
        """The gradient calls by the cell and line that they were made from."""
        found: dict[tuple[int, int], list[Event]] = {}
        for event in self.gradient_events:
            found.setdefault((event.cell, event.line), []).append(event)
        return found

    # ---- parameters -------------------------------------------------------------------------

    def moments(self, events: Sequence[Event], also: Sequence[str] = ()) -> dict[str, list[Moment]]:
        """The parameters that gradient calls reached or could see, by name, at each of these calls.

        Tensors count that require a gradient and were not made by the forward pass of this step: leaves of the graph, and
        tensors under the name of one, or under one of the names that are given `also`. Several mistakes ask for the same: what was
        read is kept, and is not to be changed.
        """
        asked = (*map(id, events), *also)
        if asked not in self._moments:
            self._moments[asked] = self._read_moments(events, also)
        return self._moments[asked]

    def _read_moments(self, events: Sequence[Event], also: Sequence[str]) -> dict[str, list[Moment]]:
        leaf_names = {
            name for event in events for tensor in event.tensors[: event.leaves] for name in tensor.names
        } | set(also)
        found: dict[str, list[Moment]] = {}
        for event in events:
            for index, tensor in enumerate(event.tensors):
                if index < event.leaves and not tensor.names:
                    names: tuple[str, ...] = ("",)
                else:
                    names = tuple(name for name in tensor.names if name in leaf_names)[:1]
                for name in names:
                    if tensor.value is not None:
                        found.setdefault(name, []).append(_moment(event, tensor))
        return found

    def moves(self, events: Sequence[Event]) -> Iterator[Move]:
        """What parameters did between gradient calls of one place that directly followed each other."""
        for name, moments in self.moments(events).items():
            for first, second in pairwise(moments):
                if second.event.call == first.event.call + 1 and first.value.shape == second.value.shape:
                    yield Move(
                        name,
                        first,
                        second,
                        first.after,
                        second.value - first.value,
                        first.tensor.number != second.tensor.number,
                    )

    # ---- source and run together --------------------------------------------------------------

    @cached_property
    def training_loops(self) -> tuple[Loop, ...]:
        """The loops that train, innermost first of nested ones: those that ask for gradients, step, or update `w -= …`.

        A loop also trains when a function that it calls does.
        """
        trains = {
            function.name
            for function in self.code.all(ast.FunctionDef)
            if any(self.code.calls(*GRADIENT_CALLS, *STEP_CALLS, inside=function))
        }
        found: list[Loop] = []
        for loop in self.code.all(ast.For, ast.AsyncFor, ast.While):
            assert isinstance(loop, Loop)
            calls = {called(call) for call in self.code.inside(loop, ast.Call)}
            if calls & {*GRADIENT_CALLS, *STEP_CALLS, *trains}:
                found.append(loop)
        return tuple(sorted(found, key=lambda loop: -len(list(self._outer_loops(loop)))))

    def _outer_loops(self, loop: ast.AST) -> Iterator[Loop]:
        outer = self.code.loop(loop)
        while outer is not None:
            yield outer
            outer = self.code.loop(outer)

    def events_in(self, node: ast.stmt, *kinds: str) -> list[Event]:
        """The events of some kinds (all, if none is named) that happened at the lines of a statement, or under a call there."""
        cell, first, last = self.code.cell_of(node), node.lineno, node.end_lineno or node.lineno
        return [
            event
            for event in self.events
            if (not kinds or event.kind in kinds)
            and any(
                at == cell and first <= line <= last for at, line in ((event.cell, event.line), *event.within)
            )
        ]

    def suspicion(  # noqa: PLR0913 - what a suspicion has, and the words for its message
        self,
        at: ast.AST | Event | RunError,
        sureness: float,
        *,
        about: ast.AST | None = None,
        evidence: Parameters | None = None,
        advice: bool = False,
        rewrites: bool = False,
        **params: str | float,
    ) -> Suspicion:
        """A suspicion of what stands or happened at a place, whose first line its message may quote as `line_text`.

        about: the syntax it is about, where that is not the place itself.
        """
        place = (self.code.cell_of(at), at.lineno) if isinstance(at, ast.AST) else (at.cell, at.line)  # type: ignore[attr-defined]
        return Suspicion(
            cell=place[0],
            line=place[1],
            sureness=sureness,
            params={"line_text": self.first_line(at), **params},
            evidence=evidence or {},
            advice=advice,
            rewrites=rewrites,
            node=about or (at if isinstance(at, ast.AST) else None),
        )

    def first_line(self, at: ast.AST | Event | RunError) -> str:
        """The source of a node, if need be its first line; of an event or an error, the line it happened in."""
        if isinstance(at, ast.AST):
            return self.code.text(at).split("\n", maxsplit=1)[0]
        return self.code.line(at.cell or 0, at.line or 0).strip()

    def number(self, node: ast.expr | None) -> float | None:
        """The number that an expression is: a literal, or a name that held one number at the end of the run."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.number(node.operand)
            return None if inner is None else -inner
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name):
            looks = [event for event in self.events if node.id in event.plain]
            return looks[-1].plain[node.id] if looks else None
        return None


def numbers_of(array: Array | None) -> Numbers | None:
    """The numbers of a copied tensor, flat, as float64; None where there is no copy."""
    return None if array is None else np.atleast_1d(to_numpy(array).astype(np.float64)).reshape(-1)


def _moment(event: Event, tensor: Tensor) -> Moment:
    value = numbers_of(tensor.value)
    assert value is not None
    return Moment(event, tensor, value, numbers_of(tensor.grad), numbers_of(event.after.get(tensor.number)))
