"""Parameters that were changed twice with one gradient, as the run shows it: by hand and by an optimizer, or by two steps."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case, numbers_of
from grader.trace import Event, Tensor

# Rounds that are looked at, and how many of them must agree. Each moves by the same multiple of its gradient, but for rounding.
ROUNDS, ENOUGH = 8, 3
ROUNDING = 0.03


class Twice(NamedTuple):
    """step: one that moved parameters. again: another step that used the same gradients; None where that was done by hand."""

    step: Event
    again: Event | None


class _Round(NamedTuple):
    """A gradient call, the steps of optimizers after it, and the next gradient call."""

    asked: Event
    steps: tuple[Event, ...]
    following: Event


def changed_twice(case: Case) -> Twice | None:
    """What changed the parameters twice in each of the first rounds, without a gradient call in between."""
    rounds = list(_rounds(case))[:ROUNDS]
    if len(rounds) < ENOUGH:
        return None
    if all(len(one.steps) > 1 and _both_moved(*one.steps[:2]) for one in rounds):
        return Twice(*rounds[0].steps[:2])
    for tensor in rounds[0].asked.tensors[: rounds[0].asked.leaves]:
        rates = [_rate_by_hand(one, tensor.number) for one in rounds]
        known = [rate for rate in rates if rate is not None]
        if len(known) >= ENOUGH and len(known) == len(rounds) and np.allclose(known, known[0], rtol=ROUNDING):
            return Twice(rounds[0].steps[0], None)
    return None


def _rounds(case: Case) -> Iterator[_Round]:
    """The rounds that were seen without a gap, and in which an optimizer stepped."""
    asked = [index for index, event in enumerate(case.events) if event.kind in ("backward", "grad")]
    for first, last in pairwise(asked):
        events = case.events[first : last + 1]
        steps = tuple(event for event in events if event.kind == "step" and not event.raised)
        if steps and all(after.order == before.order + 1 for before, after in pairwise(events)):
            yield _Round(events[0], steps, events[-1])


def _both_moved(first: Event, second: Event) -> bool:
    """Whether two steps moved one tensor, with the same gradient."""
    return any(
        (before := _of(first, tensor.number)) is not None
        and _same(numbers_of(before.grad), numbers_of(tensor.grad))
        and _moved(first, before)
        and _moved(second, tensor)
        for tensor in second.tensors[: second.leaves]
    )


def _rate_by_hand(one: _Round, number: int) -> float | None:
    """By how much of the step's gradient a tensor moved in a round apart from the step; None: it did not, or by something else."""
    step = one.steps[0]
    asked, stepped, following = (_of(event, number) for event in (one.asked, step, one.following))
    gradient = numbers_of(one.asked.after.get(number))
    if asked is None or stepped is None or following is None or gradient is None:
        return None
    if len(one.steps) > 1 or not _moved(step, stepped) or not _same(numbers_of(stepped.grad), gradient):
        return None
    end = numbers_of(step.after.get(number))
    ways = ((numbers_of(asked.value), numbers_of(stepped.value)), (end, numbers_of(following.value)))
    rates = [
        _rate(after - before, gradient)
        for before, after in ways
        if before is not None and after is not None and not np.array_equal(before, after)
    ]
    return rates[0] if len(rates) == 1 else None


def _rate(delta: Numbers, gradient: Numbers) -> float | None:
    size = float(gradient @ gradient)
    rate = -float(delta @ gradient) / size if size > 0 and np.isfinite(size) else 0.0
    straight = bool(
        np.allclose(delta, -rate * gradient, rtol=ROUNDING, atol=ROUNDING * float(np.abs(delta).max()))
    )
    return rate if rate > 0 and straight else None


def _moved(step: Event, tensor: Tensor) -> bool:
    before, after = numbers_of(tensor.value), numbers_of(step.after.get(tensor.number))
    return before is not None and after is not None and not np.array_equal(before, after)


def _same(one: Numbers | None, other: Numbers | None) -> bool:
    return one is not None and other is not None and bool(np.any(one)) and np.array_equal(one, other)


def _of(event: Event, number: int) -> Tensor | None:
    return next((one for one in event.tensors if one.number == number), None)
