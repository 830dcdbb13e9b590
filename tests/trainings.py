"""Trainings of a line, right and wrong, each the source of one cell that runs after `DATA`."""

DATA = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
column, targets = x.reshape(-1, 1), y.reshape(-1, 1)
ones = torch.ones(100)

def leaves(*shape, dtype=torch.float32):
    return [torch.zeros(shape or 1, dtype=dtype, requires_grad=True) for _ in range(2)]

def step(*leaves, rate=0.01):
    with torch.no_grad():
        for leaf in leaves:
            leaf -= rate * leaf.grad
            leaf.grad = None
"""


def loop(loss: str, start: str = "w, b = leaves()", step: str = "step(w, b)", times: int = 25) -> str:
    """A training of one line per step."""
    return f"{start}\nfor _ in range({times}):\n    {loss}.backward()\n    {step}"


def theta_loop(prediction: str, targets: str = "y", shape: str = "2") -> str:
    """A training of both parameters in one tensor."""
    start = f"theta = torch.zeros({shape}, requires_grad=True)"
    return loop(f"(({prediction} - {targets}) ** 2).mean()", start, "step(theta)")


def optimizer_loop(make: str) -> str:
    """A training by an optimizer, which may call the closure several times a step."""
    return f"""
w, b = leaves()
optimizer = {make}
def closure():
    optimizer.zero_grad()
    loss = F.mse_loss(w * x + b, y)
    loss.backward()
    return loss
for _ in range(25):
    optimizer.step(closure)
"""


def batch_loop(reduced: str, size: int, rate: float = 0.01, inputs: str = "x") -> str:
    """A training in shuffled batches of a size; the last one of each epoch may be smaller."""
    return f"""
w, b = leaves()
inputs = {inputs}
for _ in range(3):
    for batch in torch.randperm(100).split({size}):
        ((w * inputs[batch] + b - y[batch]) ** 2).{reduced}().backward()
        step(w, b, rate={rate})
"""


RIGHT = {
    "full batch": loop("((w * x + b - y) ** 2).mean()"),
    "difference the other way round": loop("torch.square(y - (b + x * w)).mean()"),
    "mse_loss": loop("F.mse_loss(w * x + b, y)"),
    "sum for mean": loop("((w * x + b - y) ** 2).sum()", step="step(w, b, rate=0.001)"),
    "half the mean": loop("((w * x + b - y) ** 2).mean().div(2)"),
    "the negative, maximised": loop("(-((w * x + b - y) ** 2).mean())", step="step(w, b, rate=-0.01)"),
    "float64": loop("((w * x.double() + b - y.double()) ** 2).mean()", "w, b = leaves(dtype=torch.float64)"),
    "float64 parameters, float32 data": loop(
        "((w * x + b - y) ** 2).mean()", "w, b = leaves(dtype=torch.float64)"
    ),
    "columns": loop("((w * column + b - targets) ** 2).mean()"),
    "theta in one tensor": theta_loop("(theta[0] * x + theta[1])"),
    "theta, intercept first": theta_loop("(theta[0] + theta[1] * x)"),
    "design matrix, ones last": theta_loop("torch.stack([x, ones], dim=1) @ theta"),
    "design matrix, ones first": theta_loop("torch.stack([ones, x], dim=1) @ theta"),
    "design matrix of columns": theta_loop(
        "torch.cat([column, ones[:, None]], dim=1) @ theta", "targets", "2, 1"
    ),
    "einsum": theta_loop("torch.einsum('ij,j->i', torch.stack([x, ones], dim=1), theta)"),
    "nn.Linear": """
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(25):
    optimizer.zero_grad()
    nn.MSELoss()(model(column), targets).backward()
    optimizer.step()
""",
    "F.linear": loop("F.mse_loss(F.linear(column, w, b), targets)", "w, b = leaves(1, 1)[0], leaves(1)[1]"),
    "Adam": optimizer_loop("torch.optim.Adam([w, b], lr=0.1)"),
    "LBFGS": optimizer_loop("torch.optim.LBFGS([w, b], lr=0.1)"),
    "batches, smaller last, mean": batch_loop("mean", 32),
    "batches, smaller last, sum": batch_loop("sum", 32, rate=0.001),
    "batches of standardised x": batch_loop("mean", 32, inputs="(x - x.mean()) / x.std()"),
    "batches of centred x": batch_loop("mean", 32, inputs="x - x.mean()"),
    "batches drawn with replacement": batch_loop("mean", 10).replace("randperm(100)", "randint(50, (100,))"),
    "one sample per step": batch_loop("sum", 1),
    "one sample of Python floats per step": """
w, b = leaves()
for one, target in zip(x.tolist(), y.tolist()):
    ((w * one + b - target) ** 2).backward()
    step(w, b)
""",
    "sum over Python floats": """
w, b = leaves()
for _ in range(4):
    sum((w * one + b - target) ** 2 for one, target in zip(x.tolist(), y.tolist())).backward()
    step(w, b, rate=0.001)
""",
    "DataLoader": """
model = nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(3):
    for some, wanted in DataLoader(TensorDataset(column, targets), batch_size=16, shuffle=True):
        optimizer.zero_grad()
        F.mse_loss(model(some), wanted).backward()
        optimizer.step()
""",
    "accumulated over micro-batches": """
w, b = leaves()
for _ in range(6):
    for batch in torch.arange(100).split(25):
        (((w * x[batch] + b - y[batch]) ** 2).mean() / 4).backward()
    step(w, b)
""",
    "autograd.grad": """
w, b = leaves()
for _ in range(25):
    gradients = torch.autograd.grad(((w * x + b - y) ** 2).mean(), (w, b))
    with torch.no_grad():
        w -= 0.01 * gradients[0]
        b -= 0.01 * gradients[1]
""",
    "func.grad": """
theta = torch.zeros(2)
for _ in range(25):
    theta = theta - 0.01 * torch.func.grad(lambda t: ((t[0] * x + t[1] - y) ** 2).mean())(theta)
""",
    "func.grad of two arguments": """
w, b = torch.zeros(1), torch.zeros(1)
gradient = torch.func.grad(lambda w, b: ((w * x + b - y) ** 2).mean(), argnums=(0, 1))
for _ in range(25):
    by_w, by_b = gradient(w, b)
    w, b = w - 0.01 * by_w, b - 0.01 * by_b
""",
    "jacobian": """
theta = torch.zeros(2)
for _ in range(25):
    theta = theta - 0.01 * torch.autograd.functional.jacobian(lambda t: ((t[0] * x + t[1] - y) ** 2).mean(), theta)
""",
}
# Trained until nothing is left to find, so that the line scaled back must be the least-squares line.
SCALED = {
    "x standardised": ("(x - x.mean()) / x.std()", "y"),
    "x standardised without Bessel": ("(x - x.mean()) / x.std(correction=0)", "y"),
    "x centred": ("x - x.mean()", "y"),
    "x and y centred": ("x - x.mean()", "y - y.mean()"),
    "x and y standardised": ("(x - x.mean()) / x.std()", "(y - y.mean()) / y.std()"),
    "x and y to [0, 1]": ("(x - x.min()) / (x.max() - x.min())", "(y - y.min()) / (y.max() - y.min())"),
    "x in percent": ("x * 100 - 50", "y"),
}
SCALED_LOOP = """
w, b = leaves()
scaled, wanted = {}, {}
optimizer = torch.optim.LBFGS([w, b], line_search_fn="strong_wolfe", tolerance_grad=1e-6)
def closure():
    optimizer.zero_grad()
    loss = F.mse_loss(w * scaled + b, wanted)
    loss.backward()
    return loss
for _ in range(5):
    optimizer.step(closure)
"""
WRONG = {
    "absolute error": (loop("(w * x + b - y).abs().mean()"), "gradient-differs"),
    "root of the mean": (loop("((w * x + b - y) ** 2).mean().sqrt()"), "gradient-differs"),
    "Huber": (loop("F.huber_loss(w * x + b, y)"), "gradient-differs"),
    "penalty added": (loop("(((w * x + b - y) ** 2).mean() + 0.1 * w**2)"), "gradient-differs"),
    "targets added": (loop("((w * x + b + y) ** 2).mean()"), "gradient-differs"),
    "bias inside the product": (loop("((w * (x + b) - y) ** 2).mean()"), "gradient-not-squared-error"),
    "absolute error in batches drawn with replacement": (
        batch_loop("mean", 10).replace("randperm(100)", "randint(50, (100,))").replace(" ** 2)", ".abs())"),
        "gradient-differs",
    ),
    "square of the mean": (loop("((w * x + b - y).mean() ** 2)"), "gradient-differs"),
    "broadcast to a square": (loop("((w * column + b - y) ** 2).mean()"), "gradient-differs"),
    "stale": (
        """
w, b = leaves()
for _ in range(25):
    loss = ((w * x + b - y) ** 2).mean()
    if w.grad is not None:
        step(w, b)
    loss.backward()
""",
        "gradient-differs",
    ),
    "never zeroed": (
        loop("((w * x + b - y) ** 2).mean()", step="w.data -= 0.01 * w.grad; b.data -= 0.01 * b.grad"),
        "gradient-kept",
    ),
    "only w zeroed": (
        loop("((w * x + b - y) ** 2).mean()", step="step(w); b.data -= 0.01 * b.grad"),
        "gradient-kept",
    ),
    "no bias": (loop("((w * x - y) ** 2).mean()", step="step(w)"), "gradient-reaches-count"),
}
# Nothing is said of these: they may be right.
UNSEEN = {
    "data that nobody kept": """
w, b = leaves()
for _ in range(25):
    fresh = torch.rand(100)
    ((w * fresh + b - 10 * fresh - 4) ** 2).mean().backward()
    step(w, b)
""",
}
