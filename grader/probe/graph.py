"""Reads the autograd graph under a root: its operations and its leaves. Nothing of it is changed or kept."""

from collections.abc import Iterable
from typing import Any

import torch

from grader.probe.encode import Encoded

MAX_OPERATIONS = 60
MAX_NODES = 2_000
MAX_LEAVES = 16
MAX_SETTINGS = 8
MAX_TEXT = 40


class Graph:
    """The graph under some roots. operations: the first `MAX_OPERATIONS`; nodes: how many there are (at most `MAX_NODES`)."""

    def __init__(self, roots: Iterable[torch.Tensor]) -> None:
        self.leaves: list[torch.Tensor] = []
        self.operations: list[Encoded] = []
        self._index: dict[Any, int] = {}
        waiting: list[Any] = []
        for root in roots:
            if root.grad_fn is not None:
                waiting.append(root.grad_fn)
            elif root.requires_grad:
                self.leaves.append(root)
        seen = dict.fromkeys(waiting)
        for node in waiting:
            if len(seen) > MAX_NODES:
                break
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen[following] = None
                    waiting.append(following)
        self.nodes = len(seen)
        self._number(seen)
        for node in seen:
            if self._index[node] >= 0 and len(self.operations) < MAX_OPERATIONS:
                self.operations.append(self._operation(node))

    def _number(self, nodes: Iterable[Any]) -> None:
        """Operations count from 0, leaves from -1 down."""
        operations = 0
        for node in nodes:
            leaf = getattr(node, "variable", None)
            if isinstance(leaf, torch.Tensor):
                self._index[node] = -1 - len(self.leaves) if len(self.leaves) < MAX_LEAVES else -MAX_LEAVES
                if len(self.leaves) < MAX_LEAVES:
                    self.leaves.append(leaf)
            else:
                self._index[node] = operations
                operations += 1

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
    for name in dir(type(node)):
        if not name.startswith("_saved_"):
            continue
        try:
            value = getattr(node, name)
        except RuntimeError:
            continue  # freed by an earlier backward
        if isinstance(value, torch.Tensor):
            saved.append(list(value.shape))
        elif len(settings) < MAX_SETTINGS and (text := _setting(value)) is not None:
            settings[name.removeprefix("_saved_")] = text
    return settings, saved[:MAX_SETTINGS]


def _setting(value: object) -> float | str | None:
    if isinstance(value, bool | int | float) and abs(value) < 2**53:
        return float(value)
    return str(value)[:MAX_TEXT] if isinstance(value, tuple | str) else None
