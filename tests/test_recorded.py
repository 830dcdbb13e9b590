"""What the probe records of gradient calls, made in every way that PyTorch knows."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest

from grader.arrays import from_numpy, scalar, to_numpy
from grader.kernel.pool import Kernels
from grader.model import Run
from grader.trace import Trace, Training
from grader.values import Array
from tests.sessions import ran

SETUP = """
import torch
from torch import nn
x = torch.arange(4.0)
y = 3 * x + 1
def fresh(): return torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
def loss_of(w, b): return ((w * x + b - y) ** 2).sum()
def step(*leaves):
    for leaf in leaves:
        leaf.data -= 0.01 * leaf.grad
        leaf.grad = None
# The gradient at (0, 0): d/dw = -2 Σ x·y, d/db = -2 Σ y
class Unreadable(nn.Module):
    def named_parameters(self, *args, **kwargs): raise RuntimeError
""".strip()
GRADIENT = {"w": -96.0, "b": -44.0}


class Made(NamedTuple):
    """A cell that asks for gradients: how often, from which line, and the names of what they are taken to."""

    source: str
    calls: int
    line: int
    names: tuple[str, ...] = ("w", "b")


CELLS = {
    "backward": Made("w, b = fresh()\nfor _ in range(3):\n    loss_of(w, b).backward()\n    step(w, b)", 3, 3),
    "autograd.backward": Made("w, b = fresh()\ntorch.autograd.backward([loss_of(w, b)])", 1, 2),
    "tensors by keyword": Made("w, b = fresh()\ntorch.autograd.backward(tensors=loss_of(w, b))", 1, 2),
    "inputs": Made("w, b = fresh()\nloss_of(w, b).backward(inputs=[w, b])", 1, 2),
    "inputs of an iterator": Made("w, b = fresh()\nloss_of(w, b).backward(inputs=iter([w, b]))", 1, 2),
    "create_graph": Made("w, b = fresh()\nloss_of(w, b).backward(create_graph=True)", 1, 2),
    "autograd.grad": Made("w, b = fresh()\ndw, db = torch.autograd.grad(loss_of(w, b), (w, b))", 1, 2),
    "grad of a list": Made("w, b = fresh()\ndw, db = torch.autograd.grad([loss_of(w, b)], [w, b])", 1, 2),
    "grad by keywords": Made("w, b = fresh()\ndw, db = torch.autograd.grad(outputs=loss_of(w, b), inputs=(w, b))", 1, 2),
    "grad of an iterator": Made("w, b = fresh()\ndw, db = torch.autograd.grad(loss_of(w, b), iter([w, b]))", 1, 2),
    "grad of a dict": Made("w, b = fresh()\ndw, db = torch.autograd.grad(loss_of(w, b), {1: w, 2: b}.values())", 1, 2),
    "func.grad": Made("w, b = fresh()\ndw, db = torch.func.grad(loss_of, argnums=(0, 1))(w, b)", 1, 2, ()),
    "jacobian": Made(
        "w, b = fresh()\ndw, db = torch.autograd.functional.jacobian(lambda w, b: loss_of(w, b), (w, b))", 1, 2, ()
    ),
    "SGD": Made(
        "w, b = fresh()\noptimizer = torch.optim.SGD([w, b], 0.01)\nfor _ in range(2):\n"
        "    optimizer.zero_grad()\n    loss_of(w, b).backward()\n    optimizer.step()", 2, 5
    ),
    "Adam": Made(
        "w, b = fresh()\noptimizer = torch.optim.Adam([w, b], 0.01)\nloss_of(w, b).backward()\noptimizer.step()", 1, 3
    ),
    "LBFGS": Made(
        "w, b = fresh()\noptimizer = torch.optim.LBFGS([w, b], max_iter=4, max_eval=4)\ndef closure():\n"
        "    optimizer.zero_grad()\n    loss = loss_of(w, b)\n    loss.backward()\n    return loss\n"
        "_ = optimizer.step(closure)", 4, 6
    ),
    "unreadable names": Made("w, b = fresh()\nodd = Unreadable()\nloss_of(w, b).backward()\ndel odd", 1, 3, ()),
    "name that is no text": Made("w, b = fresh()\nglobals()[5] = w\nloss_of(w, b).backward()\n_ = globals().pop(5)", 1, 3, ()),
}  # fmt: skip
FIRST = 2


@pytest.fixture(scope="module")
def run(kernels: Kernels) -> Iterator[Run]:
    """All of these cells in one run."""
    with ran(kernels, SETUP, *(made.source for made in CELLS.values())) as kernel:
        assert kernel.run.errors == ()
        yield kernel.run


def trace_of(kernels: Kernels, *sources: str) -> Trace:
    """The trace of a run without errors."""
    with ran(kernels, SETUP, *sources) as kernel:
        assert kernel.run.errors == ()
        return kernel.run.trace


def in_cell(trace: Trace, cell: int) -> Training:
    """The one training that was made from a cell."""
    (training,) = [training for training in trace.trainings if training.cell == cell]
    return training


def numbers(array: Array | None) -> list[float]:
    """The numbers of an array that is there."""
    assert array is not None
    return [float(value) for value in to_numpy(array).reshape(-1)]


@pytest.mark.parametrize("name", CELLS)
def test_every_way_to_ask_for_gradients_is_seen(name: str, run: Run) -> None:
    made = CELLS[name]
    training = in_cell(run.trace, FIRST + list(CELLS).index(name))
    assert (training.calls, training.line) == (made.calls, made.line)
    first = training.seen[0]
    assert sorted(numbers(leaf.after)[0] for leaf in first.leaves) == sorted(GRADIENT.values())
    named = {leaf.names[0]: numbers(leaf.after)[0] for leaf in first.leaves if leaf.names}
    assert named == {wanted: GRADIENT[wanted] for wanted in made.names}


def test_the_data_is_among_what_the_graph_saved_and_once_only(run: Run) -> None:
    arrays = [(array.shape, numbers(array)) for array in run.trace.arrays]
    assert arrays.count(((4,), [0.0, 1.0, 2.0, 3.0])) == 1
    saved = {index for training in run.trace.trainings for call in training.seen for index in call.saved}
    assert saved == set(range(len(run.trace.arrays)))


def test_a_call_shows_the_gradient_before_and_after(kernels: Kernels) -> None:
    trace = trace_of(kernels, "w = torch.ones(1, requires_grad=True)\nfor _ in range(3): (2 * w).backward()")
    seen = [(call.number, call.leaves[0].before, call.leaves[0].after) for call in in_cell(trace, 2).seen]
    one, two, three = (from_numpy(np.array([2.0 * k], np.float32)) for k in (1, 2, 3))
    assert seen == [(0, None, one), (1, one, two), (2, two, three)]


def test_trainings_are_told_apart_by_their_place(kernels: Kernels) -> None:
    function = "def train(w):\n    for _ in range(2):\n        (w * w).backward()"
    cell = """
w = torch.ones(1, requires_grad=True)
for _ in range(3): (w * w).backward()
for _ in range(4):
    (w * w).backward()
    (w * w).backward()
train(w)
train(w)
for _ in range(2): train(w)
""".strip()
    trace = trace_of(kernels, function, cell)
    assert [(training.cell, training.line, training.calls) for training in trace.trainings] == [
        (3, 2, 3), (3, 4, 4), (3, 5, 4), (2, 3, 2), (2, 3, 2), (2, 3, 4),
    ]  # fmt: skip


def test_of_a_long_training_the_first_calls_are_whole_and_the_last_ones_near(kernels: Kernels) -> None:
    cell = "w = torch.ones(1, requires_grad=True)\nfor _ in range(3000): (w * w).backward()"
    training = in_cell(trace_of(kernels, cell), 2)
    told = [call.number for call in training.seen]
    assert training.calls == 3000
    assert told[:20] == list(range(20))
    assert max(later - sooner for sooner, later in itertools.pairwise(told)) <= 50
    assert told[-1] >= 2950
    assert len(told) < 150
    assert all(call.saved for call in training.seen[:20])
    assert not any(call.saved for call in training.seen[20:])


def test_places_beyond_a_hundred_are_left_out_and_said_to_be(kernels: Kernels) -> None:
    lines = ["w = torch.ones(1, requires_grad=True)", *["(w * w).backward()"] * 101]
    trace = trace_of(kernels, "\n".join(lines))
    assert len(trace.trainings) == 100
    assert trace.truncated


def test_a_large_leaf_is_left_out_and_a_small_one_is_not(kernels: Kernels) -> None:
    cell = "w = torch.ones(1001, requires_grad=True)\nb = torch.ones(1, requires_grad=True)\n(w.sum() + b).backward()"
    (call,) = in_cell(trace_of(kernels, cell), 2).seen
    assert [leaf.names for leaf in call.leaves] == [("b",)]


def test_an_error_in_backward_is_the_learners_own(kernels: Kernels) -> None:
    cell = "w = torch.ones(1, requires_grad=True)\nloss = w * w\nloss.backward()\nloss.backward()"
    with ran(kernels, SETUP, cell) as kernel:
        (error,) = kernel.run.errors
        calls = [training.calls for training in kernel.run.trace.trainings]
    assert error.message.startswith("RuntimeError: Trying to backward through the graph a second time")
    assert (error.cell, error.line) == (2, 4)
    assert calls == [1, 1]


def test_a_function_of_the_learners_in_the_graph_is_walked_through(kernels: Kernels) -> None:
    cell = """
class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.variable = 5
        return 2 * x
    @staticmethod
    def backward(ctx, grad):
        return 2 * grad
w = torch.ones(1, requires_grad=True)
Doubled.apply(w * w).backward()
"""
    (call,) = in_cell(trace_of(kernels, cell), 2).seen
    assert [(leaf.names, numbers(leaf.after)) for leaf in call.leaves] == [(("w",), [4.0])]


def test_recording_is_not_seen_by_the_code_that_it_records(kernels: Kernels) -> None:
    cell = """
w = torch.ones(2, requires_grad=True)
loss = (w ** 2).sum()
result = torch.autograd.grad(loss, w, create_graph=True)
same = type(result) is tuple and result[0].requires_grad and w.grad is None
names = torch.autograd.grad.__name__ == "grad" and torch.autograd.backward.__module__ == "torch.autograd"
returned = torch.autograd.backward(result[0].sum()) is None
seen = same and names and returned
"""
    with ran(kernels, SETUP, cell, values=["seen"]) as kernel:
        assert kernel.run.errors == ()
        assert scalar(kernel.run.values["seen"]) == 1.0
