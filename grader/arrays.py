"""Between the records that left a kernel and numpy arrays; nothing here runs or trusts anything."""

import math
from typing import Any

import numpy as np

from grader.model import Array, Items, Value

Numbers = np.ndarray[Any, np.dtype[np.float64]]

DTYPES = frozenset({"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"})


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """The array of a record, in its own dtype. Raises ValueError if the record contradicts itself."""
    if array.dtype not in DTYPES or any(size < 0 for size in array.shape):
        raise ValueError(array.dtype)
    kind = np.dtype(array.dtype)
    if len(array.data) != math.prod(array.shape) * kind.itemsize:
        raise ValueError(array.shape)
    return np.frombuffer(array.data, dtype=kind.newbyteorder("<")).astype(kind).reshape(array.shape)


def from_numpy(values: np.ndarray[Any, Any]) -> Array:
    """The record of an array."""
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return Array(dtype=values.dtype.name, shape=tuple(values.shape), data=little.tobytes())


def numbers(value: Value) -> Numbers | None:
    """All numbers of a value as float64 in its shape; None if it holds anything else or is ragged."""
    try:
        if isinstance(value, Array):
            return to_numpy(value).astype(np.float64)
        if isinstance(value, Items):
            rows = [numbers(item) for item in value.items]
            if any(row is None for row in rows) or len({row.shape for row in rows if row is not None}) > 1:
                return None
            return np.array(rows, dtype=np.float64)
    except ValueError:
        return None
    return None


def scalar(value: Value) -> float | None:
    """The number of a value that holds exactly one; None otherwise."""
    found = numbers(value)
    return float(found.reshape(-1)[0]) if found is not None and found.size == 1 else None
