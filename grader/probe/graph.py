"""Reads the autograd graph that a gradient is asked of: its operations and its leaves. Nothing of it is changed or kept."""

import contextlib
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from types import FrameType
from typing import Any

import torch

from grader.probe.encode import Encoded

MAX_OPERATIONS = 60
MAX_NODES = 2_000
MAX_LEAVES = 16
MAX_SETTINGS = 8
MAX_TEXT = 40
# So begin the names of what a node keeps.
SAVED = "_saved_"


class Graph:
    """The graph under some roots. nodes: its operations and leaves, those nearest to the roots first, at most `MAX_NODES` and a few."""

    def __init__(self, roots: Iterable[torch.Tensor]) -> None:
        self.leaves: list[torch.Tensor] = []
        nodes: list[Any] = []
        for root in roots:
            if root.grad_fn is not None:
                nodes.append(root.grad_fn)
            elif root.requires_grad:
                self.leaves.append(root)
        seen = dict.fromkeys(nodes)
        nodes = list(seen)
        for node in nodes:
            if len(nodes) > MAX_NODES:
                break
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen[following] = None
                    nodes.append(following)
        self.nodes = nodes
        self._index: dict[Any, int] = {}
        self._made: list[Any] = []
        for node in nodes:
            self._number(node)

    def _number(self, node: Any) -> None:
        """Operations count from 0, leaves from -1 down."""
        leaf = getattr(node, "variable", None)
        if not isinstance(leaf, torch.Tensor):
            self._index[node] = len(self._made)
            self._made.append(node)
        elif len(self.leaves) < MAX_LEAVES:
            self._index[node] = -1 - len(self.leaves)
            self.leaves.append(leaf)
        else:
            self._index[node] = -MAX_LEAVES

    def operations(self) -> list[Encoded]:
        """The first `MAX_OPERATIONS` of them."""
        return [self._operation(node) for node in self._made[:MAX_OPERATIONS]]

    def saved(self) -> Iterator[torch.Tensor]:
        """The tensors that the operations kept for the backward pass."""
        for node in self._made:
            for _, value in _saved(node):
                yield from tensors_in(value)

    def _operation(self, node: Any) -> Encoded:
        settings, saved = _kept(node)
        made = node._input_metadata
        return {
            "name": node.name()[:MAX_TEXT],
            "inputs": [self._index[inner] for inner, _ in node.next_functions if inner in self._index],
            "shape": list(made[0].shape) if made else [],
            "settings": settings,
            "saved": saved,
        }


def _kept(node: Any) -> tuple[dict[str, Any], list[list[int]]]:
    """The plain numbers that a node kept, and the shapes of the tensors it kept."""
    settings: dict[str, Any] = {}
    saved = []
    for name, value in _saved(node):
        if isinstance(value, torch.Tensor):
            saved.append(list(value.shape))
        elif len(settings) < MAX_SETTINGS and (text := _setting(value)) is not None:
            settings[name.removeprefix(SAVED)] = text
    return settings, saved[:MAX_SETTINGS]


def _saved(node: Any) -> Iterator[tuple[str, Any]]:
    names = _saved_names(type(node))  # type: ignore[arg-type] # to mypy a class may have no hash
    for name in names:
        # Freed by an earlier backward, or changed in place since: there is nothing to read.
        with contextlib.suppress(RuntimeError):
            yield name, getattr(node, name)


@cache
def _saved_names(kind: type) -> tuple[str, ...]:
    return tuple(name for name in dir(kind) if name.startswith(SAVED))


class GradientCall:
    """A call of `backward` or `grad` that is looked at.

    frames: the learner's, innermost first; number: counts the calls from this place, from 0; options: the arguments by name,
    `roots` among them.
    """

    def __init__(self, kind: str, frames: list[FrameType], number: int, options: dict[str, Any]) -> None:
        self.kind, self.frames, self.number, self.options = kind, frames, number, options

    @property
    def roots(self) -> tuple[torch.Tensor, ...]:
        """The tensors that gradients start from."""
        return tuple(tensors_in(self.options["roots"]))

    @cached_property
    def graph(self) -> Graph:
        """What is under the roots, as it is when this is first asked for."""
        return Graph(self.roots)


def tensors_in(value: Any) -> Iterable[torch.Tensor]:
    """The tensor that a value is, or those that it holds."""
    if isinstance(value, torch.Tensor):
        return (value,)
    if isinstance(value, Iterable):
        return tuple(item for item in value if isinstance(item, torch.Tensor))
    return ()


def _setting(value: object) -> float | str | None:
    if isinstance(value, bool | int | float) and abs(value) < 2**53:
        return float(value)
    return str(value)[:MAX_TEXT] if isinstance(value, tuple | str) else None
