"""Records what the gradient check needs at backward and grad calls.

Only the boundaries are patched: `torch.autograd.backward` (which `Tensor.backward` calls) and
`torch.autograd.grad` (which `torch.func.grad` and `torch.autograd.functional` call). Nothing that the
submission computes changes: values are copied, the graph is only read. Where reading fails, since names, nodes
and tensors may be of the learner's own classes, the call goes unrecorded.

Calls are grouped by the place they are made from, cell and lines, so that an early experiment and the
loop that counts stay apart; of each group the first `FIRST_CALLS` are recorded whole, and then ever fewer
with their leaves alone: a tenth more calls later, but at least every `EVERY`th.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from grader.probe.acts import UNWATCHED, ActRecorder
from grader.probe.encode import Encoded, encode_array, tensor_to_array, type_name
from grader.probe.events import EventRecorder
from grader.probe.places import cell_number, learner_frames, names_of
from grader.probe.tensors import copied

# The arguments by position, the tensors that gradients start from first; `Tensor.backward` gives them so.
ARGUMENTS = {
    "backward": ("roots", "grad_tensors", "retain_graph", "create_graph"),
    "grad": ("roots", "inputs", "grad_outputs", "retain_graph", "create_graph"),
}
FIRST_CALLS = 20
EVERY = 50
MAX_GROUPS = 100
MAX_NODES = 2_000
MAX_LEAVES = 16
MAX_LEAF_VALUES = 1_000
MAX_SAVED_VALUES = 20_000
MAX_ARRAYS_BYTES = 16_000_000


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


class GradientRecorder:
    """Patches torch's two gradient functions and keeps what passed through them; tells `events` and `acts` of each call."""

    def __init__(self, events: EventRecorder, acts: ActRecorder) -> None:
        self._events, self._acts = events, acts
        self._backward = torch.autograd.backward
        self._grad = torch.autograd.grad
        self.clear()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._arrays: list[Encoded] = []
        self._array_index: dict[tuple[Any, ...], int] = {}
        self._bytes = 0
        self.truncated = False

    def install(self) -> None:
        """Put the recording functions in the place of torch's."""
        torch.autograd.backward = self._wrapped(self._backward, self._look_at_backward)
        torch.autograd.grad = self._wrapped(self._grad, self._look_at_grad)
        torch.Tensor.backward = self._acts.until_enough(torch.Tensor.backward)  # type: ignore[method-assign]

    def trainings(self) -> list[Encoded]:
        """The groups, in the order of their first call."""
        return [group.encoded() for group in self._groups.values()]

    def arrays(self) -> list[Encoded]:
        """The saved tensors, each content once."""
        return self._arrays

    def _wrapped(self, original: Callable[..., Any], look: Callable[..., Any]) -> Callable[..., Any]:
        """`look` sees the arguments before the call, and returns what is to see the result after it."""

        def patched(*args: Any, **kwargs: Any) -> Any:
            frames = learner_frames()
            group = self._group(frames) if frames else None
            if group is None:
                return original(*args, **kwargs)
            args = tuple(_listed(arg) for arg in args)
            kwargs = {name: _listed(arg) for name, arg in kwargs.items()}
            tell = None
            if self._events.counts(group.calls):
                options = dict(zip(ARGUMENTS[original.__name__], args, strict=False)) | kwargs
                roots = options.get("roots", kwargs.get("tensors", kwargs.get("outputs", ())))
                tell = self._events.gradient_call(
                    original.__name__, frames, group.calls, _tensors(roots), options
                )
            raised = ""
            try:
                look_after = (
                    self._unless_it_fails(look, group, frames, args, kwargs) if group.wants() else None
                )
                result = original(*args, **kwargs)
            except Exception as error:
                raised = type_name(error)
                raise
            else:
                if look_after is not None:
                    self._unless_it_fails(look_after, result)
                return result
            finally:
                group.calls += 1
                self._acts.count()
                if tell is not None:
                    tell(raised)

        setattr(patched, UNWATCHED, original)
        patched.__name__ = original.__name__
        patched.__doc__ = original.__doc__
        patched.__module__ = original.__module__
        return patched

    def _unless_it_fails(self, look: Callable[..., Any], *args: Any) -> Any:
        try:
            return look(*args)
        except Exception:  # noqa: BLE001 - an error of ours must not become one of the learner's
            self.truncated = True
            return None

    def _group(self, frames: list[Any]) -> Group | None:
        key = tuple((frame.f_code.co_filename, frame.f_lineno) for frame in frames)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                self.truncated = True
                return None
            cell = cell_number(frames[0].f_code.co_filename) or 0
            group = self._groups[key] = Group(cell, frames[0].f_lineno)
        return group

    def _look_at_backward(
        self, group: Group, frames: list[Any], args: Any, kwargs: Any
    ) -> Callable[[Any], None]:
        roots = args[0] if args else kwargs.get("tensors", ())
        leaves, saved = self._look(roots, whole=group.calls < FIRST_CALLS)
        before = [(_copy(leaf), _copy(leaf.grad)) for leaf in leaves]

        def look_after(_result: None) -> None:
            seen = [
                {"names": _names(leaf, frames), "value": value, "before": grad, "after": _copy(leaf.grad)}
                for leaf, (value, grad) in zip(leaves, before, strict=True)
                if value is not None
            ]
            group.seen.append({"number": group.calls, "saved": saved, "leaves": seen})

        return look_after

    def _look_at_grad(self, group: Group, frames: list[Any], args: Any, kwargs: Any) -> Callable[[Any], None]:
        roots = args[0] if args else kwargs.get("outputs", ())
        inputs = args[1] if len(args) > 1 else kwargs.get("inputs", ())
        leaves = list(_tensors(inputs))[:MAX_LEAVES]
        _, saved = self._look(roots, whole=group.calls < FIRST_CALLS)
        values = [_copy(leaf) for leaf in leaves]

        def look_after(result: Any) -> None:
            grads = [_copy(grad) for grad in result] if isinstance(result, tuple) else []
            seen = [
                {"names": _names(leaf, frames), "value": value, "before": None, "after": after}
                for leaf, value, after in zip(leaves, values, grads, strict=False)
                if value is not None and after is not None
            ]
            group.seen.append({"number": group.calls, "saved": saved, "leaves": seen})

        return look_after

    def _look(self, roots: Any, *, whole: bool) -> tuple[list[torch.Tensor], list[int]]:
        """Walk the graph from its roots to its leaves; keep the tensors it saved if `whole`."""
        leaves: list[torch.Tensor] = []
        saved: list[int] = []
        stack: list[Any] = []
        for root in _tensors(roots):
            if root.grad_fn is not None:
                stack.append(root.grad_fn)
            elif root.requires_grad:
                leaves.append(root)
        seen = set(stack)
        while stack and len(seen) < MAX_NODES:
            node = stack.pop()
            leaf = getattr(node, "variable", None)
            if isinstance(leaf, torch.Tensor):
                leaves.append(leaf)
            elif whole:
                self._keep_saved(node, saved)
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen.add(following)
                    stack.append(following)
        return leaves[:MAX_LEAVES], saved

    def _keep_saved(self, node: Any, saved: list[int]) -> None:
        for name in _saved_names(type(node)):
            try:
                value = getattr(node, name)
            except RuntimeError:
                continue  # freed by an earlier backward, or changed in place since: there is nothing to read
            for tensor in _tensors(value):
                if 1 <= tensor.numel() <= MAX_SAVED_VALUES and (index := self._keep(tensor)) is not None:
                    saved.append(index)

    def _keep(self, tensor: torch.Tensor) -> int | None:
        array = tensor_to_array(tensor)
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


def _names(leaf: torch.Tensor, frames: list[Any]) -> list[str]:
    try:
        return names_of(leaf, frames)
    except Exception:  # noqa: BLE001 - some object of the learner's cannot be looked into; the gradient counts without
        return []


def _copy(tensor: Any) -> Encoded | None:
    """The encoded values of a small tensor; of a large one only that it is there (`too-large`)."""
    return None if tensor is None else copied(tensor, MAX_LEAF_VALUES)


def _tensors(value: Any) -> Iterable[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return (value,)
    if isinstance(value, Iterable):
        return tuple(item for item in value if isinstance(item, torch.Tensor))
    return ()


def _listed(argument: Any) -> Any:
    """The members of an iterator, such as `model.parameters()`, which can be read once only."""
    return tuple(argument) if isinstance(argument, Iterator) else argument


_SAVED_NAMES: dict[type, tuple[str, ...]] = {}


def _saved_names(kind: type) -> tuple[str, ...]:
    names = _SAVED_NAMES.get(kind)
    if names is None:
        names = tuple(name for name in dir(kind) if name.startswith("_saved_"))
        _SAVED_NAMES[kind] = names
    return names
