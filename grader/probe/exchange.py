"""Exchanges a submission's data by value, wherever a value holds it, and in place where it can.

In place, so that aliases, views and data sets follow. What is derived from exchanged data holds other
values and is not touched again; data that is drawn again holds the old ones and is exchanged again.
"""

from typing import Any

import numpy as np
import torch

from grader.probe.numbers import Numbers, count, first, is_pandas, is_tensor, read

# A float32 copy of float64 data differs by at most 2**-24 ≈ 6e-8, relatively.
RELATIVE = 2e-7
TINY = 1e-12
MAX_DEPTH = 3
MAX_MEMBERS = 8
MAX_COLUMNS = 64


class Swap:
    """One set of data to recognise, and what to put in its place; both of shape (n,)."""

    def __init__(self, old: Numbers, new: Numbers) -> None:
        self.old = old
        self.new = new
        self._head = float(old[0])
        self.times = 0

    def begins(self, number: float) -> bool:
        """Whether a number is the first of the old data."""
        return bool(abs(number - self._head) <= RELATIVE * abs(self._head) + TINY)

    def matches(self, numbers: Numbers) -> bool:
        """Whether n numbers are the old data, up to float32 rounding."""
        return self.begins(numbers[0]) and bool(
            np.all(np.abs(numbers - self.old) <= RELATIVE * np.abs(self.old) + TINY)
        )


class Exchange:
    """Recognises data in values and exchanges it."""

    def __init__(self, swaps: list[Swap]) -> None:
        self._by_count: dict[int, list[Swap]] = {}
        for swap in swaps:
            self._by_count.setdefault(swap.old.size, []).append(swap)
        self.swaps = swaps

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return the value, or its replacement where it cannot be changed in place."""
        if is_tensor(value):
            return self._tensor(value)
        if type(value) is np.ndarray:
            return self._array_like(value, value.shape, _fill_ndarray)
        if is_pandas(value):
            return self._pandas(value)
        if type(value) in (list, tuple):
            return self._sequence(value, depth)
        if depth < MAX_DEPTH:
            if type(value) is dict and len(value) <= MAX_MEMBERS:
                for key, member in value.items():
                    value[key] = self(member, depth + 1)
            elif isinstance(value, torch.utils.data.Dataset):
                members = vars(value)
                for name, member in members.items():
                    members[name] = self(member, depth + 1)
        return value

    def _array_like(self, value: Any, shape: tuple[int, ...], fill: Any) -> Any:
        table = len(shape) == 2 and 1 < shape[1] <= MAX_MEMBERS  # noqa: PLR2004 - rows and columns
        if not table or shape[0] not in self._by_count:
            whole = self._by_count.get(count(value))
            if whole is None or (
                (head := first(value)) is not None and not any(s.begins(head) for s in whole)
            ):
                return value
        done = self._read_and_exchange(value)
        return value if done is None else fill(value, done)

    def _read_and_exchange(self, value: Any) -> Numbers | None:
        numbers = read(value)
        return None if numbers is None else self._exchanged(numbers)

    def _tensor(self, value: Any) -> Any:
        if value.grad_fn is not None:  # computed from parameters: no data
            return value
        try:
            return self._array_like(value, tuple(value.shape), _fill_tensor)
        except (RuntimeError, ValueError):  # a meta, nested or vmapped tensor does not let itself be read
            return value

    def _pandas(self, value: Any) -> Any:
        """A Series as a whole; a DataFrame column by column, since each has its own type."""
        if value.ndim == 1:
            return self._array_like(value, value.shape, _fill_series)
        if value.shape[0] in self._by_count:
            for index in range(min(value.shape[1], MAX_COLUMNS)):
                column = value.iloc[:, index]
                if (done := self._read_and_exchange(column)) is not None:
                    value.isetitem(
                        index, done.astype(column.dtype if column.dtype.kind == "f" else done.dtype)
                    )
        return value

    def _exchanged(self, numbers: Numbers) -> Numbers | None:
        """The numbers with the data exchanged, as a whole or in a column; None if it is not in them."""
        for swap in self._by_count.get(numbers.size, ()):
            if swap.matches(numbers.reshape(-1)):
                swap.times += 1
                return swap.new.reshape(numbers.shape)
        if numbers.ndim == 2 and numbers.shape[1] <= MAX_MEMBERS:  # noqa: PLR2004
            for swap in self._by_count.get(numbers.shape[0], ()):
                for column in range(numbers.shape[1]):
                    if swap.matches(numbers[:, column]):
                        swap.times += 1
                        done = numbers.copy()
                        done[:, column] = swap.new
                        return done
        return None

    def _sequence(self, value: Any, depth: int) -> Any:
        swaps = self._by_count.get(len(value))
        if swaps is not None and _may_begin(value[0], swaps):
            done = self._read_and_exchange(value)
            if done is not None:
                members = [_fill_member(member, new) for member, new in zip(value, done, strict=True)]
                if type(value) is tuple:
                    return tuple(members)
                value[:] = members
                return value
        if depth >= MAX_DEPTH or len(value) > MAX_MEMBERS:
            return value
        members = [self(member, depth + 1) for member in value]
        if any(new is not old for new, old in zip(members, value, strict=True)):
            if type(value) is tuple:
                return tuple(members)
            value[:] = members
        return value


def _may_begin(member: Any, swaps: list[Swap]) -> bool:
    """Whether a list's first member, a number or a row, leaves it possible that the list holds the data."""
    row = read(member)
    return row is not None and any(swap.begins(number) for swap in swaps for number in row.flat[:MAX_MEMBERS])


def _fill_tensor(tensor: Any, new: Numbers) -> Any:
    replacement = torch.from_numpy(np.ascontiguousarray(new)).reshape(tensor.shape)
    if not tensor.is_floating_point():
        return replacement.to(torch.get_default_dtype())
    try:
        tensor.data.copy_(replacement)
    except RuntimeError:  # an expanded tensor: several elements share one place in memory
        return replacement.to(tensor.dtype)
    return tensor


def _fill_ndarray(array: Any, new: Numbers) -> Any:
    if array.dtype.kind != "f" or not array.flags.writeable:
        return new.reshape(array.shape)
    array[...] = new.reshape(array.shape)
    return array


def _fill_series(series: Any, new: Numbers) -> Any:
    if series.dtype.kind != "f":
        return type(series)(new, index=series.index, name=series.name)
    series.iloc[:] = new
    return series


def _fill_member(member: Any, new: Any) -> Any:
    """One member of a list, in the learner's own type: a number, a row, a tensor of one element."""
    if type(member) in (list, tuple):
        flat = [_fill_member(old, value) for old, value in zip(member, np.atleast_1d(new), strict=True)]
        if type(member) is tuple:
            return tuple(flat)
        member[:] = flat
        return member
    if is_tensor(member):
        return _fill_tensor(member, np.asarray(new, dtype=np.float64))
    if type(member) is np.ndarray:
        return _fill_ndarray(member, np.asarray(new, dtype=np.float64))
    number = np.asarray(new).reshape(-1)[0]
    return type(member)(number) if isinstance(member, np.floating) else float(number)
