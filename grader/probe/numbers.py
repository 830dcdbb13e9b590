"""Reads anything that holds numbers as a float64 array: tensors, arrays, lists of either, Series, columns."""

import sys
from typing import Any

import numpy as np
import torch

from grader.probe.encode import tensor_to_array

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def is_tensor(value: object) -> bool:
    """Whether a value is a tensor by its type, whatever its `__class__` claims."""
    return issubclass(type(value), torch.Tensor)


def count(value: Any) -> int:
    """How many numbers (or rows) a value seems to hold, at little cost; 0 for what holds none."""
    kind = type(value)
    if kind in (list, tuple):
        return len(value)
    if kind is np.ndarray:
        return int(value.size)
    if is_tensor(value):
        return int(value.numel())
    if is_pandas(value):
        return int(value.size)
    return 0


def first(value: Any) -> float | None:
    """The first number of a tensor or array, at little cost; None where it is not that simple."""
    if is_tensor(value):
        return float(value.data.flatten()[0]) if value.layout == torch.strided else None
    if type(value) is np.ndarray and value.dtype.kind in "fiu":
        return float(value.flat[0])
    return None


def raw(value: Any) -> bytes | None:
    """The memory of a tensor or array, at little cost; None where it is not that simple."""
    try:
        if type(value) is torch.Tensor:
            return bytes(value.detach().numpy().tobytes())
        return value.tobytes() if type(value) is np.ndarray else None
    except (RuntimeError, TypeError):  # there is no such memory, or numpy cannot show it
        return None


def read(value: Any) -> Numbers | None:
    """The numbers of a value as an array of its shape; None if it holds anything else.

    Lists may hold numbers, arrays or tensors of one element, or rows of these.
    """
    kind = type(value)
    numbers: Any = None
    try:
        if is_tensor(value):
            numbers = tensor_to_array(value)
        elif kind is np.ndarray and value.dtype.kind in "fiub":
            numbers = value
        elif kind in (list, tuple):
            return _read_sequence(value)
        elif is_pandas(value):
            numbers = value.to_numpy()
        elif isinstance(value, int | float | np.floating | np.integer):
            numbers = float(value)
        return None if numbers is None else np.array(numbers, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None  # a list of strings, ragged rows, an object column: no numbers


def _read_sequence(value: Any) -> Numbers | None:
    if all(type(item) in (int, float) for item in value):
        return np.asarray(value, dtype=np.float64)
    rows = []
    for item in value:
        row = read(item)
        if row is None:
            return None
        rows.append(row.reshape(-1))
    if not rows or len({row.size for row in rows}) != 1:
        return None
    return np.stack(rows)


def is_pandas(value: Any) -> bool:
    """Whether a value is a pandas Series or DataFrame; pandas is never imported for the question."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series | pandas.DataFrame)
