"""Hears of every backward and grad call, and has those looked at that are due.

Only the boundaries are patched: `torch.autograd.backward` (which `Tensor.backward` calls) and
`torch.autograd.grad` (which `torch.func.grad` and `torch.autograd.functional` call). Nothing that the
submission computes changes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from grader.probe.acts import UNWATCHED, ActRecorder
from grader.probe.encode import type_name
from grader.probe.events import After, EventRecorder
from grader.probe.gradients import GradientRecorder
from grader.probe.graph import GradientCall
from grader.probe.places import learner_frames

# The arguments by position; the tensors that gradients start from come first, whatever torch calls them.
ARGUMENTS = {
    "backward": ("roots", "grad_tensors", "retain_graph", "create_graph"),
    "grad": ("roots", "inputs", "grad_outputs", "retain_graph", "create_graph"),
}
ROOTS = {"backward": "tensors", "grad": "outputs"}


class GradientCalls:
    """Stands in the place of torch's two gradient functions, and tells the recorders of each call."""

    def __init__(self, gradients: GradientRecorder, events: EventRecorder, acts: ActRecorder) -> None:
        self._gradients, self._events, self._acts = gradients, events, acts

    def install(self) -> None:
        """Put the watched functions in the place of torch's."""
        torch.autograd.backward = self._watched(torch.autograd.backward)
        torch.autograd.grad = self._watched(torch.autograd.grad)
        self._acts.watch_until_enough(torch.Tensor, "backward")

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        kind = original.__name__

        def patched(*args: Any, **kwargs: Any) -> Any:
            frames = learner_frames()
            group = self._gradients.group(frames) if frames else None
            if group is None:
                return original(*args, **kwargs)
            heard, recorded = self._events.counts(group.calls), group.wants()
            try:
                if (
                    not heard and not recorded
                ):  # nearly all calls of a long loop: they must cost next to nothing
                    return original(*args, **kwargs)
                args = tuple(_listed(argument) for argument in args)
                kwargs = {name: _listed(argument) for name, argument in kwargs.items()}
                call = GradientCall(kind, frames, group.calls, _options(kind, args, kwargs))
                tell = self._events.gradient_call(call) if heard else None
                look_after = self._gradients.look(group, call) if recorded else None
                result = _telling(tell, original, args, kwargs)
                if look_after is not None:
                    look_after(result)
                return result
            finally:
                group.calls += 1
                self._acts.count()

        setattr(patched, UNWATCHED, original)
        patched.__name__ = kind
        patched.__doc__ = original.__doc__
        patched.__module__ = original.__module__
        return patched


def _telling(tell: After | None, original: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call, and tell what exception the call ended in, if in any, and what it returned."""
    raised, result = "", None
    try:
        result = original(*args, **kwargs)
    except Exception as error:
        raised = type_name(error)
        raise
    finally:
        if tell is not None:
            tell(raised, result)
    return result


def _options(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name."""
    named = dict(zip(ARGUMENTS[kind], args, strict=False)) | kwargs
    return {"roots": kwargs.get(ROOTS[kind], ())} | named


def _listed(argument: Any) -> Any:
    """The members of an iterator, such as `model.parameters()`, which can be read once only."""
    return tuple(argument) if isinstance(argument, Iterator) else argument
