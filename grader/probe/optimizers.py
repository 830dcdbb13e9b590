"""What is read of optimizers, and how methods are watched without being changed."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

import torch

MAX_TENSORS = 16


def settings_of(defaults: dict[str, Any]) -> dict[str, Any]:
    """The settings of an optimizer that are plain, finite numbers or words."""
    plain = {
        name: value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value
        for name, value in defaults.items()
    }
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in plain.items()
        if value is None or isinstance(value, bool | int | float | str)
    }


def tensors_of(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    """The tensors that an optimizer updates, of very many the first."""
    return [tensor for group in optimizer.param_groups for tensor in group["params"]][:MAX_TENSORS]


def after_method(owner: type, name: str, look: Callable[[Any], None]) -> None:
    """Have `look` see the object after each call of a method that returned."""
    original = getattr(owner, name)

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        with contextlib.suppress(Exception):  # the learner's call has succeeded, and that is what counts
            look(self)
        return result

    _dress(patched, original, owner, name)


def before_method(owner: type, name: str, look: Callable[[Any], None]) -> None:
    """Have `look` see the object before each call of a method."""
    original = getattr(owner, name)

    def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
        with contextlib.suppress(Exception):
            look(self)
        return original(self, *args, **kwargs)

    _dress(patched, original, owner, name)


def _dress(patched: Any, original: Any, owner: type, name: str) -> None:
    patched.__name__, patched.__qualname__ = original.__name__, original.__qualname__
    patched.__doc__, patched.__module__, patched.__wrapped__ = original.__doc__, original.__module__, original
    setattr(owner, name, patched)
