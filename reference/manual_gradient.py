"""The gradient of a sum of squared errors, from autograd and derived by hand.

    ŷ = Xw + b        loss = Σ ½(target − ŷ)²

Each residual r = ŷ − target enters the loss as ½r², so ∂loss/∂ŷ = r. A weight wⱼ reaches ŷᵢ through Xᵢⱼ, and
b reaches every ŷᵢ as it is:  ∂loss/∂w = Xᵀr,  ∂loss/∂b = Σ r.
"""

import torch
from torch import Tensor

X = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
target = torch.tensor([[0.0], [1.0], [2.0]])
w = torch.zeros(2, 1, requires_grad=True)
b = torch.tensor([4.2], requires_grad=True)

loss = (0.5 * (target - (X @ w + b)) ** 2).sum()
loss.backward()


def manual_gradient(X: Tensor, w: Tensor, b: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """By hand: grad_w of w's shape (d, 1), and grad_b of shape ()."""
    residual = X @ w + b - target
    return X.T @ residual, residual.sum()


def descend(x0: float, lr: float, steps: int) -> list[float]:
    """The values of x after each step while minimising ½(x − 2)² + 2."""
    x, path = torch.tensor(float(x0), requires_grad=True), []
    for _ in range(steps):
        (0.5 * (x - 2) ** 2 + 2).backward()
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
        path.append(x.item())
    return path
