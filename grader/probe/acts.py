"""Watches every operation on tensors in the first steps of a run, with its line and the state of autograd.

A torch function mode: it sees operations and attributes (`.grad = None`, `.data = …`) as they are called, calls
them unchanged, and takes itself away after `STEPS` gradient calls or `MAX_CALLS` operations, since it costs
more than the operation itself.
"""

import functools
import sys
from collections.abc import Callable, Iterable
from types import FrameType, GetSetDescriptorType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from grader.probe.encode import Encoded
from grader.probe.places import cell_number
from grader.probe.tensors import Numbering

STEPS = 10
MAX_CALLS = 20_000
MAX_ACTS = 1_200
# Of one line; so that what makes the data leaves room for what trains.
MAX_OF_A_LINE = 60
MAX_INPUTS = 6
# Under this name a function that we patched keeps the one it stands for.
UNWATCHED = "__grader_unwatched__"
# What does nothing to numbers, graph or gradient.
DULL = ("shape", "dtype", "ndim", "device", "layout", "is_leaf", "requires_grad", "grad_fn", "__repr__", "__format__",
        "size", "dim", "numel", "__len__", "is_sparse", "names", "is_quantized", "is_meta")  # fmt: skip

_names: dict[Any, str] = {}


class ActRecorder(TorchFunctionMode):
    """The operations of the first steps; `order` gives the number of the last event, so that both can be put in order."""

    def __init__(self, numbering: Numbering, order: Callable[[], int]) -> None:
        super().__init__()
        self._numbering = numbering
        self._order = order
        self._active = False
        self.clear()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._acts: list[Encoded] = []
        self._of_line: dict[tuple[int, int], int] = {}
        self._steps = self._calls = 0

    def start(self) -> None:
        """Begin to watch."""
        self.__enter__()  # type: ignore[no-untyped-call]
        self._active = True

    def count(self) -> None:
        """Count a gradient call."""
        self._steps += 1
        if self._active and self._steps > STEPS:
            self._stop()

    def watch_until_enough(self, owner: type, name: str) -> None:
        """Look after each call of a method of tensors whether this is enough: while one runs the mode is set aside, and cannot be taken away."""
        method = getattr(owner, name)

        @functools.wraps(method)
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            finally:
                if self._steps > STEPS:
                    self._stop()
                    if not self._active and getattr(owner, name) is watched:
                        setattr(owner, name, method)

        setattr(owner, name, watched)

    def acts(self) -> list[Encoded]:
        """What was seen."""
        return self._acts

    def _stop(self) -> None:
        """Take the mode away, unless one of the learner's own lies on top of it; then a later call does."""
        if self._active and torch.overrides._get_current_function_mode() is self:  # type: ignore[no-untyped-call]
            self.__exit__(None, None, None)
            self._active = False

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the operation, and note it."""
        recorded = torch.is_grad_enabled()
        func = getattr(
            func, UNWATCHED, func
        )  # torch hands `grad` on as it finds it: with our patch around it
        try:
            result = func(*args, **(kwargs or {}))
        except BaseException:
            self._note(func, args, kwargs, None, recorded)
            raise
        self._note(func, args, kwargs, result, recorded)
        return result

    def _note(self, func: Any, args: Any, kwargs: Any, result: Any, recorded: bool) -> None:
        self._calls += 1
        if self._steps > STEPS or self._calls > MAX_CALLS or len(self._acts) >= MAX_ACTS:
            return
        try:
            name = _name(func)
            if name is None:
                return
            frame = _learner_frame(sys._getframe(2))
            if frame is None:
                return
            place = cell_number(frame.f_code.co_filename) or 0, frame.f_lineno
            self._of_line[place] = self._of_line.get(place, 0) + 1
            if self._of_line[place] <= MAX_OF_A_LINE:
                self._acts.append(self._act(name, place, (*args, *(kwargs or {}).values()), result, recorded))
        except Exception:  # noqa: BLE001, S110 - an operation that cannot be described goes unrecorded
            pass

    def _act(
        self, name: str, place: tuple[int, int], given: Iterable[Any], result: Any, recorded: bool
    ) -> Encoded:
        flat = list(_flat(given))
        tensors = [value for value in flat if isinstance(value, torch.Tensor)][:MAX_INPUTS]
        constants = [float(value) for value in flat if type(value) in (int, float) and abs(value) < 2**53]
        return {
            "order": self._order(),
            "cell": place[0],
            "line": place[1],
            "name": name,
            "inputs": [self._numbering.of(tensor) for tensor in tensors],
            "output": self._numbering.of(result) if isinstance(result, torch.Tensor) else None,
            "constants": constants[:MAX_INPUTS],
            "tracked": any(tensor.requires_grad for tensor in tensors),
            "recorded": recorded,
        }


def _flat(given: Iterable[Any]) -> Iterable[Any]:
    for value in given:
        if type(value) in (tuple, list):
            yield from value[:MAX_INPUTS]
        else:
            yield value


def _name(func: Any) -> str | None:
    """The name of an operation, as `mul` or `Tensor.grad.__set__`; None for one that is dull."""
    known = _names.get(func)
    if known is None:
        known = _made_name(func)
        parts = known.split(".")
        if any(part in DULL for part in parts) and "__set__" not in parts:
            known = ""
        _names[func] = known
    return known or None


def _made_name(func: Any) -> str:
    """The name of a function; torch's own `resolve_name` takes a quarter of a second to begin with."""
    name = str(getattr(func, "__name__", ""))
    attribute = getattr(func, "__self__", None)
    if isinstance(attribute, GetSetDescriptorType | property):
        owner = attribute if isinstance(attribute, GetSetDescriptorType) else attribute.fget
        return f"Tensor.{getattr(owner, '__name__', '')}.{name}"
    whole = str(getattr(func, "__qualname__", name))
    return f"Tensor.{name}" if whole.startswith(("TensorBase.", "Tensor.", "_TensorBase.")) else name


def _learner_frame(frame: FrameType | None, limit: int = 12) -> FrameType | None:
    """The learner's frame from which an operation was called; None for one of ours, or where it is not within reach."""
    if frame is not None and str(frame.f_globals.get("__name__")).startswith("grader."):
        return None
    while frame is not None and limit:
        if cell_number(frame.f_code.co_filename) is not None:
            return frame
        frame = frame.f_back
        limit -= 1
    return None
