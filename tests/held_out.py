"""Submissions that were written before anyone looked at what the grader can do; what it missed in them then.

Each is the exercise, the mistake that is to be named first and proven ('' of a right one), and the source.
"""

from typing import NamedTuple


class HeldOut(NamedTuple):
    """One submission and what to say of it. proven: whether a mend is to prove it."""

    exercise: str
    mistake: str
    source: str
    proven: bool = True


DATA = """
import torch
x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
"""
LEAVES = DATA + "w, b = torch.randn(1, requires_grad=True), torch.zeros(1, requires_grad=True)\n"
STEP = """
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad, b.grad = None, None
"""
DESCENT = "for _ in range(600):\n    loss = ((w * x + b - y) ** 2).mean()\n    loss.backward()" + STEP
OPTIMISED = """
for _ in range(600):
    opt.zero_grad()
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    opt.step()
"""
SAMPLES = """
import torch
x_data, y_data = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
w = torch.tensor([1.0], requires_grad=True)
def forward(x): return w * x
def loss(x, y): return (forward(x) - y) ** 2
for epoch in range(100):
"""
MODULE = """
import torch
x_data = torch.tensor([[1.0], [2.0], [3.0]])
y_data = torch.tensor([[2.0], [4.0], [6.0]])
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)
    def forward(self, x):
        return self.linear(x)
"""
MANUAL = """
import torch
X = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
target = torch.tensor([[0.0], [1.0], [2.0]])
w, b = torch.zeros(2, 1, requires_grad=True), torch.tensor(4.2, requires_grad=True)
{loss}
loss.backward()
def manual_gradient(X, w, b, target):
    error = X @ w + b - target
    return X.T @ error, error.sum()
def descend(x0, lr, steps):
    out = []
    for _ in range(steps):
        x0 -= {step}
        out.append(x0)
    return out
"""
HALF = "loss = 0.5 * ((X @ w + b - target) ** 2).sum()"
PARABOLA = """
import torch
def f(x): return x ** 2 + 2 * x + 1
def descend_by_hand(x0, lr, steps):
    out = []
    for _ in range(steps):
        x0 = x0 - lr * (2 * x0 + 2)
        out.append(x0)
    return out
def descend_with_autograd(x0, lr, steps):
    x = torch.tensor(float(x0), requires_grad=True)
    values = []
"""
READINGS = """
import torch
t_c = torch.tensor([0.5, 14.0, 15.0, 28.0, 11.0, 8.0, 3.0, -4.0, 6.0, 13.0, 21.0])
t_u = torch.tensor([35.7, 55.9, 58.2, 81.9, 56.3, 48.9, 33.9, 21.8, 48.4, 60.4, 68.4])
t_un = 0.1 * t_u
def model(t_u, w, b): return w * t_u + b
def loss_fn(t_p, t_c): return ((t_p - t_c) ** 2).mean()
def training_loop(n_epochs, learning_rate, params, t_u, t_c):
"""
ASKED = """
    for _ in range(n_epochs):
        grad, = torch.autograd.grad(loss_fn(model(t_u, *params), t_c), params)
        params.data -= learning_rate * grad
    return params
"""
START = "torch.tensor([1.0, 0.0], requires_grad=True)"

# Looked at in every run of the suite.
QUICK: dict[str, HeldOut] = {
    "an attempt that was given up": HeldOut(
        "linear_regression",
        "",
        LEAVES
        + "def first_try():\n    w = torch.zeros(1, requires_grad=True)\n    for _ in range(9):\n"
        + "        (w * x - y).mean().backward()\n        w = w - 0.1 * w.grad\n"
        + DESCENT,
    ),
    "gradients zipped in another order": HeldOut(
        "linear_regression",
        "wrong-gradient-used",
        LEAVES
        + "for _ in range(600):\n    grads = torch.autograd.grad(((w * x + b - y) ** 2).mean(), [b, w])\n"
        + "    for p, g in zip([w, b], grads):\n        p.data -= 0.1 * g\n",
    ),
    "a tensor that the module does not register": HeldOut(
        "linear_regression",
        "parameter-never-updated",
        DATA
        + "class Line(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        + "        self.w = torch.nn.Parameter(torch.randn(1))\n        self.b = torch.zeros(1, requires_grad=True)\n"
        + "line = Line()\nopt = torch.optim.SGD(line.parameters(), lr=0.1)"
        + OPTIMISED.replace("w *", "line.w *").replace("+ b", "+ line.b")
        + "w, b = line.w, line.b\n",
    ),
    "one tensor in a list, twice": HeldOut(
        "linear_regression",
        "parameters-share-storage",
        DATA + "params = [torch.zeros(1, requires_grad=True)] * 2\nw, b = params\n" + DESCENT,
    ),
    "a flag misspelt as an attribute": HeldOut(
        "linear_regression",
        "requires-grad-missing",
        DATA
        + "w, b = torch.randn(1, requires_grad=True), torch.zeros(1)\nb.require_grad = True\nopt = torch.optim.SGD([w, b], lr=0.1)"
        + OPTIMISED,
    ),
    "leaves made by a function in the loop": HeldOut(
        "linear_regression",
        "parameter-reinitialised",
        DATA
        + "def start():\n    return torch.randn(1, requires_grad=True), torch.zeros(1, requires_grad=True)\n"
        + DESCENT.replace("    loss =", "    w, b = start()\n    loss ="),
    ),
    "a total that each round goes back through": HeldOut(
        "backprop_per_sample",
        "graph-grows",
        SAMPLES
        + "    total = 0\n    for x, y in zip(x_data, y_data):\n        total = total + loss(x, y)\n"
        + "        total.backward(retain_graph=True)\n        w.data -= 0.01 * w.grad\n        w.grad.zero_()\n",
    ),
    "a gradient from before the loop": HeldOut(
        "minimise_parabola",
        "backward-missing",
        PARABOLA
        + "    y = f(x)\n    y.backward()\n    for _ in range(steps):\n        x.data -= lr * x.grad\n"
        + "        values.append(x.item())\n    return values\n",
    ),
}
# Looked at with the slow ones.
MORE: dict[str, HeldOut] = {
    "an alias of the slope": HeldOut(
        "linear_regression",
        "parameters-share-storage",
        LEAVES + "b = w\nopt = torch.optim.SGD([w], lr=0.1)" + OPTIMISED,
    ),
    "a sum of penalties": HeldOut(
        "linear_regression",
        "penalty-added",
        LEAVES
        + DESCENT.replace(
            "    loss.backward", "    loss = loss + 0.1 * sum(p.pow(2).sum() for p in (w, b))\n    loss.backward"
        ),
    ),
    "a smooth loss": HeldOut(
        "linear_regression",
        "loss-not-squared-error",
        LEAVES + "measure = torch.nn.SmoothL1Loss()\n" + DESCENT.replace("((w * x + b - y) ** 2).mean()", "measure(w * x + b, y)"),
    ),
    "a hand-written step on a leaf": HeldOut(
        "backprop_per_sample",
        "hand-gradient-instead",
        SAMPLES + "    for x, y in zip(x_data, y_data):\n        w.data -= 0.01 * 2 * x * (x * w.item() - y)\n",
    ),
    "an index that never moves": HeldOut(
        "backprop_per_sample",
        "single-sample-only",
        SAMPLES
        + "    i = 0\n    for _ in range(3):\n        loss(x_data[i], y_data[i]).backward()\n"
        + "        w.data -= 0.01 * w.grad\n        w.grad.zero_()\n",
    ),
    "a bias too many": HeldOut(
        "backprop_per_sample",
        "model-formula-wrong",
        SAMPLES.replace("w * x", "w * x + b").replace("def forward", "b = torch.zeros(1, requires_grad=True)\ndef forward")
        + "    for x, y in zip(x_data, y_data):\n        loss(x, y).backward()\n        for p in (w, b):\n"
        + "            p.data -= 0.01 * p.grad\n            p.grad.zero_()\n",
        proven=False,
    ),
    "a module made in the loop": HeldOut(
        "linear_module",
        "parameter-reinitialised",
        MODULE
        + "for _ in range(60):\n    model = Net()\n    opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        + "    loss = torch.nn.MSELoss()(model(x_data), y_data)\n    loss.backward()\n    opt.step()\n    opt.zero_grad()\n",
    ),
    "a loss class without the half": HeldOut(
        "manual_gradient",
        "loss-wrong-scale",
        MANUAL.format(loss='loss = torch.nn.MSELoss(reduction="sum")(X @ w + b, target)', step="lr * (x0 - 2)"),
    ),
    "a derivative among the factors": HeldOut(
        "manual_gradient", "hand-gradient-wrong", MANUAL.format(loss=HALF, step="lr * 2 * (x0 - 2)")
    ),
    "a leaf taken apart before the loop": HeldOut(
        "temperature",
        "parameter-not-leaf",
        READINGS
        + "    w, b = params\n    for _ in range(n_epochs):\n        loss_fn(model(t_u, w, b), t_c).backward()\n"
        + "        w.data -= learning_rate * w.grad\n        b.data -= learning_rate * b.grad\n"
        + f"        w.grad.zero_(); b.grad.zero_()\n    return params\nparams = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
    "too few steps along what grad returned": HeldOut(
        "temperature", "training-too-short", READINGS + ASKED + f"params = training_loop(500, 1e-2, {START}, t_un, t_c)\n"
    ),
    "raw readings with a small rate": HeldOut(
        "temperature", "input-not-normalised", READINGS + ASKED + f"params = training_loop(5000, 1e-4, {START}, t_u, t_c)\n"
    ),
}  # fmt: skip
