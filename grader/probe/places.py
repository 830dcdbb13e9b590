"""Where in the learner's code something happens: the cell, the line, and the names in sight."""

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import BuiltinFunctionType, FrameType, FunctionType, ModuleType, NoneType
from typing import Any

import torch

MAX_NAMES = 4
MAX_MEMBERS = 8
# Types of most of what names hold; none of them holds tensors.
OF_LANGUAGE = (int, float, str, bool, dict, type, ModuleType, FunctionType, BuiltinFunctionType, NoneType)
PLAIN = {id(kind) for kind in (*OF_LANGUAGE, torch.Tensor)}
# The kernel compiles cell n under this name (see `grader.kernel.cells`), so frames can be told apart.
CELL_FILE = "<cell {number}>"


@lru_cache(maxsize=4096)
def cell_number(filename: str) -> int | None:
    """The number of the cell that a code object was compiled from; None if it is no learner's code."""
    if filename.startswith("<cell ") and filename.endswith(">"):
        digits = filename[6:-1]
        return int(digits) if digits.isdigit() else None
    return None


def learner_frames(limit: int = 50) -> list[FrameType]:
    """The frames of learner's code on the stack, innermost first."""
    frames = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and limit:
        if cell_number(frame.f_code.co_filename) is not None:
            frames.append(frame)
            if frame.f_code.co_name == "<module>":
                break
        frame = frame.f_back
        limit -= 1
    return frames


def names_of(things: Sequence[object], frames: list[FrameType]) -> dict[int, list[str]]:
    """The names under which the frames see some tensors, by identity and by the id of each: `w`, `net.weight`, `params[0]`."""
    found: dict[int, list[str]] = {id(thing): [] for thing in things}
    scopes = {id(scope): scope for frame in frames for scope in (frame.f_locals, frame.f_globals)}
    for scope in scopes.values():
        for name, value in list(scope.items()):
            kind = type(value)
            if id(value) in found:
                members: Iterable[tuple[str, object]] = ((name, value),)
            elif id(kind) in PLAIN or not _holds_tensors(value, kind):
                continue
            else:
                members = _members(name, value)
            for label, member in members:
                labels = found.get(id(member))
                if labels is not None and label[0] != "_" and label not in labels and len(labels) < MAX_NAMES:
                    labels.append(label)
    return found


def _holds_tensors(value: Any, kind: type) -> bool:
    if kind is list or kind is tuple:
        return len(value) <= MAX_MEMBERS
    return isinstance(value, torch.nn.Module)


def _members(name: str, value: Any) -> Iterable[tuple[str, object]]:
    """What a value holds, by how each is reached."""
    if isinstance(value, torch.nn.Module):
        return [(f"{name}.{own}", parameter) for own, parameter in value.named_parameters()]
    return [(f"{name}[{k}]", member) for k, member in enumerate(value)]
