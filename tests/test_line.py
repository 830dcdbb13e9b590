"""The least-squares line of `grader.line`, beside numpy and beside what simulated noise does."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.arrays import Numbers
from grader.line import Line, chance_of, fit_line, mean_squared_error

SLOPE, INTERCEPT, NOISE = 10.0, 4.0, 1.0
X = np.arange(100) / 100
REPEATS = 2000


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    """Lines fitted to many data sets of one truth, from a fixed seed."""
    noise = np.random.default_rng(0).normal(0, NOISE, size=(REPEATS, X.size))
    return [fit_line(X, SLOPE * X + INTERCEPT + row) for row in noise]


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(3, 60),
    centre=st.floats(-50, 50),
    spread=st.floats(0.1, 100),
)
@settings(deadline=None)
def test_agrees_with_numpy(seed: int, count: int, centre: float, spread: float) -> None:
    rng = np.random.default_rng(seed)
    x = centre + spread * rng.normal(size=count)
    y = rng.normal(size=count) * 5
    line = fit_line(x, y)
    (slope, intercept), covariance = (
        np.polyfit(x, y, 1, cov=True) if count > 4 else (np.polyfit(x, y, 1), None)
    )
    assert (line.slope, line.intercept) == pytest.approx((slope, intercept), rel=1e-6, abs=1e-6)
    assert line.noise**2 * (count - 2) / count == pytest.approx(mean_squared_error(x, y, slope, intercept))
    if covariance is not None:
        errors = np.sqrt(np.diag(covariance))
        assert (line.slope_error, line.intercept_error) == pytest.approx(tuple(errors), rel=1e-6)


def test_errors_are_how_far_lines_scatter(lines: list[Line]) -> None:
    """The standard deviation of 2 000 estimates is itself known to 1/√4000 = 1.6 %; three times that is allowed."""
    slopes, intercepts = np.array([[line.slope, line.intercept] for line in lines]).T
    slope_error = NOISE / math.sqrt(((X - X.mean()) ** 2).sum())
    intercept_error = NOISE * math.sqrt(1 / X.size + X.mean() ** 2 / ((X - X.mean()) ** 2).sum())
    assert slopes.std(ddof=1) == pytest.approx(slope_error, rel=0.05)
    assert intercepts.std(ddof=1) == pytest.approx(intercept_error, rel=0.05)
    assert np.mean([line.slope_error for line in lines]) == pytest.approx(slope_error, rel=0.01)
    assert np.mean([line.intercept_error for line in lines]) == pytest.approx(intercept_error, rel=0.01)
    assert np.mean([line.noise for line in lines]) == pytest.approx(NOISE, rel=0.01)


def test_chance_is_uniform_under_the_truth(lines: list[Line]) -> None:
    """Kolmogorov and Smirnov: 1.63/√n is exceeded once in a hundred. The noise, estimated from 98 degrees of
    freedom, adds at most 1 % of its own."""
    chances = np.sort([chance_of(line, X, SLOPE, INTERCEPT) for line in lines])
    steps = np.arange(1, REPEATS + 1) / REPEATS
    distance = np.maximum(np.abs(steps - chances), np.abs(steps - 1 / REPEATS - chances)).max()
    assert distance < 1.63 / math.sqrt(REPEATS) + 0.01


@pytest.mark.parametrize(("slope", "intercept"), [(12.0, 4.0), (10.0, 3.0), (8.0, 6.0), (11.0, 4.5)])
def test_chance_is_small_far_from_the_truth(lines: list[Line], slope: float, intercept: float) -> None:
    assert np.median([chance_of(line, X, slope, intercept) for line in lines]) < 1e-4


def test_chance_falls_with_distance_and_is_one_at_the_line_itself(lines: list[Line]) -> None:
    line = lines[0]
    chances = [
        chance_of(line, X, line.slope + step * line.slope_error, line.intercept) for step in (0, 0.1, 1, 3)
    ]
    assert chances[0] == 1
    assert chances == sorted(chances, reverse=True)
    assert len(set(chances)) == len(chances)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_line_without_noise_is_certain_of_itself(kind: type[np.floating]) -> None:
    x: Numbers = X.astype(kind).astype(np.float64)
    line = fit_line(x, (SLOPE * x + INTERCEPT).astype(kind).astype(np.float64))
    assert (line.slope, line.intercept) == pytest.approx((SLOPE, INTERCEPT), abs=1e-5)
    assert line.noise == pytest.approx(0, abs=1e-6)


def test_chance_of_an_exact_line_is_one_or_nothing() -> None:
    line = fit_line(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
    assert line.noise == 0
    assert chance_of(line, np.array([0.0, 1.0, 2.0]), 2.0, 1.0) == 1
    assert chance_of(line, np.array([0.0, 1.0, 2.0]), 2.0, 1.1) == 0
    assert chance_of(line, np.array([0.0, 1.0, 2.0]), 2.1, 1.0) == 0


def test_mean_squared_error_is_least_at_the_line() -> None:
    y = SLOPE * X + INTERCEPT + np.random.default_rng(1).normal(size=X.size)
    line = fit_line(X, y)
    least = mean_squared_error(X, y, line.slope, line.intercept)
    assert least == pytest.approx(((line.slope * X + line.intercept - y) ** 2).mean())
    for slope, intercept in [(0.1, 0), (-0.1, 0), (0, 0.1), (0, -0.1)]:
        assert mean_squared_error(X, y, line.slope + slope, line.intercept + intercept) > least
