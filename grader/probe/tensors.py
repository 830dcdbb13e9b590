"""Describes tensors as they are at one moment: those of a graph, and those in sight of the learner's code.

Copies and numbers leave; no tensor is held on to, so the submission's memory stays what it is.
"""

import math
import types
import weakref
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import torch

from grader.probe.encode import Encoded, array_of, encode_array, type_name

MAX_VALUES = 64
MAX_TENSORS = 40
MAX_PLAIN = 60
MAX_MEMBERS = 8
MAX_HELD = 5_000
MAX_HOLDERS = 20
MAX_TEXT = 80
OF_IPYTHON = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})
# Names whose types say nothing of a training.
UNTOLD = (
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    type,
    torch.Tensor,
)
NUMBERS_AND_TEXTS = {id(kind) for kind in (int, float, bool, str)}

_plain_grad, _is_leaf, _requires_grad, _grad_fn = (
    getattr(torch.Tensor, name).__get__ for name in ("grad", "is_leaf", "requires_grad", "grad_fn")
)


class Numbering:
    """Gives each object a number of its own, for as long as the run lasts, without keeping it alive."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._next = 0

    def of(self, thing: Any) -> int:
        """The number of an object; a new object at the place of one that is gone gets a new one."""
        known = self._known.get(id(thing))
        if known is not None and known[0]() is thing:
            return known[1]
        self._next += 1
        self._known[id(thing)] = weakref.ref(thing), self._next
        return self._next


class Memories:
    """Gives each memory that tensors lie in a number, by its address."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def of(self, tensor: torch.Tensor) -> int:
        """The number of a tensor's memory; 0 where it has none."""
        try:
            address = tensor.untyped_storage().data_ptr()
        except (RuntimeError, NotImplementedError):
            return 0
        return self._known.setdefault(address, len(self._known) + 1) if address else 0


def describe_tensor(
    tensor: torch.Tensor, names: Iterable[str], numbering: Numbering, memories: Memories
) -> Encoded:
    """What a `Tensor` record holds."""
    leaf = _is_leaf(tensor)
    made_by = _grad_fn(tensor)
    grad = _plain_grad(tensor) if leaf or tensor.retains_grad else None
    return {
        "names": list(names),
        "number": numbering.of(tensor),
        "storage": memories.of(tensor),
        "leaf": leaf,
        "requires_grad": _requires_grad(tensor),
        "made_by": None if made_by is None else made_by.name()[:MAX_TEXT],
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "parameter": isinstance(tensor, torch.nn.Parameter),
        "value": copied(tensor),
        "has_grad": grad is not None,
        "grad": None if grad is None else copied(grad),
    }


def copied(tensor: Any, most: int = MAX_VALUES) -> Encoded | None:
    """The values of a tensor of `most` numbers; None of a larger one, and of one that cannot be read. To be called in `torch_itself`."""
    if tensor.numel() > most:
        return None
    array = array_of(tensor)
    encoded = None if array is None else encode_array(array)
    return encoded if encoded is not None and encoded["type"] == "array" else None


class Sight:
    """What the learner's code can see at one moment, innermost scope first; an outer name is hidden by an inner one."""

    def __init__(self, scopes: Iterable[dict[str, Any]]) -> None:
        self.names: dict[str, Any] = {}
        for scope in scopes:
            for name, value in list(scope.items()):
                if not name.startswith("_") and name not in self.names and name not in OF_IPYTHON:
                    self.names[name] = value

    def tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The tensors, by the names under which they can be reached."""
        for name, value in self.names.items():
            yield from _tensors_at(name, value)

    def plain(self) -> dict[str, float]:
        """The names that hold a finite Python number."""
        found = {}
        for name, value in self.names.items():
            if type(value) in (int, float, bool) and abs(value) < 2**53 and math.isfinite(value):
                found[name] = float(value)
        return dict(list(found.items())[:MAX_PLAIN])

    def types(self) -> dict[str, str]:
        """The types of what else names hold, but for modules, functions and classes."""
        found = {}
        for name, value in self.names.items():
            if id(type(value)) not in NUMBERS_AND_TEXTS and not isinstance(value, UNTOLD):
                found[name] = type_name(value)
        return dict(list(found.items())[:MAX_PLAIN])

    def holders(self, memories: Memories) -> list[Encoded]:
        """The lists and dicts that hold tensors."""
        single = [(name, tensor) for name, tensor in self.tensors() if "[" not in name]
        at = {memories.of(tensor): name for name, tensor in single}
        found: list[Encoded] = []
        for name, value in self.names.items():
            members = list(value.values()) if type(value) is dict else value
            if type(members) is not list or not 0 < len(members) <= MAX_HELD:
                continue
            held = [tensor for tensor in _flat(members) if isinstance(tensor, torch.Tensor)]
            if held and len(found) < MAX_HOLDERS:
                found.append(_holder(name, held, at, memories))
        return found


def _flat(members: Iterable[Any]) -> Iterator[Any]:
    """The members of a list, and those of tuples and lists in it."""
    for member in members:
        if type(member) in (tuple, list):
            yield from member
        else:
            yield member


def _holder(name: str, held: list[torch.Tensor], at: dict[int, str], memories: Memories) -> Encoded:
    storages = {memories.of(tensor) for tensor in held}
    return {
        "name": name,
        "tensors": len(held),
        "tracked": sum(_grad_fn(tensor) is not None for tensor in held),
        "storages": len(storages),
        "shares_with": sorted({at[storage] for storage in storages if storage in at})[:MAX_MEMBERS],
    }


def _tensors_at(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    for label, member in _members(name, value):
        if isinstance(member, torch.Tensor):
            yield label, member


def _members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a module, a list, a dict or an object of the learner's own class holds, by how it is reached."""
    if isinstance(value, torch.nn.Module):
        yield from ((f"{name}.{own}", tensor) for own, tensor in [*value.named_parameters()][:MAX_MEMBERS])
        yield from ((f"{name}.{own}", member) for own, member in list(vars(value).items()))
    elif type(value) in (list, tuple):
        yield from ((f"{name}[{index}]", member) for index, member in enumerate(value[:MAX_MEMBERS]))
    elif type(value) is dict:
        yield from ((f"{name}[{key!r}]", member) for key, member in [*value.items()][:MAX_MEMBERS])
    elif getattr(type(value), "__module__", None) == "__main__":
        held = list(getattr(value, "__dict__", {}).items())
        yield from ((f"{name}.{own}", member) for own, member in held[: 2 * MAX_MEMBERS])


def sight_of(frames: Iterable[FrameType]) -> Sight:
    """What can be seen from the innermost of the learner's frames: each frame's own names, then the global ones."""
    scopes: list[dict[str, Any]] = []
    last = None
    for frame in frames:
        scopes.append(frame.f_locals)
        last = frame
    if last is not None and last.f_locals is not last.f_globals:
        scopes.append(last.f_globals)
    return Sight(scopes)


def in_sight(
    sight: Sight, first: Iterable[torch.Tensor], numbering: Numbering, memories: Memories
) -> tuple[list[Encoded], int]:
    """Describe `first` and then all other tensors in sight; also returns how many of `first` there are."""
    chosen: dict[int, tuple[torch.Tensor, list[str]]] = {id(tensor): (tensor, []) for tensor in first}
    count = len(chosen)
    for name, tensor in sight.tensors():
        if id(tensor) in chosen:
            chosen[id(tensor)][1].append(name)
        elif len(chosen) < MAX_TENSORS:
            chosen[id(tensor)] = (tensor, [name])
    return [
        describe_tensor(tensor, names[:MAX_MEMBERS], numbering, memories) for tensor, names in chosen.values()
    ], count
