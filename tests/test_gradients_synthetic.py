"""How `grader.gradients` judges traces of which every number is known: built here, with the closed form as gradient."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.arrays import Numbers, from_numpy
from grader.exchange import Pair
from grader.gradients import Judgement, judge_trainings
from grader.trace import GradientCall, Leaf, Trace, Training
from grader.values import Array

Indices = np.ndarray[Any, np.dtype[np.int64]]


class Step(NamedTuple):
    """One call: which samples it sees, the parameters (w, b) there, and the gradient that autograd returns."""

    batch: Indices
    parameters: Numbers
    gradient: Numbers


class Made(NamedTuple):
    """Data and a training on them; `size` bounds the terms that each gradient is summed from, for rounding."""

    data: Pair
    steps: list[Step]
    sizes: list[Numbers]


@st.composite
def trainings(draw: st.DrawFn) -> Made:
    """Distinct x anywhere, y around a line, batches of any size, any parameters, a mean or a sum, any factor."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, batch_size = draw(st.integers(4, 40)), draw(st.integers(1, 40))
    spread, centre = draw(st.sampled_from([0.01, 1.0, 30.0])), draw(st.sampled_from([-2.0, 0.0, 1.0]))
    x = rounded(spread * (rng.permutation(count) + rng.uniform(0, 0.5, count) + centre * count))
    y = rounded(rng.normal(0, 5) * x / spread + rng.normal(0, 5) + rng.normal(size=count))
    factor = draw(st.sampled_from([-1.0, 1.0])) * draw(st.floats(0.01, 100))
    summed = draw(st.booleans())
    steps, sizes = [], []
    for _ in range(draw(st.integers(1, 3))):
        for batch in np.split(rng.permutation(count), range(batch_size, count, batch_size))[:4]:
            parameters = rounded(rng.normal(0, 4, size=2) / (spread, 1))
            gradient, size = closed_form(x[batch], y[batch], parameters)
            weight = factor * (batch.size if summed else 1)
            steps.append(Step(batch, parameters, weight * gradient))
            sizes.append(abs(weight) * size)
    return Made(Pair(x=x, y=y), steps, sizes)


def rounded(values: Numbers) -> Numbers:
    """To float32, as a learner's tensors are."""
    return values.astype(np.float32).astype(np.float64)


def closed_form(x: Numbers, y: Numbers, parameters: Numbers) -> tuple[Numbers, Numbers]:
    """The gradient of the mean squared error by w and b, and the mean size of its terms."""
    w, b = parameters
    residual, size = w * x + b - y, np.abs(w * x) + np.abs(b) + np.abs(y)
    return (
        2 * np.array([(residual * x).mean(), residual.mean()]),
        2 * np.array([(size * np.abs(x)).mean(), size.mean()]),
    )


def judge(data: Pair, steps: Sequence[Step], inputs: Numbers, *, in_one_tensor: bool = False) -> Judgement:
    """Judge the training that makes these steps; its graphs keep the residuals and the inputs."""
    arrays: list[Array] = []
    calls = []
    for number, step in enumerate(steps):
        residual = step.parameters[0] * inputs[step.batch] + step.parameters[1] - data.y[step.batch]
        arrays += [float32(residual), float32(inputs[step.batch])]
        parts = [step.gradient] if in_one_tensor else np.split(step.gradient, 2)
        values = [step.parameters] if in_one_tensor else np.split(step.parameters, 2)
        leaves = [
            Leaf(names=(), value=float32(value), before=None, after=float32(part))
            for value, part in zip(values, parts, strict=True)
        ]
        saved = (len(arrays) - 2, len(arrays) - 1)
        calls.append(GradientCall(number=number, leaves=tuple(leaves), saved=saved))
    training = Training(cell=1, line=1, calls=len(calls), seen=tuple(calls))
    (judgement,) = judge_trainings(Trace(trainings=(training,), arrays=tuple(arrays)), [data])
    return judgement


def float32(values: Numbers) -> Array:
    return from_numpy(values.astype(np.float32))


@given(made=trainings(), in_one_tensor=st.booleans())
@settings(deadline=None, max_examples=60)
def test_closed_form_is_right(made: Made, in_one_tensor: bool) -> None:
    judgement = judge(made.data, made.steps, made.data.x, in_one_tensor=in_one_tensor)
    assert (judgement.right, judgement.reason) == (True, None)
    assert judgement.start == pytest.approx(tuple(made.steps[0].parameters))
    assert judgement.line == pytest.approx(tuple(made.steps[-1].parameters))


@given(made=trainings(), choice=st.integers(0, 10**6), sign=st.sampled_from([-1.0, 1.0]))
@settings(deadline=None, max_examples=30)
def test_one_per_cent_off_in_one_call_is_not_right(made: Made, choice: int, sign: float) -> None:
    """Not near a minimum, where a gradient is small beside its terms, nor where one number carries all weight.

    One call alone says little: two numbers, a free factor, and a dozen scales in which to read them.
    """
    assume(len(made.steps) > 1)
    call, k = choice % len(made.steps), choice // len(made.steps) % 2
    relative = np.array([step.gradient / size for step, size in zip(made.steps, made.sizes, strict=True)])
    assume(abs(relative[call, k]) > 0.1)
    assume(relative[call, k] ** 2 < 0.7 * (relative**2).sum())
    off = made.steps[call].gradient.copy()
    off[k] *= 1 + sign * 0.01
    steps = made.steps.copy()
    steps[call] = steps[call]._replace(gradient=off)
    assert judge(made.data, steps, made.data.x).right is not True


@given(made=trainings(), factor=st.floats(0.1, 10), offset=st.floats(-5, 5))
@settings(deadline=None, max_examples=40)
def test_line_found_on_scaled_inputs_is_scaled_back(made: Made, factor: float, offset: float) -> None:
    data, everything = made.data, np.arange(made.data.x.size)
    inputs = rounded(factor * data.x / np.ptp(data.x) + offset)
    steps = [
        Step(everything, step.parameters, closed_form(inputs, data.y, step.parameters)[0])
        for step in made.steps[:3]
    ]
    judgement = judge(data, steps, inputs)
    assert judgement.right is True
    assert judgement.line is not None
    w, b = steps[-1].parameters
    slope, intercept = judgement.line
    prediction = slope * data.x + intercept
    assert prediction == pytest.approx(w * inputs + b, abs=1e-4 * (abs(w) * np.abs(inputs).max() + abs(b)))
