"""One weight, three samples, one update per sample: the smallest training loop there is."""

import torch
from torch import Tensor

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
LEARNING_RATE = 0.01
EPOCHS = 100

w = torch.tensor([1.0], requires_grad=True)


def forward(x: float | Tensor) -> Tensor:
    """The model: w·x."""
    return w * x


def loss(x: float | Tensor, y: float | Tensor) -> Tensor:
    """The squared error of one sample."""
    return (forward(x) - y) ** 2


for epoch in range(EPOCHS):
    for x, y in zip(x_data, y_data, strict=True):
        l = loss(x, y)  # noqa: E741 - the exercise's own name
        l.backward()
        with torch.no_grad():
            w -= LEARNING_RATE * w.grad
        w.grad.zero_()
