"""A submission's own data, found by value, and other data to put in its place.

The probe keeps every version of x and y that a run bound. Each version of y, paired with the x that
stood beside it, is shifted by one and the same line, so that whichever of them the training uses
follows. What is derived from a shifted y matches no version and is left alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from grader.arrays import from_numpy, numbers
from grader.model import Swap, Version

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class Pair(msgspec.Struct, frozen=True):
    """One x and the y that belongs to it, both of shape (n,)."""

    x: Any
    y: Any


def data_pairs(versions: Sequence[Version], x_name: str, y_name: str) -> tuple[Pair, ...]:
    """The pairs of equal length that stood beside each other, in the order in which they came to be."""
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
    return tuple(pairs)


def shifted(pairs: Sequence[Pair], shift: Callable[[Numbers], Numbers]) -> list[Swap]:
    """For each version of y, once: exchange it for y + shift(x), with the x it first stood beside."""
    swaps: list[Swap] = []
    seen: set[bytes] = set()
    for pair in pairs:
        key = pair.y.tobytes()
        if key not in seen:
            seen.add(key)
            swaps.append(Swap(old=from_numpy(pair.y), new=from_numpy(pair.y + shift(pair.x))))
    return swaps


def _one_column(found: Numbers) -> Numbers:
    """Flatten; of a table with a column of ones (for the intercept) take the column that varies."""
    if found.ndim == 2 and found.shape[1] > 1:  # noqa: PLR2004 - rows and columns
        varying = [found[:, k] for k in range(found.shape[1]) if np.ptp(found[:, k]) > 0]
        if len(varying) == 1:
            return np.ascontiguousarray(varying[0])
    return found.reshape(-1)
