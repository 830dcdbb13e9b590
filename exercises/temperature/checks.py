"""Checks of `temperature`: a model, a loss and a training loop as functions, and what they find."""

import math
from types import ModuleType

import numpy as np
import pytest

from grader.arrays import numbers
from grader.checks import CallView, Numbers, RunView, fail, skip
from grader.experiment import LeafArgument
from grader.probe.bindings import RETURNED

LOOP = "training_loop"
START = (1.0, 0.0)
STEP_RATE = 1e-4
# A gradient of some thousands in float32, taken by a step of a ten-thousandth: relative rounding of 1e-6 and less.
STEP_CLOSE = 1e-4
# A share of 17.3, so 0.09. float32 and float64 trainings of 5 000 epochs end within 1e-4 of each other;
# 3 000 epochs end 0.1 away.
END_CLOSE = 5e-3
HIDDEN_CLOSE = 1e-4


@pytest.mark.points(1)
def test_model(call, rng: np.random.Generator) -> None:
    """model(t_u, w, b) computes w·t_u + b."""
    t_u, (w, b) = rng.uniform(-5, 5, size=7).astype(np.float32), rng.uniform(-3, 3, size=2).astype(np.float32)
    seen = call("model", t_u, np.asarray(w), np.asarray(b)).numbers().reshape(-1)
    if not near(seen, w * t_u + b, 1e-5):
        fail("model-differs")


@pytest.mark.points(1)
def test_loss(call, rng: np.random.Generator) -> None:
    """loss_fn(t_p, t_c) is the mean squared error."""
    t_p, t_c = rng.uniform(-5, 5, size=(2, 9)).astype(np.float32)
    if not abs(call("loss_fn", t_p, t_c).number() - float(((t_p - t_c) ** 2).mean())) <= 1e-3:
        fail("loss-differs")


@pytest.mark.points(2)
def test_one_step(call, reference: ModuleType) -> None:
    """One epoch from (1, 0) on t_u takes off the learning rate times the gradient (4517.3, 82.6)."""
    t_u, t_c = reference.t_u.numpy(), reference.t_c.numpy()
    seen = trained(call(LOOP, 1, STEP_RATE, leaf(START), t_u, t_c))
    residual = START[0] * t_u.astype(float) + START[1] - t_c
    gradient = 2 * np.array([(residual * t_u).mean(), residual.mean()])
    wanted = np.array(START) - STEP_RATE * gradient
    if not near(seen, wanted, STEP_CLOSE):
        fail("step-differs", rate=STEP_RATE, w=seen[0], b=seen[1], wanted_w=wanted[0], wanted_b=wanted[1])


@pytest.mark.points(1)
def test_gradient_comes_from_autograd(call, rng: np.random.Generator) -> None:
    """training_loop takes a gradient from autograd in each epoch."""
    t_u, t_c, start, epochs, rate = hidden_training(rng)
    calls = call(LOOP, epochs, rate, leaf(start), t_u, t_c).gradient_calls
    if calls < epochs:
        fail("autograd-too-seldom", steps=epochs, calls=calls)


@pytest.mark.points(3)
def test_training_loop_elsewhere(call, rng: np.random.Generator) -> None:
    """training_loop is right for other data, epochs and learning rates."""
    for _ in range(3):
        t_u, t_c, start, epochs, rate = hidden_training(rng)
        seen = trained(call(LOOP, epochs, rate, leaf(start), t_u, t_c))
        if not near(seen, descend(t_u, t_c, start, epochs, rate), HIDDEN_CLOSE):
            fail("loop-differs")


@pytest.mark.points(2)
@pytest.mark.needs("test_one_step")
def test_trained_on_the_readings(run: RunView, reference: ModuleType) -> None:
    """Trained on t_un for 5000 epochs with learning rate 0.01, the params are about (5.367, −17.301)."""
    wanted = reference.params.detach().numpy().astype(float)
    ended = trainings_of(run)
    if not ended:
        if run.record.errors:
            fail("no-training-finished")
        skip("no-trained-values", free=True)
    came_back = any(version.name == RETURNED.format(name=LOOP) for version in run.trace.versions)
    if not came_back and not run.trace.trainings:
        fail("params-not-trained")
    if any(near(params, wanted, END_CLOSE) for params in ended):
        return
    w, b = ended[-1]
    if not math.isfinite(w + b):
        fail("not-finite", w=w, b=b)
    fail("trained-elsewhere", w=w, b=b, wanted_w=wanted[0], wanted_b=wanted[1])


def trainings_of(run: RunView) -> list[Numbers]:
    """What the submission's own calls of training_loop returned; else its params, if they are not as at the start."""
    found: dict[str, list[Numbers]] = {RETURNED.format(name=LOOP): [], "params": []}
    for version in run.trace.versions:
        values = numbers(version.array)
        if values is not None and values.size == len(START):
            found[version.name].append(values.reshape(-1))
    returned, params = found.values()
    return returned or [values for values in params if not near(values, np.array(START), 0.0)]


def hidden_training(rng: np.random.Generator) -> tuple[Numbers, Numbers, tuple[float, float], int, float]:
    """Readings, a start, epochs and a rate at which the descent neither stands still nor diverges."""
    t_u = rng.uniform(0.5, 3.0, size=int(rng.integers(6, 14))).astype(np.float32)
    t_c = (rng.uniform(1, 4) * t_u + rng.uniform(-3, 3) + rng.normal(size=t_u.size)).astype(np.float32)
    start = float(rng.uniform(-2, 2)), float(rng.uniform(-2, 2))
    return t_u, t_c, start, int(rng.integers(5, 40)), float(rng.uniform(0.01, 0.08))


def descend(t_u: Numbers, t_c: Numbers, start: tuple[float, float], epochs: int, rate: float) -> Numbers:
    """Gradient descent on the mean squared error in float64, from the closed form of its gradient."""
    x, y, params = t_u.astype(float), t_c.astype(float), np.array(start)
    for _ in range(epochs):
        residual = params[0] * x + params[1] - y
        params = params - rate * 2 * np.array([(residual * x).mean(), residual.mean()])
    return params


def trained(returned: CallView) -> Numbers:
    """The two params that training_loop returned, alone or before other things such as a history."""
    values = numbers(returned.value)
    if values is None or values.size != len(START):
        first = next(iter(getattr(returned.value, "items", ())), None)
        values = None if first is None else numbers(first)
    if values is None or values.size != len(START):
        fail("not-two-parameters")
    return values.reshape(-1)


def leaf(values: tuple[float, float]) -> LeafArgument:
    """params as the task has them: a float32 leaf of shape (2,)."""
    return LeafArgument(np.array(values, dtype=np.float32))


def near(seen: Numbers, wanted: Numbers, relative: float) -> bool:
    """Whether all numbers agree to a share of the largest."""
    return seen.shape == wanted.shape and bool(
        (np.abs(seen - wanted) <= relative * max(1.0, float(np.abs(wanted).max()))).all()
    )
