"""Calls of a learner's functions with hidden arguments: what they get, and what comes back."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from grader.arrays import numbers, scalar
from grader.exercise import course_folder, load_exercise
from grader.experiment import Experiment, HiddenArgument, LeafArgument
from grader.kernel.pool import Kernels
from grader.model import Call
from grader.settings import Settings
from grader.values import Items, Unusable
from tests.sessions import submission

DEFINITIONS = """
import os, sys
import numpy as np, torch
def is_int(value): return type(value) is int
def is_float(value): return type(value) is float
def is_floats(values): return type(values) is list and all(type(value) is float for value in values)
def is_tensor(value): return type(value) is torch.Tensor and not value.requires_grad
def is_leaf(value): return value.is_leaf and value.requires_grad and value.grad is None
def is_float32(value): return value.dtype == torch.float32
def back(*values): return values
def differentiates(x): return torch.autograd.grad((x ** 2).sum(), x)
def steps(x):
    for _ in range(3):
        (x ** 2).sum().backward()
    return x.grad
def random(): return torch.rand(1), np.random.rand(), np.random.default_rng().random()
def spoils(x): x.data.fill_(9.0)
def nothing(): pass
def huge(): return torch.zeros(1 << 26)
class Adds:
    def __call__(self, x): return x + 1
adds = Adds()
number = 5.0
"""
FAILING = """
def divides(x):
    return x / 0
def leaves(): sys.exit(3)
def stops(): raise KeyboardInterrupt
class Own(BaseException):
    def __str__(self): raise SystemExit
def raises_own(): raise Own
class Wordy(ValueError):
    def __str__(self): return Sly("hidden")
class Sly(str):
    def __getitem__(self, key): raise SystemExit
def raises_wordy(): raise Wordy
def raises_half(): raise ValueError("\\ud800")
def deep(n): return deep(n + 1)
"""
# What the session says of each: the message, and the line of FAILING, which is cell 2.
ERRORS: dict[str, tuple[tuple[HiddenArgument, ...], str, int | None]] = {
    "divides": ((1.0,), "ZeroDivisionError: float division by zero", 3),
    "leaves": ((), "SystemExit: 3", 4),
    "stops": ((), "KeyboardInterrupt", 5),
    "raises_own": ((), "Own", 8),
    "raises_wordy": ((), "Wordy", 13),
    "raises_half": ((), "ValueError: \\ud800", 14),
    "deep": ((1,), "RecursionError: maximum recursion depth exceeded", 15),
    "number": ((), "TypeError: 'float' object is not callable", None),
    "absent": ((), "TypeError: 'NoneType' object is not callable", None),
    "nothing": ((1,), "TypeError: nothing() takes 0 positional arguments but 1 was given", None),
}


@pytest.fixture(scope="module")
def experiment(kernels: Kernels) -> Iterator[Experiment]:
    """The definitions, in one kernel for all tests of this file."""
    exercise = load_exercise(course_folder(None), "minimise_parabola")
    with closing(Experiment(kernels, submission([DEFINITIONS, FAILING]), exercise, Settings())) as experiment:
        assert experiment.run.errors == ()
        yield experiment


def called(experiment: Experiment, name: str, *arguments: HiddenArgument) -> Call:
    """A call that returned."""
    call = experiment.call(name, arguments)
    assert call.error is None
    assert call.value is not None
    return call


def gradient_calls(call: Call) -> int:
    """How often the call asked autograd for a gradient."""
    return sum(training.calls for training in call.trace.trainings)


@pytest.mark.parametrize(
    ("question", "argument"),
    [
        ("is_int", 3),
        ("is_float", 3.0),
        ("is_floats", [1, 2.5]),
        ("is_tensor", np.ones((2, 1))),
        ("is_tensor", np.asarray(2.0)),
        ("is_float32", np.ones(2, np.float32)),
        ("is_leaf", LeafArgument(np.ones(2))),
        ("is_float32", LeafArgument(np.ones(2, np.float32))),
    ],
)
def test_arguments_arrive_in_their_form(
    question: str, argument: HiddenArgument, experiment: Experiment
) -> None:
    value = called(experiment, question, argument).value
    assert value is not None
    assert scalar(value) == 1.0


def test_what_is_given_comes_back_unchanged(experiment: Experiment) -> None:
    given: list[HiddenArgument] = [
        3,
        0.1,
        [0.1, 0.2],
        np.array([[0.1], [0.2]]),
        LeafArgument(np.array([0.3])),
    ]
    value = called(experiment, "back", *given).value
    assert isinstance(value, Items)
    found = [numbers(item) for item in value.items]
    assert [part.tolist() for part in found if part is not None] == [
        3.0,
        0.1,
        [0.1, 0.2],
        [[0.1], [0.2]],
        [0.3],
    ]


def test_a_function_that_spoils_its_argument_spoils_nothing_else(experiment: Experiment) -> None:
    given = np.array([1.0, 2.0])
    experiment.call("spoils", [given])
    assert given.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "calls"), [("steps", 3), ("differentiates", 1), ("nothing", 0), ("back", 0)]
)
def test_the_gradient_calls_of_each_call_are_its_own(name: str, calls: int, experiment: Experiment) -> None:
    arguments = [] if name == "nothing" else [LeafArgument(np.array([2.0]))]
    assert gradient_calls(called(experiment, name, *arguments)) == calls
    assert gradient_calls(called(experiment, name, *arguments)) == calls


def test_a_leaf_starts_without_gradient_in_each_call(experiment: Experiment) -> None:
    for _ in range(2):
        value = called(experiment, "steps", LeafArgument(np.array([2.0]))).value
        assert value is not None
        assert scalar(value) == 12.0


def test_random_numbers_of_a_call_follow_from_the_seed(experiment: Experiment) -> None:
    assert called(experiment, "random").value == called(experiment, "random").value


def test_an_object_with_call_can_be_called(experiment: Experiment) -> None:
    value = called(experiment, "adds", 2.0).value
    assert value is not None
    assert scalar(value) == 3.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nothing", Unusable(why="unsupported", type_name="NoneType")),
        ("huge", Unusable(why="too-large", type_name="Tensor")),
    ],
)
def test_other_results_are_unusable(name: str, value: Unusable, experiment: Experiment) -> None:
    assert called(experiment, name).value == value


@pytest.mark.parametrize("name", ERRORS)
def test_an_exception_is_described_and_the_kernel_goes_on(name: str, experiment: Experiment) -> None:
    arguments, message, line = ERRORS[name]
    call = experiment.call(name, arguments)
    assert call.value is None
    assert call.error is not None
    assert (call.error.kind, call.error.message) == ("error", message)
    assert (call.error.cell, call.error.line) == (None if line is None else 2, line)
    assert called(experiment, "back", 1.0).value is not None
