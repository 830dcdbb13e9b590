"""`zero_` is forgotten, or does not do what it is there for, in every spelling."""

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

NONE, SOME = ("gradients-not-zeroed",), ("some-gradients-not-zeroed",)

STEP = """
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
"""
ON_A_LINE = {
    "never": STEP,
    "never, data": "w.data -= lr * w.grad\nb.data -= lr * b.grad",
    "never, data assigned": "w.data = w.data - lr * w.grad.data\nb.data = b.data - lr * b.grad.data",
    "never, sub_": "w.data.sub_(lr * w.grad.data)\nb.data.sub_(lr * b.grad.data)",
    "never, add_ in no_grad": "with torch.no_grad():\n    w.add_(w.grad, alpha=-lr)\n    b.add_(b.grad, alpha=-lr)",
    "never, copy_": "with torch.no_grad():\n    w.copy_(w - lr * w.grad)\n    b.copy_(b - lr * b.grad)",
    "never, loop": "with torch.no_grad():\n    for p in [w, b]:\n        p -= lr * p.grad",
    "never, loop of data": "for p in (w, b):\n    p.data = p.data - lr * p.grad.data",
    "never, stops early": STEP + "    if loss.item() < 0.9:\n        print(epoch)\n        break\n",
    "copy cleared": STEP + "    w.grad.clone().zero_()\n    b.grad.clone().zero_()\n",
    "copy of data cleared": STEP + "    w.grad.data.clone().zero_()\n    b.grad.data.clone().zero_()\n",
    "named copy cleared": STEP
    + "    gw = w.grad.detach().clone()\n    gb = b.grad.detach().clone()\n    gw.zero_()\n    gb.zero_()\n",
    "times nought": STEP + "    w.grad * 0\n    b.grad * 0\n",
    "method times nought": STEP + "    w.grad.mul(0)\n    b.grad.mul(0)\n",
    "compared": STEP + "    w.grad == 0\n    b.grad == 0\n",
    "compared with None": STEP + "    w.grad == None\n    b.grad == None\n",
    "names set to nought": "gw, gb = w.grad, b.grad\nwith torch.no_grad():\n    w -= lr * gw\n    b -= lr * gb\ngw, gb = 0, 0",
    "names set to None": "gw = w.grad\ngb = b.grad\nw.data -= lr * gw\nb.data -= lr * gb\ngw = None\ngb = None",
    "zeros made for nobody": STEP + "    torch.zeros_like(w.grad)\n    torch.zeros_like(b.grad)\n",
    "zeros for names": STEP + "    w_grad = torch.zeros_like(w)\n    b_grad = torch.zeros_like(b)\n",
    "in the first step": STEP + "    if epoch == 0:\n        w.grad.zero_()\n        b.grad.zero_()\n",
    "when printing": STEP
    + "    if epoch % 500 == 0:\n        print(loss.item())\n        w.grad.zero_()\n        b.grad.zero_()\n",
    "after continue": STEP + "    continue\n    w.grad.zero_()\n    b.grad.zero_()\n",
    "if None": STEP
    + "    if w.grad is None:\n        w.grad.zero_()\n    if b.grad is None:\n        b.grad.zero_()\n",
    "in a function not called": """
        lr = 1e-2 => lr = 1e-2\\ndef clear():\\n    w.grad.zero_()\\n    b.grad.zero_()
        ---
"""
    + STEP,
    "a function that steps": """
        lr = 1e-2 => lr = 1e-2\\ndef sgd(params, lr):\\n    with torch.no_grad():\\n        for p in params:\\n            p -= lr * p.grad
        ---
        sgd([w, b], lr)
""",
    "twice backward": """
        loss.backward() => loss.backward(retain_graph=True)
        ---
"""
    + STEP,
    "other tensors": STEP + "    w.data.grad = None\n    b.data.grad = None\n",
    "detached cleared by None": STEP + "    w.detach().grad = None\n    b.detach().grad = None\n",
}
SOME_ON_A_LINE = {
    "w alone": STEP + "    w.grad.zero_()\n",
    "b alone": STEP + "    b.grad.zero_()\n",
    "w alone, None": STEP + "    w.grad = None\n",
    "w twice": STEP + "    w.grad.zero_()\n    w.grad.zero_()\n",
    "b as a copy": STEP + "    w.grad.zero_()\n    b.grad.clone().zero_()\n",
    "b compared": STEP + "    w.grad = None\n    b.grad == None\n",
    "w before backward": """
        loss.backward() => if w.grad is not None: w.grad.zero_()\\n    loss.backward()
        ---
"""
    + STEP,
    "b if None": STEP + "    w.grad.zero_()\n    if b.grad is None:\n        b.grad.zero_()\n",
    "b in the first step": STEP + "    w.grad.zero_()\n    if epoch < 1:\n        b.grad.zero_()\n",
    "loop over one": STEP + "    for p in [w]:\n        p.grad.zero_()\n",
    "two optimizers": """
        lr = 1e-2 => lr = 1e-2\\nopt_w = torch.optim.SGD([w], lr=lr)\\nopt_b = torch.optim.SGD([b], lr=lr)
        ---
        opt_w.step()
        opt_b.step()
        opt_w.zero_grad()
""",
    "optimizer of one": """
        lr = 1e-2 => lr = 1e-2\\nopt = torch.optim.SGD([w], lr=lr)
        ---
        opt.step()
        b.data -= lr * b.grad
        opt.zero_grad()
""",
}
LISTED = {
    "list": "with torch.no_grad():\n    for p in params:\n        p -= learning_rate * p.grad",
    "list by index": "params[0].data -= learning_rate * params[0].grad\nparams[1].data -= learning_rate * params[1].grad",
    "list, copies cleared": """
        for p in params:
            p.data -= learning_rate * p.grad
            p.grad.clone().zero_()
""",
}
SOME_LISTED = {
    "first of a list": """
        for p in params:
            p.data -= learning_rate * p.grad
        params[0].grad.zero_()
""",
    "last of a list": """
        for p in params:
            p.data -= learning_rate * p.grad
        p.grad.zero_()
""",
}
WITH_OPTIMIZER = {
    "optimizer": "optimizer.step()",
    "optimizer, before the loop": "for i in => optimizer.zero_grad()\\nfor i in\n---\noptimizer.step()",
    "optimizer, first step": "if i == 0:\n    optimizer.zero_grad()\noptimizer.step()",
    "optimizer, another cleared": """
        optimizer = => other = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)\\noptimizer =
        ---
        optimizer.step()
        other.zero_grad()
""",
    "optimizer, momentum": "lr=0.05) => lr=0.02, momentum=0.5)\n---\noptimizer.step()",
    "by hand, not cleared": "with torch.no_grad():\n    w -= 0.05 * w.grad\n    b -= 0.05 * b.grad",
}
IN_A_FUNCTION = {
    "function": STEP,
    "function, cleared after": "return w => w.grad.zero_()\\n    b.grad.zero_()\\n    return w\n---\n" + STEP,
    "function, cleared before": """
        for epoch => if w.grad is not None:\\n        w.grad.zero_()\\n        b.grad.zero_()\\n    for epoch
        ---
"""
    + STEP,
}
SOME_IN_A_FUNCTION = {"function, w alone": STEP + "    w.grad.data.zero_()\n"}
PER_SAMPLE = {
    "sample, never": "w.data = w.data - 0.01 * w.grad.data",
    "sample, each epoch": """
        for x, y => if w.grad is not None:\\n        w.grad.zero_()\\n    for x, y
        ---
        with torch.no_grad():
            w -= 0.01 * w.grad
""",
    "sample, last of an epoch": """
        w.data -= 0.01 * w.grad
        if x == x_data[-1]:
            w.grad.zero_()
""",
    "sample, prints": "print('grad:', x, y, w.grad.item())\nw.data.sub_(0.01 * w.grad.data)  # 忘了清零",
}
OF_THREE = {
    "three": "w.data -= 0.01 * w.grad\nw2.data -= 0.01 * w2.grad\nb.data -= 0.01 * b.grad",
}
SOME_OF_THREE = {
    "w thrice": """
        with torch.no_grad():
            w -= 0.01 * w.grad
            w2 -= 0.01 * w2.grad
            b -= 0.01 * b.grad
        w.grad.zero_()
        w.grad.zero_()
        w.grad.zero_()
""",
    "not b": """
        for p in (w, w2, b):
            p.data = p.data - 0.01 * p.grad.data
        w.grad.data.zero_()
        w2.grad.data.zero_()
""",
}
ON_X = {
    "x": "x.data -= lr * x.grad",
    "x in no_grad": "with torch.no_grad():\n    x -= lr * x.grad",
    "x, data assigned": "x.data = x.data - lr * x.grad.data",
    "x, copy cleared": "x.data = x.data - lr * x.grad\nx.grad.data.clone().zero_()",
    "x, in the first step": "with torch.no_grad():\n    x.sub_(lr * x.grad)\nif not {xs}:\n    x.grad.zero_()",
}
ON_PARAMS = {
    "params": "with torch.no_grad():\n    params -= learning_rate * params.grad",
    "params, before the loop": """
        for epoch => if params.grad is not None:\\n        params.grad.zero_()\\n    for epoch
        ---
        with torch.no_grad():
            params -= learning_rate * params.grad
""",
    "params, optimizer": """
        for epoch => optimizer = torch.optim.SGD([params], lr=learning_rate)\\n    for epoch
        ---
        optimizer.step()
""",
}
IN_A_MODULE = {
    "module": "optimizer.step()",
    "module, before the loop": "for epoch => optimizer.zero_grad()\\nfor epoch\n---\noptimizer.step()",
    "module, by hand": "with torch.no_grad():\n    for p in model.parameters():\n        p -= 0.1 * p.grad",
    "module, by name": """
        model.linear.weight.data -= 0.1 * model.linear.weight.grad
        model.linear.bias.data -= 0.1 * model.linear.bias.grad
""",
}
SOME_IN_A_MODULE = {
    "module, weight alone": "optimizer.step()\nmodel.linear.weight.grad.zero_()",
}


WALKED = """        ---
        with torch.no_grad():
            x -= lr * x.grad
        x.grad.zero_()
"""
DOUBLED = {
    "backward twice": "def manual => loss = (0.5 * (X @ w + b - target) ** 2).sum()\\nloss.backward()\\n\\ndef manual\n"
    + WALKED,
    "a second loss": "def manual => loss2 = ((target - X @ w - b) ** 2 / 2).sum()\\nloss2.backward()\\n\\ndef manual\n"
    + WALKED,
}
SOME_DOUBLED = {
    "w cleared": "def manual => w.grad.zero_()\\nloss = ((X @ w + b - target) ** 2).sum() / 2\\nloss.backward()\\n\\ndef manual\n"
    + WALKED,
}


def spellings() -> list[Spelling]:
    """All of them, named with a prefix that tells them from the rebound ones."""
    x, walk = ({name: text.format(xs=xs) for name, text in ON_X.items()} for xs in ("xs", "path"))
    found = [
        *(one for frame, table in [
            (LINE, ON_A_LINE), (LIST, LISTED), (OPTIMIZER, WITH_OPTIMIZER), (FUNCTION, IN_A_FUNCTION),
            (SAMPLE, PER_SAMPLE), (QUADRATIC, OF_THREE), (PARABOLA, x), (TEMPERATURE, ON_PARAMS),
            (MODULE, IN_A_MODULE), (THETA, {"theta": "theta.data -= alpha * theta.grad"}),
            (MANUAL, DOUBLED), (MANUAL, {f"walk, {name}": text for name, text in walk.items()}),
        ] for one in fill(frame, NONE, table)),
        *(one for frame, table in [
            (LINE, SOME_ON_A_LINE), (LIST, SOME_LISTED), (FUNCTION, SOME_IN_A_FUNCTION),
            (QUADRATIC, SOME_OF_THREE), (MODULE, SOME_IN_A_MODULE), (MANUAL, SOME_DOUBLED),
        ] for one in fill(frame, SOME, table)),
    ]  # fmt: skip
    return found
