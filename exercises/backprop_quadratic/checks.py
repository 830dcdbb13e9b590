"""Checks of `backprop_quadratic`: a parabola with three weights, one update per sample."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from grader.arrays import from_numpy
from grader.checks import RunView, fail, skip
from grader.model import Swap
from grader.samples import check_gradients, check_start, check_updates, steps_to
from grader.steps import parameters_reached

NAMES = ("w", "w2", "b")
X, Y = (1.0, 2.0, 3.0), (2.0, 4.0, 6.0)
LEARNING_RATE, EPOCHS = 0.01, 100
CALLS = 6
# Between the last call seen and the end the parameters still move, by less than this.
ENDED_NEAR = 0.02
RELATIVE = 1e-5
# The end of 300 updates in float32 and in float64 differs by less than 1e-5; one epoch more or less moves w by 2e-4.
END = 1e-4


def train(targets: Sequence[float]) -> list[float]:
    """The reference training in float64: w, w2 and b after all epochs."""
    parameters = [1.0, 1.0, 1.0]
    for _ in range(EPOCHS):
        for x, y in zip(X, targets, strict=True):
            gradient = gradient_at(parameters, x, y)
            parameters = [old - LEARNING_RATE * part for old, part in zip(parameters, gradient, strict=True)]
    return parameters


def predict(parameters: Sequence[float], x: float) -> float:
    """w·x² + w2·x + b."""
    w, w2, b = parameters
    return w * x**2 + w2 * x + b


def gradient_at(parameters: Sequence[float], x: float, y: float) -> list[float]:
    """The gradient of (w·x² + w2·x + b − y)² by w, w2 and b."""
    residual = predict(parameters, x) - y
    return [2 * residual * x**2, 2 * residual * x, 2 * residual]


@pytest.mark.points(1)
def test_forward(run: RunView, call, rng: np.random.Generator) -> None:
    """forward(x) computes w·x² + w2·x + b."""
    parameters = [run.number(name) for name in NAMES]
    for x in (4.0, *rng.uniform(-4, 4, size=3)):
        wanted = predict(parameters, x)
        if not abs(call("forward", float(x)).number() - wanted) <= RELATIVE * (1 + x**2):
            fail("forward-differs")


@pytest.mark.points(1)
def test_loss(run: RunView, call, rng: np.random.Generator) -> None:
    """loss(x, y) is the squared error of one sample."""
    parameters = [run.number(name) for name in NAMES]
    for x, y in rng.uniform(-4, 4, size=(3, 2)):
        wanted = (predict(parameters, x) - y) ** 2
        if not abs(call("loss", float(x), float(y)).number() - wanted) <= RELATIVE * (1 + x**2 + abs(y)) ** 2:
            fail("loss-differs")


@pytest.mark.points(1)
def test_gradient_comes_from_autograd(run: RunView) -> None:
    """The gradients of w, w2 and b come from autograd."""
    count = parameters_reached(run.trace)
    if count == 0:
        fail("no-autograd")
    if count < len(NAMES):
        fail("one-parameter-only", count=count)


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_starts_at_one(run: RunView) -> None:
    """Training starts at w = w2 = b = 1, so that forward(4) is 21 before it."""
    check_start(steps_to(run, NAMES, ENDED_NEAR), [1.0, 1.0, 1.0])


@pytest.mark.points(2)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_gradients(run: RunView) -> None:
    """The gradients, sample by sample, are right and start from zero each time: (2, 2, 2) for the first."""
    check_gradients(steps_to(run, NAMES, ENDED_NEAR), gradient_of_sample, CALLS)


def gradient_of_sample(parameters: Sequence[float], number: int) -> list[float]:
    """The gradient for the sample that is due at this call."""
    return gradient_at(parameters, X[number % len(X)], Y[number % len(Y)])


@pytest.mark.points(1)
@pytest.mark.needs("test_gradient_comes_from_autograd")
def test_one_update_per_sample(run: RunView) -> None:
    """After each sample there is one update: each parameter minus 0.01 times its gradient."""
    check_updates(steps_to(run, NAMES, ENDED_NEAR), LEARNING_RATE, CALLS)


@pytest.mark.points(1)
def test_ends_like_the_reference(run: RunView) -> None:
    """After 100 epochs w, w2 and b are where the reference training ends."""
    for name, wanted in zip(NAMES, train(Y), strict=True):
        if not abs(run.number(name) - wanted) <= END:
            fail("ends-elsewhere", name=name, seen=run.number(name), wanted=wanted)


@pytest.mark.points(2)
def test_follows_other_targets(run: RunView, rerun, rng: np.random.Generator) -> None:
    """For other targets y the same code ends where such a training ends."""
    for name in NAMES:
        run.number(name)
    if not run.complete:
        fail("run-not-finished")
    targets = rng.uniform(-3.0, 9.0, size=3)
    other = rerun([Swap(old=from_numpy(np.array(Y)), new=from_numpy(targets))])
    if sum(other.trace.exchanged) == 0:
        # Without any training there is nothing to give points for.
        skip("targets-not-found", free=parameters_reached(run.trace) > 0)
    for name, wanted in zip(NAMES, train(list(targets)), strict=True):
        if not math.isfinite(other.number(name)) or abs(other.number(name) - wanted) > 10 * END:
            fail("targets-not-followed", name=name)
