"""Checks of `backprop_per_sample`: one weight, three samples, one update per sample."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from grader.arrays import from_numpy
from grader.checks import RunView, fail, skip
from grader.model import Swap
from grader.samples import check_gradients, check_start, check_updates, steps_to
from grader.steps import parameters_reached

X, Y = (1.0, 2.0, 3.0), (2.0, 4.0, 6.0)
START, LEARNING_RATE = 1.0, 0.01
# Two epochs: by then an update once per epoch, a doubled one or a late one has shown.
CALLS = 6
# After 100 epochs an honest w has come within 1e-7 of 2; what it moves between the calls seen is far less.
ENDED_NEAR = 1e-3
# float32 rounds one product to 6e-8 of its size; learners' formulas take a handful of them.
RELATIVE = 1e-5


@pytest.mark.points(1)
def test_forward(run: RunView, call, rng: np.random.Generator) -> None:
    """forward(x) computes w·x."""
    w = run.number("w")
    for x in (4.0, *rng.uniform(-5, 5, size=2)):
        seen, wanted = call("forward", float(x)).number(), w * x
        if not abs(seen - wanted) <= RELATIVE * max(1.0, abs(wanted)):
            if x == 4.0:
                fail("forward-differs", x=4, seen=seen, w=w, wanted=wanted)
            fail("forward-differs-elsewhere", w=w)


@pytest.mark.points(1)
def test_loss(run: RunView, call, rng: np.random.Generator) -> None:
    """loss(x, y) is the squared error of one sample."""
    w = run.number("w")
    for x, y in rng.uniform(-5, 5, size=(3, 2)):
        seen, wanted = call("loss", float(x), float(y)).number(), (w * x - y) ** 2
        if not abs(seen - wanted) <= RELATIVE * (abs(w * x) + abs(y)) ** 2:
            fail("loss-differs")


@pytest.mark.points(1)
def test_gradient_comes_from_autograd(run: RunView) -> None:
    """The gradient of w comes from autograd."""
    if parameters_reached(run.trace) == 0:
        fail("no-autograd")


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_starts_at_one(run: RunView) -> None:
    """Training starts at w = 1, so that forward(4) is 4 before it."""
    check_start(steps_to(run, ["w"], ENDED_NEAR), [START])


@pytest.mark.points(2)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_gradients(run: RunView) -> None:
    """The gradients, sample by sample, are right and start from zero each time: −2, −7.84, −16.23 at first."""
    check_gradients(steps_to(run, ["w"], ENDED_NEAR), gradient_of_sample, CALLS)


def gradient_of_sample(parameters: Sequence[float], number: int) -> list[float]:
    """d/dw (w·x − y)² = 2x(w·x − y) for the sample that is due at this call."""
    (w,), x, y = parameters, X[number % len(X)], Y[number % len(Y)]
    return [2 * x * (w * x - y)]


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_one_update_per_sample(run: RunView) -> None:
    """After each sample there is one update: w minus 0.01 times the gradient."""
    check_updates(steps_to(run, ["w"], ENDED_NEAR), LEARNING_RATE, CALLS)


@pytest.mark.points(1)
def test_forward_4_is_8(run: RunView, call) -> None:
    """After training forward(4) is 8, to within 0.001."""
    seen = call("forward", 4.0).number()
    if not (abs(seen - 8) <= 1e-3 and abs(run.number("w") - 2) <= 1e-3):
        fail("forward-differs", x=4, seen=seen, w=run.number("w"), wanted=8.0)


@pytest.mark.points(2)
def test_follows_other_targets(run: RunView, rerun, rng: np.random.Generator) -> None:
    """For other targets y the same code finds the w that fits them."""
    run.number("w")
    if not run.complete:
        fail("run-not-finished")
    slope = rng.uniform(3.0, 5.0)
    other = rerun([Swap(old=from_numpy(np.array(Y)), new=from_numpy(slope * np.array(X)))])
    if sum(other.trace.exchanged) == 0:
        # Without any training there is nothing to give points for.
        skip("targets-not-found", free=parameters_reached(run.trace) > 0)
    # w closes in by a factor of 0.75 per epoch, so after 100 it has arrived, whatever the targets.
    if not math.isfinite(other.number("w")) or abs(other.number("w") - slope) > 1e-2:
        fail("targets-not-followed")
