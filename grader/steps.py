"""The recorded calls of a training as plain numbers: each parameter's value and gradients, call by call."""

import itertools
from collections.abc import Sequence

import msgspec

from grader.arrays import to_numpy
from grader.trace import GradientCall, Trace, Training

NAMELESS = "?"


class Component(msgspec.Struct, frozen=True):
    """One number of a leaf at one call: its value, its gradient before and after, and what to call it."""

    name: str
    value: float
    before: float
    after: float

    @property
    def gradient(self) -> float:
        """What this call alone contributed."""
        return self.after - self.before


class Steps(msgspec.Struct, frozen=True):
    """A training whose parameters are known in order: `calls` holds, for each call, one component each."""

    training: Training
    numbers: tuple[int, ...]
    calls: tuple[tuple[Component, ...], ...]

    @property
    def consecutive(self) -> int:
        """How many calls from the first on were recorded without a gap."""
        return next((n for n, number in enumerate(self.numbers) if n != number), len(self.numbers))


def components(call: GradientCall) -> list[Component]:
    """The numbers of all leaves of a call that have a gradient."""
    parts: list[Component] = []
    for leaf in call.leaves:
        if leaf.after is None:
            continue
        value, after = to_numpy(leaf.value).reshape(-1), to_numpy(leaf.after).reshape(-1)
        before = 0 * after if leaf.before is None else to_numpy(leaf.before).reshape(-1)
        if value.size != after.size or before.size != after.size:
            continue
        name = leaf.names[0] if leaf.names else NAMELESS
        for k in range(value.size):
            label = name if value.size == 1 else f"{name}[{k}]"
            parts.append(Component(label, float(value[k]), float(before[k]), float(after[k])))
    return parts


def leaf_values(call: GradientCall) -> int:
    """How many numbers the leaves of a call hold, with or without a gradient."""
    return sum(to_numpy(leaf.value).size for leaf in call.leaves)


def parameters_reached(trace: Trace) -> int:
    """The most parameters (single numbers) that any call's gradient reached."""
    return max((leaf_values(call) for training in trace.trainings for call in training.seen), default=0)


def trainings_that_ended_at(trace: Trace, values: Sequence[float], allowed: float) -> list[Steps]:
    """The trainings whose parameters, in some order, stood at the given values when last seen; latest first.

    The last call that was seen may lie up to 49 steps before the end, so each parameter may be off by twice
    what it moved between the last two calls seen, or by `allowed`. A training that was begun at one place
    and continued at another is given twice: as its last part alone, and as a whole.
    """
    trainings = [training for training in trace.trainings if training.seen]
    found = []
    for place in range(len(trainings) - 1, -1, -1):
        for order in itertools.permutations(range(len(values))):
            steps = _in_order(trainings[place], order)
            if steps is None or not _stands_at(steps, values, allowed):
                continue
            found.append(steps)
            for earlier in reversed(trainings[:place]):
                part = _in_order(earlier, order)
                if part is None or part.consecutive < earlier.calls or not _continues(part, steps):
                    break
                numbers = tuple(number + earlier.calls for number in steps.numbers)
                steps = Steps(steps.training, part.numbers + numbers, part.calls + steps.calls)
                found.append(steps)
    return found


def _in_order(training: Training, order: Sequence[int]) -> Steps | None:
    calls = [(call.number, components(call)) for call in training.seen]
    calls = [(number, parts) for number, parts in calls if len(parts) == len(order)]
    if not calls:
        return None
    numbers = tuple(number for number, _ in calls)
    return Steps(training, numbers, tuple(tuple(parts[k] for k in order) for _, parts in calls))


def _stands_at(steps: Steps, values: Sequence[float], allowed: float, drifts: float = 2.0) -> bool:
    """Whether the parameters stood at the values when last seen, up to so many times what they last moved."""
    last, before = steps.calls[-1], steps.calls[max(-2, -len(steps.calls))]
    return all(
        abs(value - new.value) <= max(allowed, drifts * abs(new.value - old.value))
        for value, new, old in zip(values, last, before, strict=True)
    )


def _continues(part: Steps, steps: Steps) -> bool:
    """Whether a training may go on from where an earlier part of it ended: one step away.

    With one update per sample, a step may be several times as long as the one before.
    """
    return _stands_at(part, [component.value for component in steps.calls[0]], 0.0, drifts=4.0)
