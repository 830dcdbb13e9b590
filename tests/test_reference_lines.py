"""The reference solutions that fit a line arrive from where they may start, in the steps that they take.

What follows from the definitions is computed with numpy alone.
"""

import math
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from grader.exercise import course_folder, load_exercise, load_reference

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def reference(slug: str) -> ModuleType:
    """Import a reference solution afresh, from the same random numbers each time."""
    torch.manual_seed(0)
    return load_reference(load_exercise(course_folder(None), slug))


class Direction(NamedTuple):
    """A principal direction (slope, intercept) of the mean squared error of a line, and the curvature there."""

    curvature: float
    vector: tuple[float, float]


def hessian(x: Numbers) -> Numbers:
    """The second derivatives of the mean squared error by slope and intercept."""
    return 2 * np.array([[(x**2).mean(), x.mean()], [x.mean(), 1.0]])


def directions(x: Numbers) -> list[Direction]:
    """The two principal directions, that of the smaller curvature first."""
    values, vectors = np.linalg.eigh(hessian(x))
    return [Direction(value, tuple(vector)) for value, vector in zip(values, vectors.T, strict=True)]


# ---- the module ---------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)])
def test_module_arrives_from_every_start(start: tuple[float, float]) -> None:
    """nn.Linear(1, 1) starts inside this square, and the error is convex: its corners are the worst starts."""
    module = reference("linear_module")
    with torch.no_grad():
        for parameter, value in zip(module.model.parameters(), start, strict=True):
            parameter.fill_(value)
    for _ in range(module.EPOCHS):
        module.optimizer.zero_grad()
        module.criterion(module.model(module.x_data), module.y_data).backward()
        module.optimizer.step()
    assert module.criterion(module.model(module.x_data), module.y_data).item() < 0.1
    assert module.model(torch.tensor([[4.0]])).item() == pytest.approx(8, abs=0.6)


def test_module_is_fast_in_one_direction_and_slow_in_the_other() -> None:
    module = reference("linear_module")
    slow, fast = directions(module.x_data.double().numpy().ravel())
    assert fast.vector[0] / fast.vector[1] == pytest.approx(2.27, abs=0.005)
    assert abs(1 - module.LEARNING_RATE * fast.curvature) ** module.EPOCHS < 1e-6
    assert (1 - module.LEARNING_RATE * slow.curvature) ** 60 == pytest.approx(0.23, abs=0.005)


# ---- the line through noisy points --------------------------------------------------------------


def replay(x: Numbers, y: Numbers, w: Numbers, module: ModuleType) -> tuple[Numbers, Numbers]:
    """The reference's descent from b = 0 for many y at once: y of shape (k, n), w of shape (k, 1)."""
    b = np.zeros_like(w)
    for _ in range(module.STEPS):
        residual = w * x + b - y
        w = w - module.LEARNING_RATE * 2 * (residual * x).mean(axis=1, keepdims=True)
        b = b - module.LEARNING_RATE * 2 * residual.mean(axis=1, keepdims=True)
    return w, b


@pytest.fixture(scope="module")
def line() -> ModuleType:
    """The module of linear_regression."""
    return reference("linear_regression")


def test_line_ends_within_one_standard_error_of_the_best(line: ModuleType) -> None:
    x, y = line.x.double().numpy(), line.y.double().numpy()
    slope, intercept = np.polyfit(x, y, 1)
    assert x == pytest.approx(np.arange(100) / 100, abs=1e-6)
    assert line.w.item() == pytest.approx(slope, abs=0.35)
    assert line.b.item() == pytest.approx(intercept, abs=0.20)


def test_line_has_the_standard_errors_that_the_task_names(line: ModuleType) -> None:
    x = line.x.double().numpy()
    design = np.column_stack([x, np.ones_like(x)])
    slope_error, intercept_error = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    assert (slope_error, intercept_error) == (pytest.approx(0.35, abs=0.005), pytest.approx(0.20, abs=0.005))


def test_line_falls_short_by_an_eighth_on_average(line: ModuleType) -> None:
    x = np.arange(100) / 100
    generators = [np.random.default_rng(seed) for seed in range(20)]
    y = 10 * x + 4 + np.array([rng.normal(size=100) for rng in generators])
    w, _ = replay(x, y, np.array([[rng.normal()] for rng in generators]), line)
    short = np.abs(w.ravel() - np.polyfit(x, y.T, 1)[0])
    assert short.mean() == pytest.approx(0.12, abs=0.01)  # the mean of twenty scatters by 0.004
    assert short.max() <= 0.17


def test_line_descends_as_numpy_does(line: ModuleType) -> None:
    x, y = (part.double() for part in line.make_data())
    w, b = (torch.tensor([start], dtype=torch.float64, requires_grad=True) for start in (0.5, 0.0))
    wanted_w, wanted_b = replay(x.numpy(), y.numpy()[None], np.array([[0.5]]), line)
    line.descend(x, y, w, b)
    assert (w.item(), b.item()) == pytest.approx((wanted_w.item(), wanted_b.item()), rel=1e-9)


def test_line_moves_with_hidden_data(line: ModuleType) -> None:
    """By 95 to 105 % of the shift, far inside the 15 % that are allowed."""
    x = np.arange(100) / 100
    y = 10 * x + 4 + np.random.default_rng(0).normal(size=100)
    shifts = np.array([(-6.0, -2.0), (-6.0, -1.0), (-3.0, -2.0), (-3.0, -1.0)])
    w, b = replay(x, np.vstack([y, y + shifts[:, :1] * x + shifts[:, 1:]]), np.zeros((5, 1)), line)
    moved = np.hstack([w[1:] - w[0], b[1:] - b[0]]) / shifts
    assert np.abs(moved - 1).max() < 0.05


def test_line_diverges_where_x_reaches_100(line: ModuleType) -> None:
    x = torch.arange(0, 100, 0.01)
    w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    line.descend(x, 10 * x + 4, w, b, steps=60)
    assert not math.isfinite(w.item())
    assert 2 / directions(x.double().numpy())[1].curvature == pytest.approx(3e-4, rel=0.01)
