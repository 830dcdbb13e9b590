"""Which recorded trainings `grader.steps` finds at the end of a run, and how their calls are numbered."""

import numpy as np
import pytest

from grader.arrays import from_numpy, scalar
from grader.kernel.pool import Kernels
from grader.model import Run
from grader.steps import components, leaf_values, parameters_reached, trainings_that_ended_at
from grader.trace import GradientCall, Leaf, Trace
from tests.runs import run_cells

START = """
import torch

def leaf(value):
    return torch.tensor([value], requires_grad=True)

def step(*leaves):
    with torch.no_grad():
        for leaf in leaves:
            leaf -= 0.05 * leaf.grad
            leaf.grad = None
"""
# Each cell goes downhill to (3, −1), from where the names stand.
DOWNHILL = "for _ in range({}):\n    ((w - 3) ** 2 + 2 * (b + 1) ** 2).backward()\n    step(w, b)"
NAMES = ("w", "b")


@pytest.fixture(scope="module")
def run(kernels: Kernels) -> Run:
    """An experiment that does not count, 12 steps, 8 more from there; and 30 and 5 of another parameter."""
    experiment, first, second = (DOWNHILL.format(count) for count in (15, 12, 8))
    long, short = (
        f"for _ in range({count}):\n    ((c - 2) ** 2).backward()\n    step(c)" for count in (30, 5)
    )
    experiment, first = f"w, b = leaf(7.0), leaf(7.0)\n{experiment}", f"w, b = leaf(0.0), leaf(0.5)\n{first}"
    cells = [START, experiment, first, second, f"c = leaf(1.0)\n{long}", short]
    return run_cells(kernels, cells, values=("w", "b", "c"))


def ends(run: Run, *names: str) -> list[float]:
    found = [scalar(run.values[name]) for name in names]
    return [value for value in found if value is not None]


def test_finds_the_last_part_alone_and_with_what_it_goes_on_from(run: Run) -> None:
    alone, together = trainings_that_ended_at(run.trace, ends(run, *NAMES), 1e-3)
    assert [part.training.cell for part in (alone, together)] == [4, 4]
    assert (alone.numbers, alone.consecutive) == (tuple(range(8)), 8)
    assert (together.numbers, together.consecutive) == (tuple(range(20)), 20)
    assert [part.value for part in together.calls[0]] == [0.0, 0.5]
    assert together.calls[12:] == alone.calls


def test_gives_parameters_in_the_order_asked_for(run: Run) -> None:
    for names in (("w", "b"), ("b", "w")):
        for steps in trainings_that_ended_at(run.trace, ends(run, *names), 1e-3):
            assert [tuple(part.name for part in parts) for parts in steps.calls] == [names] * len(steps.calls)


def test_does_not_join_a_part_that_was_seen_with_gaps(run: Run) -> None:
    (steps,) = trainings_that_ended_at(run.trace, ends(run, "c"), 0.0)
    assert (steps.training.cell, steps.numbers) == (6, tuple(range(5)))
    long = next(training for training in run.trace.trainings if training.cell == 5)
    last = components(long.seen[-1])[0].value
    (earlier,) = trainings_that_ended_at(run.trace, [last], 1e-6)
    assert (earlier.training.calls, earlier.consecutive, earlier.numbers[-1]) == (30, 21, 28)


def test_forgives_what_the_last_steps_still_moved(run: Run) -> None:
    (steps,) = trainings_that_ended_at(run.trace, ends(run, "c"), 0.0)
    (before,), (last,) = steps.calls[-2:]
    drift = abs(last.value - before.value)
    assert trainings_that_ended_at(run.trace, [last.value + 1.9 * drift], 0.0) == [steps]
    assert trainings_that_ended_at(run.trace, [last.value + 2.1 * drift], 0.0) == []
    assert trainings_that_ended_at(run.trace, [last.value + 2.1 * drift], 3 * drift) == [steps]


@pytest.mark.parametrize("values", [[3.0, 4.0], [1.0, -1.0], [3.0], [3.0, -1.0, 2.0], [float("nan"), -1.0]])
def test_finds_nothing_elsewhere(run: Run, values: list[float]) -> None:
    assert trainings_that_ended_at(run.trace, values, 0.1) == []


def test_counts_the_parameters_that_autograd_reached(run: Run, kernels: Kernels) -> None:
    assert parameters_reached(Trace()) == 0
    assert parameters_reached(run.trace) == 2
    theta = "import torch\ntheta = torch.zeros(3, requires_grad=True)\n(theta**2).sum().backward()"
    assert parameters_reached(run_cells(kernels, [theta]).trace) == 3


# ---- one call -----------------------------------------------------------------------------------


def leaf(
    value: list[float], after: list[float] | None, names: tuple[str, ...], before: list[float] | None
) -> Leaf:
    encoded = [None if part is None else from_numpy(np.array(part)) for part in (before, after)]
    return Leaf(names=names, value=from_numpy(np.array(value)), before=encoded[0], after=encoded[1])


def test_components_are_the_numbers_of_all_leaves() -> None:
    theta = leaf([1.0, 2.0], [0.5, 5.0], ("theta", "t"), before=[0.25, 1.0])
    bias = leaf([3.0], [7.0], (), before=None)
    parts = components(GradientCall(number=0, leaves=(theta, bias)))
    assert [part.name for part in parts] == ["theta[0]", "theta[1]", "?"]
    assert [part.value for part in parts] == [1.0, 2.0, 3.0]
    assert [part.gradient for part in parts] == [0.25, 4.0, 7.0]


def test_leaf_without_gradient_has_no_components() -> None:
    call = GradientCall(number=0, leaves=(leaf([1.0, 2.0], None, ("w",), before=None),))
    assert components(call) == []
    assert leaf_values(call) == 2
