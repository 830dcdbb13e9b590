"""The least-squares line through data, and how far it may be off by chance."""

import math
from typing import Any

import msgspec
import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.float64]]

# How closely float32 data without noise give back the line they lie on.
EXACT = 1e-3


class Line(msgspec.Struct, frozen=True):
    """ŷ = slope·x + intercept fitted to n points; the errors are standard errors of the two estimates.

    With s² = Σr²/(n−2) and S = Σ(x−x̄)²: slope_error = s/√S, intercept_error = s·√(1/n + x̄²/S)
    (Draper and Smith, *Applied Regression Analysis*, 3rd ed., section 1.4). `noise` is s.
    """

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    noise: float


def fit_line(x: Numbers, y: Numbers) -> Line:
    """Fit by least squares; x and y of shape (n,), n > 2, x not constant."""
    n = x.size
    centre = float(x.mean())
    spread = float(((x - centre) ** 2).sum())
    slope = float(((x - centre) * (y - y.mean())).sum()) / spread
    intercept = float(y.mean()) - slope * centre
    residual = y - slope * x - intercept
    noise = math.sqrt(float((residual**2).sum()) / (n - 2))
    return Line(
        slope=slope,
        intercept=intercept,
        slope_error=noise / math.sqrt(spread),
        intercept_error=noise * math.sqrt(1 / n + centre**2 / spread),
        noise=noise,
    )


def chance_of(line: Line, x: Numbers, slope: float, intercept: float) -> float:
    """How likely noise alone takes the fitted line as far from (slope, intercept) as it is, or farther.

    The squared Mahalanobis distance of the two estimates is χ² with two degrees of freedom, of which the
    upper tail is exp(−d²/2). A line without noise is certain of itself: 1 where it agrees, else 0.
    """
    apart = line.slope - slope, line.intercept - intercept
    if line.noise < 1e-9 * max(1.0, abs(intercept)):
        return 1.0 if max(abs(apart[0]), abs(apart[1])) < EXACT else 0.0
    information = np.array([[float((x**2).sum()), float(x.sum())], [float(x.sum()), float(x.size)]])
    distance = float(np.array(apart) @ information @ np.array(apart)) / line.noise**2
    return math.exp(-distance / 2)


def mean_squared_error(x: Numbers, y: Numbers, slope: float, intercept: float) -> float:
    """Mean of (slope·x + intercept − y)² over the points."""
    return float(((slope * x + intercept - y) ** 2).mean())
