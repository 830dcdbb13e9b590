"""A line through noisy points, found by gradient descent on the mean squared error."""

import torch
from torch import Tensor

POINTS = 100
SLOPE, INTERCEPT = 10.0, 4.0
LEARNING_RATE = 1e-2
STEPS = 3001


def make_data(generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """x = 0, 0.01, …, 0.99 and y = 10x + 4 with one draw of standard noise per point; both of shape (100,)."""
    x = torch.arange(POINTS) * 0.01
    noise = torch.randn(POINTS, generator=generator)
    return x, SLOPE * x + INTERCEPT + noise


def descend(x: Tensor, y: Tensor, w: Tensor, b: Tensor, steps: int = STEPS) -> None:
    """Move the leaves w and b, each of shape (1,), downhill in place."""
    for _ in range(steps):
        loss = ((w * x + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= LEARNING_RATE * w.grad
            b -= LEARNING_RATE * b.grad
        w.grad.zero_()
        b.grad.zero_()


x, y = make_data()
w = torch.randn(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
descend(x, y, w, b)
