"""Recognises the samples that each recorded call of a training saw, among the tensors that the graph had saved.

The gradient of w needs the inputs, so autograd keeps them, as they are or scaled; their targets follow from
the submission's own data.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from grader.arrays import Numbers
from grader.exchange import Pair
from grader.steps import Component
from grader.trace import GradientCall

# A recorded call, with the numbers of its leaves.
Calls = Sequence[tuple[GradientCall, Sequence[Component]]]

SAME_INPUT = 1e-6
MAX_COLUMNS = 8


class Scale(msgspec.Struct, frozen=True):
    """scaled = factor·value + offset."""

    factor: float
    offset: float


PLAIN = Scale(1.0, 0.0)


class Batch(msgspec.Struct, frozen=True):
    """The samples that one call saw, by their index in the data, with the parameters and gradients there."""

    call: int
    index: Any
    parts: Sequence[Component]


def readings(
    pairs: Sequence[Pair], calls: Calls, arrays: Sequence[Numbers]
) -> Iterator[tuple[Pair, Scale, list[Batch]]]:
    """The ways to read the saved tensors as inputs: which data, scaled how, and the batches that follow."""
    for pair in pairs:
        scales = usual_scales(pair.x)
        for index in dict.fromkeys(index for call, _ in calls[:2] for index in call.saved):
            for column in _columns(arrays[index]):
                if (scale := _scale_between(pair.x, column)) is not None:
                    scales.append(scale)
        for x_scale, whole in itertools.product(dict.fromkeys(scales), (False, True)):
            if found := batches(pair, calls, arrays, x_scale, whole=whole):
                yield pair, x_scale, found


def usual_scales(values: Numbers) -> list[Scale]:
    """None, standardising (with both denominators), centring, and the scalings to [0, 1] and [−1, 1]."""
    mean, low, high = float(values.mean()), float(values.min()), float(values.max())
    divisors = [(float(values.std()), mean), (float(values.std(ddof=1)), mean), (1.0, mean)]
    divisors += [(high - low, low), (max(high, -low), 0.0), ((high - low) / 2, (high + low) / 2)]
    return [PLAIN, *(Scale(1 / divisor, -centre / divisor) for divisor, centre in divisors if divisor > 0)]


def _scale_between(values: Numbers, scaled: Numbers) -> Scale | None:
    """The scale that takes one array to another element by element, if there is one."""
    spread = float(np.ptp(values))
    if scaled.size != values.size or spread == 0 or float(np.ptp(scaled)) == 0:
        return None
    low, high = int(values.argmin()), int(values.argmax())
    factor = float(scaled[high] - scaled[low]) / spread
    scale = Scale(factor, float(scaled[low]) - factor * float(values[low]))
    close = np.abs(scale.factor * values + scale.offset - scaled) <= SAME_INPUT * float(np.abs(scaled).max())
    return scale if bool(close.all()) and factor != 0 else None


def batches(
    pair: Pair, calls: Calls, arrays: Sequence[Numbers], scale: Scale, *, whole: bool = False
) -> list[Batch]:
    """The batch of each call: the inputs saved nearest to the leaves, or, as a `whole`, all inputs saved.

    A loss may be summed from several parts of the data, each with inputs of its own; but targets, which
    the graph keeps too, can look like inputs. So can a parameter while it is zero; therefore what is found in
    few of the calls is left out.
    """
    inputs = scale.factor * pair.x + scale.offset
    order = np.argsort(inputs, kind="stable")
    found = []
    for call, parts in calls:
        columns = [column for index in call.saved for column in _columns(arrays[index])]
        chosen = [places for column in columns if (places := _indices(column, inputs, order)) is not None]
        if chosen:
            index = np.unique(np.concatenate(chosen)) if whole else chosen[-1]
            found.append(Batch(call.number, index, parts))
    return found if 2 * len(found) > len(calls) else []


def inputs_drift(pair: Pair, calls: Calls, arrays: Sequence[Numbers]) -> bool:
    """Whether the inputs are x in another scale at each call, as in w·(x + b)."""
    saved = [[column for index in call.saved for column in _columns(arrays[index])] for call, _ in calls]
    drifting = [columns for columns in saved if any(_scale_between(pair.x, column) for column in columns)]
    return 2 * len(drifting) > len(calls)


def _indices(column: Numbers, inputs: Numbers, order: Any) -> Any | None:
    """Where in the data each number of a column stands; None unless all of them do.

    A number may come up again, as in a batch drawn with replacement, if no two of the inputs are alike: of two that
    are, nobody knows whose target it was.
    """
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
    if column.size == 1 or np.unique(chosen).size == chosen.size or _all_differ(ranked, close):
        return chosen
    return None


def _all_differ(ranked: Numbers, close: float) -> bool:
    """Whether sorted inputs are farther apart than numbers that count as the same."""
    return bool((np.diff(ranked) > 2 * close).all())


def _columns(array: Numbers) -> list[Numbers]:
    """An array as a column, or the columns of a table of few. Axes of length one, as einsum adds, do not count."""
    table = np.squeeze(array)
    if table.ndim != 2:  # noqa: PLR2004 - rows and columns
        return [table.reshape(-1)]
    if table.shape[1] <= MAX_COLUMNS:
        return list(table.T)
    return list(table) if table.shape[0] <= MAX_COLUMNS else [table.reshape(-1)]
