"""Right submissions that look like the mistakes: they may not be accused, and earn full marks."""

from tests.spellings.frames import (
    FUNCTION,
    LINE,
    LIST,
    MANUAL,
    MODULE,
    OPTIMIZER,
    PARABOLA,
    QUADRATIC,
    SAMPLE,
    TEMPERATURE,
    THETA,
)
from tests.spellings.records import Spelling, fill

ON_A_LINE = {
    "fresh leaves": """
        w = torch.tensor(w.item() - lr * w.grad.item(), requires_grad=True)
        b = torch.tensor(b.item() - lr * b.grad.item(), requires_grad=True)
""",
    "detached and required again": """
        w = (w - lr * w.grad).detach().requires_grad_()
        b = (b - lr * b.grad).detach().requires_grad_()
""",
    "detached, flag set": """
        w = w.detach() - lr * w.grad
        b = b.detach() - lr * b.grad
        w.requires_grad = True
        b.requires_grad = True
""",
    "in no_grad, required again": """
        with torch.no_grad():
            w = w - lr * w.grad
            b = b - lr * b.grad
        w.requires_grad_()
        b.requires_grad_()
""",
    "wrapped again": """
        import torch\\n => import torch\\nfrom torch.autograd import Variable\\n
        ---
        w = Variable(w.data - lr * w.grad.data, requires_grad=True)
        b = Variable(b.data - lr * b.grad.data, requires_grad=True)
""",
    "wrapped again, flag by position": """
        import torch\\n => import torch\\nfrom torch.autograd import Variable\\n
        ---
        w = Variable(w.data - lr * w.grad.data, True)
        b = Variable(b.data - lr * b.grad.data, True)
""",
    "parameters made anew": """
        w = torch.nn.Parameter(w.data - lr * w.grad)
        b = torch.nn.Parameter(b.data - lr * b.grad)
""",
    "cloned leaves": """
        w_old, b_old = w, b
        w = w_old.clone().detach() - lr * w_old.grad
        b = b_old.clone().detach() - lr * b_old.grad
        w.requires_grad_(True); b.requires_grad_(True)
""",
    "made in a loop": """
        w, b = [(p.data - lr * p.grad).requires_grad_() for p in (w, b)]
""",
    "grad asked for": """
        loss.backward() => gw, gb = torch.autograd.grad(loss, [w, b])
        ---
        w = (w - lr * gw).detach().requires_grad_()
        b = (b - lr * gb).detach().requires_grad_()
""",
    "grad asked for, in place": """
        loss.backward() => grads = torch.autograd.grad(loss, [w, b])
        ---
        with torch.no_grad():
            for p, g in zip((w, b), grads):
                p -= lr * g
""",
    "grad asked for, not detached": """
        loss.backward() => gw, gb = torch.autograd.grad(loss, [w, b])
        epoch in range(3001) => epoch in range(301)
        lr = 1e-2 => lr = 0.3
        ---
        w = w - lr * gw
        b = b - lr * gb
""",
    "assigned zeros": """
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
            w.grad = torch.zeros_like(w)
            b.grad = torch.zeros_like(b)
""",
    "filled": """
        w.data -= lr * w.grad
        b.data -= lr * b.grad
        w.grad.fill_(0)
        b.grad.data.fill_(0.0)
""",
    "sliced": """
        w.data[:] = w.data - lr * w.grad
        b.data[:] = b.data - lr * b.grad
        w.grad[:] = 0
        b.grad[...] = 0
""",
    "times nought in place": """
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
            w.grad *= 0
            b.grad.mul_(0)
""",
    "minus itself": """
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
            w.grad -= w.grad.clone()
            b.grad.sub_(b.grad.clone())
""",
    "named gradients cleared": """
        gw, gb = w.grad, b.grad
        w.data -= lr * gw
        b.data -= lr * gb
        gw.zero_()
        gb.zero_()
""",
    "cleared before backward": """
        loss.backward() => for p in (w, b):\\n        if p.grad is not None:\\n            p.grad.detach_().zero_()\\n    loss.backward()
        ---
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
""",
    "deleted": """
        w.data -= lr * w.grad
        b.data -= lr * b.grad
        del w.grad
        del b.grad
""",
    "by a helper": """
        lr = 1e-2 => lr = 1e-2\\ndef clear(*tensors):\\n    for t in tensors:\\n        t.grad = None
        ---
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        clear(w, b)
""",
    "by setattr": """
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        for p in (w, b):
            setattr(p, 'grad', None)
""",
    "renamed for printing": """
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
            w_old = w - lr * w.grad
        w.grad.zero_(), b.grad.zero_()
""",
}
LISTED = {
    "list made of gradients asked for": """
        l.backward() => grads = torch.autograd.grad(l, params)
        range(1500) => range(300)
        learning_rate = 0.05 => learning_rate = 0.3
        ---
        params = [p - learning_rate * g for p, g in zip(params, grads)]
""",
    "list made anew": "params = [(p - learning_rate * p.grad).detach().requires_grad_(True) for p in params]",
    "list, set by index": """
        for i in range(2):
            params[i] = (params[i].data - learning_rate * params[i].grad).requires_grad_()
""",
    "list, loop": """
        with torch.no_grad():
            for p in params:
                p -= learning_rate * p.grad
                p.grad = None
""",
}
WITH_OPTIMIZER = {
    "set to none": "optimizer.step()\noptimizer.zero_grad(set_to_none=True)",
    "zeros kept": "optimizer.step()\noptimizer.zero_grad(set_to_none=False)",
    "by its groups": """
        optimizer.step()
        for group in optimizer.param_groups:
            for p in group['params']:
                p.grad.zero_()
""",
    "helper": """
        optimizer = => def finish(opt):\\n    opt.step()\\n    opt.zero_grad()\\n\\noptimizer =
        ---
        finish(optimizer)
""",
    "two parts": """
        loss = F.mse_loss(w * x + b, y) => parts = [(x[:50], y[:50]), (x[50:], y[50:])]
        loss.backward() => for xs, ys in parts:\\n        loss = F.mse_loss(w * xs + b, ys) / len(parts)\\n        loss.backward()
        ---
        optimizer.step()
        optimizer.zero_grad()
""",
}
FUNCTIONAL = """
import torch
from torch.func import grad

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)

def loss_fn(params, x, y):
    w, b = params
    return ((w * x + b - y) ** 2).mean()

params = (torch.zeros(()), torch.zeros(()))
for step in range(2000):
    gw, gb = grad(loss_fn)(params, x, y)
    params = (params[0] - 0.05 * gw, params[1] - 0.05 * gb)
w, b = params
"""
TUPLE = FUNCTIONAL.replace("gw, gb = grad", "g = grad").replace(
    "(params[0] - 0.05 * gw, params[1] - 0.05 * gb)", "tuple(p - 0.05 * d for p, d in zip(params, g))"
)
BATCHES = """
import torch
from torch.utils.data import DataLoader, TensorDataset

x = torch.linspace(0, 1, 128)
y = 10 * x + 4 + torch.randn(128)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.1)
loader = DataLoader(TensorDataset(x, y), batch_size=16)
for epoch in range(1500):
    opt.zero_grad()
    for xs, ys in loader:  # 累积梯度
        loss = ((w * xs + b - ys) ** 2).mean() / len(loader)
        loss.backward()
    opt.step()
"""
X = {
    "x made anew": "x = torch.tensor(x.item() - lr * x.grad.item(), requires_grad=True)",
    "x detached": "x = (x - lr * x.grad).detach().requires_grad_(True)",
    "x in no_grad": "with torch.no_grad():\n    x = x - lr * x.grad\nx.requires_grad_()",
}


def spellings() -> list[Spelling]:
    """All of them."""
    sample = {
        "sample": "w = (w.data - 0.01 * w.grad.data).clone().requires_grad_(True)",
        "sample, cleared at the top": "l.backward() => w.grad = None\\n        l.backward()\n---\nw.data -= 0.01 * w.grad",
    }
    three = "with torch.no_grad():\n    for p in (w, w2, b):\n        p.sub_(0.01 * p.grad)\n        p.grad.zero_()"
    params = {
        "params": "params = (params - learning_rate * params.grad).detach().requires_grad_()",
        "params, cleared at the top": """
            t_p = model => if params.grad is not None:\\n            params.grad.zero_()\\n        t_p = model
            ---
            params = params.data - learning_rate * params.grad
            params.requires_grad = True
""",
    }
    module = {
        "module": "optimizer.step()\nmodel.zero_grad()",
        "module, by hand": "with torch.no_grad():\n    for p in model.parameters():\n        p -= 0.1 * p.grad\nmodel.zero_grad()",
        "module, parameters made anew": """
            with torch.no_grad():
                for p in model.parameters():
                    p.copy_(p - 0.1 * p.grad)
                    p.grad = None
""",
    }
    theta = "theta = (theta - alpha * theta.grad).detach()\ntheta.requires_grad = True"
    tables = [
        (LINE, ON_A_LINE), (LIST, LISTED), (OPTIMIZER, WITH_OPTIMIZER), (SAMPLE, sample), (QUADRATIC, {"three": three}),
        (TEMPERATURE, params), (MODULE, module), (THETA, {"theta": theta}), (PARABOLA, X), (MANUAL, X),
        (FUNCTION, {"function": "w = (w - lr * w.grad).detach().requires_grad_()\nb = (b - lr * b.grad).detach().requires_grad_()"}),
    ]  # fmt: skip
    found = [one for frame, table in tables for one in fill(frame, (), table)]
    return [
        *found,
        Spelling("functional", "linear_regression", (), (), FUNCTIONAL),
        Spelling("tuple", "linear_regression", (), (), TUPLE),
        Spelling("batches", "linear_regression", (), (), BATCHES),
    ]
