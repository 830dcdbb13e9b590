"""The mean squared error of a line as a valley over (w, b): its height, its slope, its bottom, and a descent into it."""

import math
from typing import TypeVar

import numpy as np

from grader.arrays import Numbers
from grader.picture import Curves, Valley

# How many steps of a descent are kept: the first, and then ever fewer.
FIRST, GROWTH, LOOKS = 20, 1.25, 60

F = TypeVar("F", float, Numbers)


def valley_of(x: Numbers, y: Numbers) -> Valley | None:
    """The valley of some data of shape (n,); None where it has no single bottom."""
    with np.errstate(all="ignore"):
        means = [float(part.mean()) for part in (x * x, x, x * y, y, y * y)]
    if not all(map(math.isfinite, means)) or means[0] - means[1] ** 2 <= 0:
        return None
    return Valley(xx=means[0], x=means[1], xy=means[2], y=means[3], yy=means[4], count=x.size)


def height(valley: Valley, w: F, b: F) -> F:
    """The mean squared error at (w, b): mean of (w·x + b − y)²."""
    squares = w * w * valley.xx + b * b + valley.yy
    return squares + 2 * (w * b * valley.x - w * valley.xy - b * valley.y)


def gradient(valley: Valley, w: F, b: F) -> tuple[F, F]:
    """(∂/∂w, ∂/∂b) = 2·(mean of (w·x + b − y)·x, mean of w·x + b − y)."""
    return 2 * (w * valley.xx + b * valley.x - valley.xy), 2 * (w * valley.x + b - valley.y)


def bottom(valley: Valley) -> tuple[float, float]:
    """The (w, b) of the least-squares line."""
    w = (valley.xy - valley.x * valley.y) / (valley.xx - valley.x**2)
    return w, valley.y - w * valley.x


def descend(
    valley: Valley, start: tuple[float, float], rate: float, steps: int, names: tuple[str, str]
) -> Curves:
    """Gradient descent from a start; the loss and both parameters, by their `names`, before each of the steps that are kept."""
    kept = {int(FIRST * GROWTH**k) for k in range(LOOKS)} | {*range(FIRST), steps - 1}
    w, b = start
    path: list[tuple[int, float, float, float]] = []
    for step in range(steps):
        if step in kept:
            path.append((step, w, b, height(valley, w, b)))
        to_w, to_b = gradient(valley, w, b)
        w, b = w - rate * to_w, b - rate * to_b
        if not (math.isfinite(w) and math.isfinite(b)):
            break
    return Curves(
        loss=tuple((step, max(loss, 0.0)) for step, _, _, loss in path),
        parameters={
            names[0]: tuple((step, w) for step, w, _, _ in path),
            names[1]: tuple((step, b) for step, _, b, _ in path),
        },
    )
