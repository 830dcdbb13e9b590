"""A submission's own data, found by value, and other data to put in its place.

The probe keeps every version of x and y that a run bound. Each version of y, paired with the x that
stood beside it, is shifted by one and the same line, so that whichever of them the training uses
follows. What is derived from a shifted y matches no version and is left alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from grader.arrays import from_numpy, numbers
from grader.model import Swap
from grader.trace import Version

Numbers = np.ndarray[Any, np.dtype[np.float64]]

# By how much the correlation of a y with another x must be higher for that x to be the one it belongs to.
FAR_BETTER = 0.1
# Share of y's variance that the line leaves unexplained: 1e-14 by the rounding of float32, 1e-6 by noise of size 0.01.
NO_NOISE = 1e-10


class Pair(msgspec.Struct, frozen=True):
    """One x and the y that belongs to it, both of shape (n,)."""

    x: Any
    y: Any


def data_pairs(versions: Sequence[Version], x_name: str, y_name: str) -> tuple[Pair, ...]:
    """The pairs of equal length that stood beside each other, in the order in which they came to be.

    Left out are a y that was still being filled, and after data with noise a y without any for the same x:
    it is a prediction under the same name, as in a function `forward`.
    """
    current: dict[str, Numbers] = {}
    pairs: list[Pair] = []
    for version in versions:
        found = numbers(version.array)
        if found is None or not np.all(np.isfinite(found)):
            continue
        column = _one_column(found)
        if float(np.ptp(column)) == 0:  # room made for values that are yet to come, as by torch.zeros(100)
            current.pop(version.name, None)
            continue
        current[version.name] = column
        x, y = current.get(x_name), current.get(y_name)
        if x is not None and y is not None and x.size == y.size:
            pairs.append(Pair(x=x, y=y))
    return tuple(_without_predictions(_without_beginnings(pairs)))


def _without_beginnings(pairs: list[Pair]) -> list[Pair]:
    return [
        pair for n, pair in enumerate(pairs) if not any(_goes_on(pair.y, late.y) for late in pairs[n + 1 :])
    ]


def _without_predictions(pairs: list[Pair]) -> Iterator[Pair]:
    scattered: set[bytes] = set()
    for pair in pairs:
        unexplained = 1 - _correlation(pair) ** 2
        if unexplained >= NO_NOISE:
            scattered.add(pair.x.tobytes())
        if not (unexplained < NO_NOISE and pair.x.tobytes() in scattered):
            yield pair


def shifted(pairs: Sequence[Pair], shift: Callable[[Numbers], Numbers]) -> list[Swap]:
    """For each version of y, once: exchange it for y + shift(x), with the x that it belongs to.

    That is the first one it stood beside, unless a later one goes with it far better: where new data are
    drawn, y may come before its x.
    """
    chosen: dict[bytes, Pair] = {}
    for pair in pairs:
        first = chosen.setdefault(pair.y.tobytes(), pair)
        if _correlation(pair) > _correlation(first) + FAR_BETTER:
            chosen[pair.y.tobytes()] = pair
    return [Swap(old=from_numpy(pair.y), new=from_numpy(pair.y + shift(pair.x))) for pair in chosen.values()]


def _correlation(pair: Pair) -> float:
    """How well x and y go together, from 0 to 1; nan where their numbers are too large to tell."""
    with np.errstate(all="ignore"):
        return abs(float(np.corrcoef(pair.x, pair.y)[0, 1]))


def _goes_on(early: Numbers, late: Numbers) -> bool:
    """Whether an array was still being filled, or a list still growing, when it was seen the first time."""
    begun = np.trim_zeros(early, "b")
    return (
        late.size >= early.size
        and not np.array_equal(early, late)
        and np.array_equal(begun, late[: begun.size])
    )


def _one_column(found: Numbers) -> Numbers:
    """Flatten; of a table with a column of ones (for the intercept) take the column that varies."""
    if found.ndim == 2 and found.shape[1] > 1:  # noqa: PLR2004 - rows and columns
        varying = [found[:, k] for k in range(found.shape[1]) if np.ptp(found[:, k]) > 0]
        if len(varying) == 1:
            return np.ascontiguousarray(varying[0])
    return found.reshape(-1)
