"""A parabola with three weights, trained on three samples with one update per sample."""

import torch
from torch import Tensor

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
LEARNING_RATE = 0.01
EPOCHS = 100

w = torch.tensor([1.0], requires_grad=True)
w2 = torch.tensor([1.0], requires_grad=True)
b = torch.tensor([1.0], requires_grad=True)


def forward(x: float | Tensor) -> Tensor:
    """The model: w·x² + w2·x + b."""
    return w * x**2 + w2 * x + b


def loss(x: float | Tensor, y: float | Tensor) -> Tensor:
    """The squared error of one sample."""
    return (forward(x) - y) ** 2


for epoch in range(EPOCHS):
    for x, y in zip(x_data, y_data, strict=True):
        l = loss(x, y)  # noqa: E741 - the exercise's own name
        l.backward()
        with torch.no_grad():
            w -= LEARNING_RATE * w.grad
            w2 -= LEARNING_RATE * w2.grad
            b -= LEARNING_RATE * b.grad
        w.grad.zero_()
        w2.grad.zero_()
        b.grad.zero_()
