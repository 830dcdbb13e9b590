"""What makes two runs agree and none of them wait: fixed seeds, plots that return at once, and no grading within one."""

import importlib.abc
import importlib.machinery
import random
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch

# What would wait for a person at a window, or ask for one; each returns at once instead.
QUIET = {"matplotlib": ("use",), "matplotlib.pyplot": ("pause",)}
PYPLOT = "matplotlib.pyplot"

# What a notebook calls to have itself graded: functions of ours, and modules of others with all that is in them.
OF_GRADER = ("check", "diagnose_here")
OF_OTHERS = ("otter",)

_seed_python, _seed_python_instance, _seed_torch = random.seed, random.Random.seed, torch.manual_seed


def fix_seeds(seed: int) -> None:
    """Seed every generator, and those that a submission leaves to chance (`default_rng()`, `RandomState()`).

    numpy asks `secrets` for entropy where no seed is given; here it gets numbers that follow from the seed.
    """
    _seed_when_unseeded(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    entropy = random.Random(seed)  # noqa: S311 - it is meant to be predictable
    np.random.bit_generator.randbits = entropy.getrandbits  # type: ignore[attr-defined]


def _seed_when_unseeded(seed: int) -> None:
    """`torch.seed()`, `random.seed()` and `random.Random()` draw a seed from the machine; here from ours."""

    def seed_python(a: Any = None, version: int = 2) -> None:
        _seed_python(seed if a is None else a, version)

    def seed_python_instance(self: random.Random, a: Any = None, version: int = 2) -> None:
        _seed_python_instance(self, seed if a is None else a, version)

    def seed_torch() -> int:
        _seed_torch(seed)
        return seed

    random.seed = seed_python
    random.Random.seed = seed_python_instance  # type: ignore[method-assign]
    torch.seed = seed_torch
    torch.random.seed = seed_torch


def never_wait_for_plots(show: Callable[[], None]) -> None:
    """Make plotting return at once: where the warm parent has imported matplotlib, and when the submission does.

    show: what stands in the place of `plt.show`.
    """
    for name in QUIET:
        if name in sys.modules:
            _make_quiet(sys.modules[name], show)
    sys.meta_path.insert(0, _QuietFinder(show))


def never_grade_within() -> None:
    """Make what a notebook calls to have itself graded return at once: it is being graded."""
    for name in OF_GRADER:
        setattr(sys.modules["grader"], name, _return_at_once)
    sys.meta_path.insert(0, _StandInFinder())


class _StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds an empty package in the place of a grader's, whether that is installed here or not."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] not in OF_OTHERS:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        module.__getattr__ = _StandIn().__getattr__  # type: ignore[method-assign]


class _StandIn:
    """Anything of a grader's: a class, an object or a function. It has every name, and does nothing."""

    def __call__(self, *_args: object, **_kwargs: object) -> "_StandIn":
        return self

    def __getattr__(self, name: str) -> "_StandIn":
        if name.startswith("_"):
            raise AttributeError(name)
        return _StandIn()

    def _ipython_display_(self) -> None:
        """Show nothing: not even what a check of it gave back."""


class _QuietFinder(importlib.abc.MetaPathFinder):
    def __init__(self, show: Callable[[], None]) -> None:
        self._show = show

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in QUIET:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            _quieten(spec.loader, self._show)
        return spec


def _quieten(loader: Any, show: Callable[[], None]) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        _make_quiet(module, show)

    loader.exec_module = exec_module


def _make_quiet(module: Any, show: Callable[[], None]) -> None:
    for name in QUIET[module.__name__]:
        setattr(module, name, _return_at_once)
    if module.__name__ == PYPLOT:
        module.show = lambda *_args, **_kwargs: show()  # a function, which pyplot gives a signature to
    if canvas := getattr(module, "FigureCanvasBase", None):  # `ginput` and its like wait in its loop
        canvas.start_event_loop = _return_at_once


def _return_at_once(*_args: object, **_kwargs: object) -> None:
    """Stand in for a function that would wait, for a person at a window or for a grading."""
