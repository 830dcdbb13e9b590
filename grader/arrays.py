"""Between the records that left a kernel and numpy arrays; nothing here runs or trusts anything."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from grader.trace import Event, Trace
from grader.values import Array, Items, Module, Value

Numbers = np.ndarray[Any, np.dtype[np.float64]]

# What numpy 1 can hold; an array without elements may otherwise be of any shape.
MAX_DIMENSIONS, MAX_SIZE = 32, 2**31
MAX_DEPTH = 4
DTYPES = frozenset({"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"})


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """The array of a record, in its own dtype. Raises ValueError if the record contradicts itself."""
    if not _is_whole(array):
        raise ValueError(array.shape)
    kind = np.dtype(array.dtype)
    return np.frombuffer(array.data, dtype=kind.newbyteorder("<")).astype(kind).reshape(array.shape)


def is_sound_value(value: Value, depth: int = MAX_DEPTH) -> bool:
    """Whether each array of a value agrees with itself, and none is deeper inside than the probe goes."""
    if isinstance(value, Items):
        return depth > 0 and all(is_sound_value(item, depth - 1) for item in value.items)
    arrays = value.parameters.values() if isinstance(value, Module) else [value]
    return all(_is_whole(array) for array in arrays if isinstance(array, Array))


def is_sound(trace: Trace) -> bool:
    """Whether a trace that came out of a kernel agrees with itself: each array with its shape, each index."""
    leaves = [leaf for training in trace.trainings for call in training.seen for leaf in call.leaves]
    arrays = [*trace.arrays, *(version.array for version in trace.versions)]
    arrays += [part for leaf in leaves for part in (leaf.value, leaf.before, leaf.after) if part is not None]
    arrays += [array for event in trace.events for array in _arrays_of(event)]
    indices = [index for training in trace.trainings for call in training.seen for index in call.saved]
    return all(_is_whole(array) for array in arrays) and all(0 <= k < len(trace.arrays) for k in indices)


def _arrays_of(event: Event) -> Iterator[Array]:
    """The arrays that an event holds."""
    yield from event.after.values()
    seen = [part for tensor in event.tensors for part in (tensor.value, tensor.grad)]
    seen.append(None if event.root is None else event.root.value)
    yield from (part for part in seen if part is not None)


def _is_whole(array: Array) -> bool:
    """Whether an array's bytes are as many as its dtype and shape say."""
    if array.dtype not in DTYPES or len(array.shape) > MAX_DIMENSIONS:
        return False
    if any(not 0 <= size < MAX_SIZE for size in array.shape):
        return False
    return len(array.data) == math.prod(array.shape) * np.dtype(array.dtype).itemsize


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
