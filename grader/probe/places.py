"""Where in the learner's code something happens: the cell, the line, and the names in sight."""

import sys
from functools import lru_cache
from types import FrameType

import torch

MAX_NAMES = 4
MAX_MEMBERS = 8
# The kernel compiles cell n under this name (see `grader.kernel.worker`), so frames can be told apart.
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


def names_of(thing: object, frames: list[FrameType]) -> list[str]:
    """The names under which the frames see a tensor, by identity: `w`, `net.weight`, `params[0]`."""
    found: list[str] = []
    for frame in frames:
        for scope in (frame.f_locals, frame.f_globals):
            for name, value in list(scope.items()):
                if not name.startswith("_"):
                    found.extend(label for label in _labels(name, value, thing) if label not in found)
    return found[:MAX_NAMES]


def _labels(name: str, value: object, thing: object) -> list[str]:
    if value is thing:
        return [name]
    if isinstance(value, torch.nn.Module):
        return [f"{name}.{own}" for own, parameter in value.named_parameters() if parameter is thing]
    if type(value) in (list, tuple) and len(value) <= MAX_MEMBERS:  # type: ignore[arg-type]
        return [f"{name}[{k}]" for k, member in enumerate(value) if member is thing]  # type: ignore[arg-type, var-annotated]
    return []
