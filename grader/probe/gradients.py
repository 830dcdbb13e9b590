"""Records what the gradient check needs of a backward or grad call.

Nothing that the submission computes changes: values are copied, the graph is only read. Where reading fails, since
names, nodes and tensors may be of the learner's own classes, the call goes unrecorded.

Calls are grouped by the place they are made from, cell and lines, so that an early experiment and the
loop that counts stay apart; of each group the first `FIRST_CALLS` are recorded whole, and then ever fewer
with their leaves alone: a tenth more calls later, but at least every `EVERY`th.
"""

from collections.abc import Callable
from types import FrameType
from typing import Any

import torch

from grader.probe.encode import Encoded, array_of, encode_array
from grader.probe.graph import MAX_LEAVES, GradientCall, tensors_in
from grader.probe.itself import Watcher
from grader.probe.places import cell_number, names_of
from grader.probe.tensors import copied

FIRST_CALLS = 20
EVERY = 50
MAX_GROUPS = 100
MAX_LEAF_VALUES = 1_000
MAX_SAVED_VALUES = 20_000
MAX_ARRAYS_BYTES = 16_000_000

# Sees the result of a call.
LookAfter = Callable[[Any], None]


class Group:
    """The calls made from one place."""

    def __init__(self, cell: int, line: int) -> None:
        self.cell = cell
        self.line = line
        self.calls = 0
        self._due = 0
        self.seen: list[Encoded] = []

    def wants(self) -> bool:
        """Whether the next call is one to record."""
        if self.calls < self._due:
            return False
        self._due = self.calls + (1 if self.calls < FIRST_CALLS else min(self.calls // 10, EVERY))
        return True

    def encoded(self) -> Encoded:
        """The group as JSON."""
        return {"cell": self.cell, "line": self.line, "calls": self.calls, "seen": self.seen}


class GradientRecorder(Watcher):
    """Keeps what passed through the calls of torch's two gradient functions."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._arrays: list[Encoded] = []
        self._array_index: dict[tuple[Any, ...], int] = {}
        self._bytes = 0
        self.truncated = False

    def trainings(self) -> list[Encoded]:
        """The groups, in the order of their first call."""
        return [group.encoded() for group in self._groups.values()]

    def arrays(self) -> list[Encoded]:
        """The saved tensors, each content once."""
        return self._arrays

    def group(self, frames: list[FrameType]) -> Group | None:
        """The group of the calls made from some frames, innermost first; None where there are too many groups."""
        key = tuple([(frame.f_code.co_filename, frame.f_lineno) for frame in frames])
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                self.truncated = True
                return None
            cell = cell_number(frames[0].f_code.co_filename) or 0
            group = self._groups[key] = Group(cell, frames[0].f_lineno)
        return group

    def look(self, group: Group, call: GradientCall) -> LookAfter | None:
        """Look at a call before it; what is returned is to see its result."""
        look = self._look_at_grad if call.kind == "grad" else self._look_at_backward
        look_after: LookAfter | None = self._guarded(look, group, call)
        if look_after is None:
            return None
        return lambda result: self._guarded(look_after, result)

    def _look_at_backward(self, group: Group, call: GradientCall) -> LookAfter:
        leaves, saved = call.graph.leaves, self._saved(call)
        before = [(_copy(leaf), _copy(leaf.grad)) for leaf in leaves]

        def look_after(_result: None) -> None:
            names = _names(leaves, call.frames)
            seen = [
                {"names": names[id(leaf)], "value": value, "before": grad, "after": _copy(leaf.grad)}
                for leaf, (value, grad) in zip(leaves, before, strict=True)
                if value is not None
            ]
            group.seen.append({"number": call.number, "saved": saved, "leaves": seen})

        return look_after

    def _look_at_grad(self, group: Group, call: GradientCall) -> LookAfter:
        leaves, saved = list(tensors_in(call.options.get("inputs", ())))[:MAX_LEAVES], self._saved(call)
        values = [_copy(leaf) for leaf in leaves]

        def look_after(result: Any) -> None:
            grads = [_copy(grad) for grad in result] if isinstance(result, tuple) else []
            names = _names(leaves, call.frames)
            seen = [
                {"names": names[id(leaf)], "value": value, "before": None, "after": after}
                for leaf, value, after in zip(leaves, values, grads, strict=False)
                if value is not None and after is not None
            ]
            group.seen.append({"number": call.number, "saved": saved, "leaves": seen})

        return look_after

    def _saved(self, call: GradientCall) -> list[int]:
        """The tensors that the graph of one of the first calls keeps."""
        if call.number >= FIRST_CALLS:
            return []
        kept = (
            self._keep(tensor) for tensor in call.graph.saved() if 1 <= tensor.numel() <= MAX_SAVED_VALUES
        )
        return [index for index in kept if index is not None]

    def _keep(self, tensor: torch.Tensor) -> int | None:
        array = array_of(tensor)
        if array is None:
            return None
        key = (array.dtype.str, array.shape, array.tobytes())
        index = self._array_index.get(key)
        if index is None:
            if self._bytes + array.nbytes > MAX_ARRAYS_BYTES:
                self.truncated = True
                return None
            encoded = encode_array(array)
            if encoded["type"] != "array":
                return None
            self._bytes += array.nbytes
            index = self._array_index[key] = len(self._arrays)
            self._arrays.append(encoded)
        return index


def _names(leaves: list[torch.Tensor], frames: list[FrameType]) -> dict[int, list[str]]:
    try:
        return names_of(leaves, frames)
    except Exception:  # noqa: BLE001 - some object of the learner's cannot be looked into; the gradient counts without
        return {id(leaf): [] for leaf in leaves}


def _copy(tensor: Any) -> Encoded | None:
    """The encoded values of a small tensor; of a large one only that it is there (`too-large`)."""
    return None if tensor is None else copied(tensor, MAX_LEAF_VALUES)
