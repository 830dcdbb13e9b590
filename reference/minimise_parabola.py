"""The minimum of x² + 2x + 1, walked to with a derivative by hand and with one from autograd."""

import torch
from torch import Tensor


def f(x: Tensor) -> Tensor:
    """The parabola; its minimum lies at x = −1."""
    return x**2 + 2 * x + 1


def derivative(x: float) -> float:
    """By hand: d/dx (x² + 2x + 1) = 2x + 2."""
    return 2 * x + 2


def descend_by_hand(x0: float, lr: float, steps: int) -> list[float]:
    """The values of x after each step downhill, with the derivative by hand."""
    x, path = float(x0), []
    for _ in range(steps):
        x = x - lr * derivative(x)
        path.append(x)
    return path


def descend_with_autograd(x0: float, lr: float, steps: int) -> list[float]:
    """The values of x after each step downhill, with the derivative from autograd."""
    x, path = torch.tensor(float(x0), requires_grad=True), []
    for _ in range(steps):
        f(x).backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
        path.append(x.item())
    return path
