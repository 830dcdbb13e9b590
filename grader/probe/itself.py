"""Torch by itself: what we ask of tensors is asked of nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

# Bound here, before any learner's code can put something else in its place.
_transform = torch._C._functorch.peek_interpreter_stack


@contextmanager
def torch_itself() -> Iterator[None]:
    """Within it torch asks no subclass, mode or transform what an operation should do."""
    if (
        _transform() is None
    ):  # as nearly always, and clearing what is not there takes longer than to read a number
        with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
            yield
        return
    with (
        temporarily_clear_interpreter_stack(),
        torch._C.DisableTorchFunction(),
        torch._C._DisableTorchDispatch(),
    ):
        yield
