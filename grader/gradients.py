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
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from grader.arrays import to_numpy
from grader.exchange import Pair
from grader.model import GradientCall, Text, Trace, Training
from grader.steps import Component, components, leaf_values

Numbers = np.ndarray[Any, np.dtype[np.float64]]

# Sums of a few hundred float32 products carry a rounding error of at most about 1e3 units of 6e-8.
TOLERANCE = 2e-4
SAME_INPUT = 1e-6
MAX_PARAMETERS = 8
MAX_PAIRS = 6
MAX_TRAININGS = 40
MIN_STEPS_TO_JUDGE_ZEROING = 2


class Scale(msgspec.Struct, frozen=True):
    """scaled = factor·value + offset."""

    factor: float
    offset: float


PLAIN = Scale(1.0, 0.0)


class Judgement(msgspec.Struct, frozen=True):
    """What became of one training: `right` is None where the batch could not be recognised.

    start, line: (slope, intercept) in the data's own units at the first and the last call seen; drift: how
    far it moved between the last two calls seen.
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
    calls = [(call, components(call)) for call in training.seen]
    size = max(len(parts) for _, parts in calls)
    if size < leaf_values(training.seen[0]):
        return Judgement(right=None)  # a hook took the gradients before they could be seen
    calls = [(call, parts) for call, parts in calls if len(parts) == size]
    if not 2 <= size <= MAX_PARAMETERS:  # noqa: PLR2004 - a slope and an intercept
        reason = Text(id="gradient-reaches-count", params={"count": size, "line": training.line, "cell": training.cell})
        return Judgement(right=False, reason=reason)
    kept = _kept_gradient(training, [parts for _, parts in calls])
    whole = [(call, parts) for call, parts in calls if call.saved]
    recognised = False
    for pair, x_scale, seen in _readings(pairs, whole, arrays):
        recognised = True
        for y_scale, order in itertools.product(_usual_scales(pair.y), itertools.permutations(range(size), 2)):
            if _agrees(pair, seen, order, x_scale, y_scale):
                return Judgement(kept is None, kept, *_lines(calls, order, x_scale, y_scale))
    if kept is None and recognised:
        kept = _difference(training, pairs, whole, arrays)
    return Judgement(False if kept else None, kept, *_lines(calls, (0, 1), PLAIN, PLAIN))


def _kept_gradient(training: Training, calls: Sequence[Sequence[Component]]) -> Text | None:
    """A gradient that was still there when a new step began.

    Calls at unchanged parameter values are one step: accumulating over micro-batches is no mistake.
    """
    steps = 0
    for previous, parts in itertools.pairwise(calls):
        if all(old.value == new.value for old, new in zip(previous, parts, strict=True)):
            continue
        steps += 1
        for old, new in zip(previous, parts, strict=True):
            if new.before != 0 and new.before == old.after and steps >= MIN_STEPS_TO_JUDGE_ZEROING - 1:
                return Text(
                    id="gradient-kept",
                    params={"name": new.name, "before": new.before, "after": new.after, "cell": training.cell,
                            "line": training.line},
                )
    return None


# ---- recognising the batch ----------------------------------------------------------------------


def _readings(
    pairs: Sequence[Pair], calls: Sequence[tuple[GradientCall, Sequence[Component]]], arrays: Sequence[Numbers]
) -> Iterator[tuple[Pair, Scale, "list[_Batch]"]]:
    """The ways to read the saved tensors as inputs: which data, scaled how, and the batches that follow."""
    for pair in pairs:
        scales = _usual_scales(pair.x)
        for index in dict.fromkeys(index for call, _ in calls[:2] for index in call.saved):
            for column in _columns(arrays[index]):
                if column.size == pair.x.size and (scale := _scale_between(pair.x, column)) is not None:
                    scales.append(scale)
        for x_scale, whole in itertools.product(dict.fromkeys(scales), (False, True)):
            if batches := _batches(pair, calls, arrays, x_scale, whole=whole):
                yield pair, x_scale, batches


def _usual_scales(values: Numbers) -> list[Scale]:
    """None, standardising (with both denominators), centring, and the scalings to [0, 1] and [−1, 1]."""
    mean, low, high = float(values.mean()), float(values.min()), float(values.max())
    top = float(np.abs(values).max())
    divisors = [(float(values.std()), mean), (float(values.std(ddof=1)), mean), (1.0, mean), (high - low, low)]
    divisors += [(top, 0.0), ((high - low) / 2, (high + low) / 2)]
    return [PLAIN, *(Scale(1 / divisor, -centre / divisor) for divisor, centre in divisors if divisor > 0)]


def _scale_between(values: Numbers, scaled: Numbers) -> Scale | None:
    """The scale that takes one array to another element by element, if there is one."""
    spread = float(np.ptp(values))
    if spread == 0 or float(np.ptp(scaled)) == 0:
        return None
    low, high = int(values.argmin()), int(values.argmax())
    factor = float(scaled[high] - scaled[low]) / spread
    scale = Scale(factor, float(scaled[low]) - factor * float(values[low]))
    close = np.abs(scale.factor * values + scale.offset - scaled) <= SAME_INPUT * float(np.abs(scaled).max())
    return scale if bool(close.all()) and factor != 0 else None


class _Batch(msgspec.Struct, frozen=True):
    """The samples that one call saw, by their index in the data, with the parameters and gradients there."""

    call: int
    index: Any
    parts: Sequence[Component]


def _batches(
    pair: Pair,
    calls: Sequence[tuple[GradientCall, Sequence[Component]]],
    arrays: Sequence[Numbers],
    scale: Scale,
    *,
    whole: bool,
) -> list[_Batch]:
    """The batch of each call: the inputs saved nearest to the leaves, or, as a `whole`, all inputs saved.

    A loss may be summed from several parts of the data, each with inputs of its own; but targets, which
    the graph keeps too, can look like inputs.
    """
    inputs = scale.factor * pair.x + scale.offset
    order = np.argsort(inputs, kind="stable")
    found = []
    for call, parts in calls:
        columns = [column for index in call.saved for column in _columns(arrays[index])]
        chosen = [index for column in columns if (index := _indices(column, inputs, order)) is not None]
        if chosen:
            found.append(_Batch(call.number, np.unique(np.concatenate(chosen)) if whole else chosen[-1], parts))
    return found


def _indices(column: Numbers, inputs: Numbers, order: Any) -> Any | None:
    """Where in the data each number of a column stands; None unless all of them do, and differ."""
    if column.size > inputs.size:
        return None
    close = SAME_INPUT * max(float(np.abs(inputs).max()), 1e-30)
    if column.size == inputs.size and bool((np.abs(column - inputs) <= close).all()):
        return np.arange(inputs.size)
    if column.size > 1 and float(np.ptp(column)) == 0:
        return None
    ranked = inputs[order]
    right = np.clip(np.searchsorted(ranked, column), 1, ranked.size - 1)
    nearest = np.where(np.abs(ranked[right - 1] - column) <= np.abs(ranked[right] - column), right - 1, right)
    if not bool((np.abs(ranked[nearest] - column) <= close).all()):
        return None
    chosen = order[nearest]
    return chosen if np.unique(chosen).size == chosen.size or column.size == 1 else None


def _columns(array: Numbers) -> list[Numbers]:
    """An array as a column, or the columns of a table of few."""
    if array.ndim != 2 or min(array.shape) <= 1:  # noqa: PLR2004 - rows and columns
        return [array.reshape(-1)]
    if array.shape[1] <= MAX_PARAMETERS:
        return list(array.T)
    return list(array) if array.shape[0] <= MAX_PARAMETERS else [array.reshape(-1)]


# ---- comparing ----------------------------------------------------------------------------------


def _closed_form(
    pair: Pair, batch: _Batch, order: tuple[int, ...], x_scale: Scale, y_scale: Scale
) -> tuple[Numbers, Numbers]:
    """Half the gradient of the mean squared error, and the size of its terms, for rounding."""
    inputs = x_scale.factor * pair.x[batch.index] + x_scale.offset
    targets = y_scale.factor * pair.y[batch.index] + y_scale.offset
    slope, intercept = (batch.parts[k].value for k in order)
    residual = slope * inputs + intercept - targets
    terms = np.stack([residual * inputs, residual])
    size = np.stack([(np.abs(slope * inputs) + np.abs(intercept) + np.abs(targets)) * np.abs(row) for row in
                     (inputs, np.ones_like(inputs))])
    return terms.mean(axis=1), size.mean(axis=1)


def _agrees(
    pair: Pair, batches: Sequence[_Batch], order: tuple[int, ...], x_scale: Scale, y_scale: Scale
) -> bool:
    """Whether all gradients are the closed form times one factor, for a mean or for a sum."""
    seen = np.array([[batch.parts[k].gradient for k in order] for batch in batches])
    if not np.all(np.isfinite(seen)):
        return False
    forms = [_closed_form(pair, batch, order, x_scale, y_scale) for batch in batches]
    expected, size = (np.array([form[k] for form in forms]) for k in (0, 1))
    # An accumulated gradient is known only to the rounding of what it was added to.
    kept = np.array([[abs(batch.parts[k].before) for k in order] for batch in batches])
    for count in (np.ones((len(batches), 1)), np.array([[batch.index.size] for batch in batches], dtype=float)):
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
    calls: Sequence[tuple[GradientCall, Sequence[Component]]], order: tuple[int, ...], x_scale: Scale, y_scale: Scale
) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """The line at the first and the last call seen, in the data's units, and how far the last one was moved to."""
    start, before, line = (_unscaled(calls[k][1], order, x_scale, y_scale) for k in (0, max(-2, -len(calls)), -1))
    return start, line, (abs(line[0] - before[0]), abs(line[1] - before[1]))


def _unscaled(
    parts: Sequence[Component], order: tuple[int, ...], x_scale: Scale, y_scale: Scale
) -> tuple[float, float]:
    slope, intercept = (parts[k].value for k in order)
    return (
        slope * x_scale.factor / y_scale.factor,
        (slope * x_scale.offset + intercept - y_scale.offset) / y_scale.factor,
    )


def _difference(
    training: Training, pairs: Sequence[Pair], calls: Sequence[tuple[GradientCall, Sequence[Component]]],
    arrays: Sequence[Numbers],
) -> Text | None:
    """Say at which call the gradient was another than that of the mean squared error, with both numbers."""
    for pair in pairs:
        for batch in _batches(pair, calls, arrays, PLAIN, whole=False):
            if len(batch.parts) != 2:  # noqa: PLR2004 - a slope and an intercept
                continue
            order = min(
                itertools.permutations((0, 1)),
                key=lambda order, pair=pair, batch=batch: _distance(pair, batch, order),  # type: ignore[misc]
            )
            expected, size = _closed_form(pair, batch, order, PLAIN, PLAIN)
            for k, half in zip(order, expected, strict=True):
                part = batch.parts[k]
                seen = part.gradient
                if abs(seen - 2 * half) > TOLERANCE * float(size.max()):
                    return Text(
                        id="gradient-differs",
                        params={"name": part.name, "call": batch.call + 1, "seen": seen, "expected": 2 * float(half),
                                "cell": training.cell, "line": training.line},
                    )
    return Text(id="gradient-not-squared-error", params={"cell": training.cell, "line": training.line})


def _distance(pair: Pair, batch: _Batch, order: tuple[int, ...]) -> float:
    expected, _ = _closed_form(pair, batch, order, PLAIN, PLAIN)
    seen = np.array([batch.parts[k].gradient for k in order])
    return float(np.abs(seen - 2 * expected).sum())
