"""Torch by itself: what we ask of tensors is asked of nobody else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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


class Watcher:
    """Looks at what is the learner's. Where looking fails, there is no record, and `truncated` says so."""

    truncated = False

    def _guarded(self, look: Callable[..., Any], *args: Any) -> Any:
        """What `look` gives, or None where it fails: an error of ours must not become one of the learner's."""
        try:
            with torch_itself():  # no mode of the learner's is asked what it thinks of our looking
                return look(*args)
        except Exception:  # noqa: BLE001 - names, nodes and tensors may be of the learner's own classes
            self.truncated = True
            return None
