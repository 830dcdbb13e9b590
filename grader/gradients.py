"""Recomputes the gradients of a line fit from what a run recorded, outside the student's process.

At each recorded call the probe gives the leaves, their gradients before and after, and the tensors that the
graph had saved. For ŷ = w·f + b and the squared error of targets t, over a batch of m samples,

    ∂/∂w = (2/m) Σ (w·f + b − t)·f        ∂/∂b = (2/m) Σ (w·f + b − t)

The batch is recognised by its inputs f among the saved tensors (w's gradient needs them, so autograd keeps
them); its targets follow from the submission's own data. A constant factor is left open, since the learning
rate undoes it: sum for mean with lr/N, −loss maximised. Inputs and targets may be scaled, as in
standardising, in which case the line found is scaled back before it is compared with w and b.
"""

import itertools
from collections.abc import Sequence

import msgspec
import numpy as np

from grader.arrays import Numbers, to_numpy
from grader.batches import PLAIN, Batch, Calls, Scale, batches, inputs_drift, readings, usual_scales
from grader.exchange import Pair
from grader.model import Parameters, Text
from grader.steps import NAMELESS, Component, components, leaf_values
from grader.trace import Trace, Training

# Sums of a few hundred float32 products carry a rounding error of at most about 1e3 units of 6e-8.
TOLERANCE = 2e-4
# What the task calls slope and intercept, for a leaf that no name holds any more, as after `w = w - …`.
ROLES = ("w", "b")
MAX_PARAMETERS = 8
MAX_PAIRS = 6
MAX_TRAININGS = 40


class Judgement(msgspec.Struct, frozen=True):
    """What became of one training: `right` is None where the batch could not be recognised.

    start, line: (slope, intercept) in the data's own units at the first and the last call seen; drift: how
    far it moved between the last two calls seen. Where it is not right, the two may be in the other order.
    """

    right: bool | None
    reason: Text | None = None
    start: tuple[float, float] | None = None
    line: tuple[float, float] | None = None
    drift: tuple[float, float] = (0.0, 0.0)


def judge_trainings(trace: Trace, pairs: Sequence[Pair]) -> list[Judgement]:
    """Judge each training of a trace that reached at least two parameters, in order."""
    arrays = [to_numpy(array).astype(np.float64) for array in trace.arrays]
    chosen = [training for training in trace.trainings if training.seen][-MAX_TRAININGS:]
    return [_judge(training, arrays, pairs[:MAX_PAIRS]) for training in chosen]


def _judge(training: Training, arrays: Sequence[Numbers], pairs: Sequence[Pair]) -> Judgement:
    place: Parameters = {"cell": training.cell, "line": training.line}
    calls = [(call, components(call)) for call in training.seen]
    size = max(len(parts) for _, parts in calls)
    if size < leaf_values(training.seen[0]):
        return Judgement(right=None)  # a hook took the gradients before they could be seen
    calls = [(call, parts) for call, parts in calls if len(parts) == size]
    if not 2 <= size <= MAX_PARAMETERS:  # noqa: PLR2004 - a slope and an intercept
        count: Parameters = {"count": size}
        return Judgement(right=False, reason=Text(id="gradient-reaches-count", params=count | place))
    kept = _kept_gradient([parts for _, parts in calls], place)
    whole = [(call, parts) for call, parts in calls if call.saved]
    recognised = False
    for pair, x_scale, seen in readings(pairs, whole, arrays):
        recognised = True
        for y_scale, order in itertools.product(usual_scales(pair.y), itertools.permutations(range(size), 2)):
            if _agrees(pair, seen, order, x_scale, y_scale):
                return Judgement(kept is None, kept, *_lines(calls, order, x_scale, y_scale))
    plain = [(pair, found) for pair in pairs if (found := batches(pair, whole, arrays, PLAIN))]
    order = _likely_order(plain, size)
    if kept is None and (recognised or any(inputs_drift(pair, whole, arrays) for pair in pairs)):
        kept = _difference(plain, order, place)
    return Judgement(False if kept else None, kept, *_lines(calls, order, PLAIN, PLAIN))


def _kept_gradient(calls: Sequence[Sequence[Component]], place: Parameters) -> Text | None:
    """A gradient that was still there when a new step began.

    Calls at unchanged parameter values are one step: accumulating over micro-batches is no mistake.
    """
    for previous, parts in itertools.pairwise(calls):
        if all(old.value == new.value for old, new in zip(previous, parts, strict=True)):
            continue
        for old, new in zip(previous, parts, strict=True):
            if new.before != 0 and new.before == old.after:
                numbers: Parameters = {"name": new.name, "before": new.before, "after": new.after}
                return Text(id="gradient-kept", params=numbers | place)
    return None


# ---- comparing ----------------------------------------------------------------------------------


def _closed_form(
    pair: Pair, batch: Batch, order: tuple[int, int], x_scale: Scale, y_scale: Scale
) -> tuple[Numbers, Numbers]:
    """Half the gradient of the mean squared error, and the size of its terms, for rounding."""
    inputs = x_scale.factor * pair.x[batch.index] + x_scale.offset
    targets = y_scale.factor * pair.y[batch.index] + y_scale.offset
    slope, intercept = (batch.parts[k].value for k in order)
    residual = slope * inputs + intercept - targets
    terms = np.stack([residual * inputs, residual])
    whole = np.abs(slope * inputs) + np.abs(intercept) + np.abs(targets)
    size = np.stack([whole * np.abs(inputs), whole])
    return terms.mean(axis=1), size.mean(axis=1)


def _agrees(
    pair: Pair, batches: Sequence[Batch], order: tuple[int, int], x_scale: Scale, y_scale: Scale
) -> bool:
    """Whether all gradients are the closed form times one factor, for a mean or for a sum."""
    seen = np.array([[batch.parts[k].gradient for k in order] for batch in batches])
    if not np.all(np.isfinite(seen)):
        return False
    forms = [_closed_form(pair, batch, order, x_scale, y_scale) for batch in batches]
    expected, size = (np.array([form[k] for form in forms]) for k in (0, 1))
    # An accumulated gradient is known only to the rounding of what it was added to.
    kept = np.array([[abs(batch.parts[k].before) for k in order] for batch in batches])
    counts = np.array([[batch.index.size] for batch in batches], dtype=float)
    for count in (np.ones_like(counts), counts):
        weight = 1 / np.maximum(size * count, 1e-30)
        reference = expected * count
        strength = float(((reference * weight) ** 2).sum())
        if strength == 0:
            continue
        factor = float((seen * reference * weight**2).sum()) / strength
        if factor != 0:
            allowed = TOLERANCE * (abs(factor) * size * count + kept)
            if bool((np.abs(seen - factor * reference) <= allowed).all()):
                return True
    return False


def _lines(
    calls: Calls, order: tuple[int, int], x_scale: Scale, y_scale: Scale
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """The line at the first and the last call seen, in the data's units, and how far the last one was moved to."""
    chosen = (calls[k][1] for k in (0, max(-2, -len(calls)), -1))
    start, before, line = (_unscaled(parts, order, x_scale, y_scale) for parts in chosen)
    return start, line, (abs(line[0] - before[0]), abs(line[1] - before[1]))


def _unscaled(
    parts: Sequence[Component], order: tuple[int, int], x_scale: Scale, y_scale: Scale
) -> tuple[float, float]:
    slope, intercept = (parts[k].value for k in order)
    return (
        slope * x_scale.factor / y_scale.factor,
        (slope * x_scale.offset + intercept - y_scale.offset) / y_scale.factor,
    )


def _likely_order(plain: Sequence[tuple[Pair, Sequence[Batch]]], size: int) -> tuple[int, int]:
    """Which parameters are slope and intercept: those whose gradients point most nearly along the closed form."""
    return min(
        itertools.permutations(range(size), 2),
        key=lambda order: sum(_apart(pair, batch, order) for pair, found in plain for batch in found),
    )


def _apart(pair: Pair, batch: Batch, order: tuple[int, int]) -> float:
    """sin² of the angle between the gradient seen and the closed form."""
    expected, _ = _closed_form(pair, batch, order, PLAIN, PLAIN)
    seen = np.array([batch.parts[k].gradient for k in order])
    lengths = float((seen**2).sum() * (expected**2).sum())
    return 1 - float((seen * expected).sum()) ** 2 / lengths if 0 < lengths < np.inf else 0.0


def _difference(
    plain: Sequence[tuple[Pair, Sequence[Batch]]], order: tuple[int, int], place: Parameters
) -> Text:
    """Say at which call the gradient was another than that of the mean squared error, with both numbers."""
    for pair, found in plain:
        for batch in found:
            expected, size = _closed_form(pair, batch, order, PLAIN, PLAIN)
            for k, half, role in zip(order, expected, ROLES, strict=True):
                part = batch.parts[k]
                differs = abs(part.gradient - 2 * half) > TOLERANCE * float(size.max())
                if differs and len(batch.parts) == len(order):
                    both: Parameters = {"seen": part.gradient, "expected": 2 * float(half)}
                    name = role if part.name == NAMELESS else part.name
                    where: Parameters = {"name": name, "call": batch.call + 1}
                    return Text(id="gradient-differs", params=where | both | place)
    return Text(id="gradient-not-squared-error", params=place)
