"""The leaf is rebound: `w = w - …` in every spelling."""

from tests.spellings.frames import (
    FUNCTION,
    LINE,
    LIST,
    MANUAL,
    MODULE,
    NAMED,
    PARABOLA,
    QUADRATIC,
    SAMPLE,
    TEMPERATURE,
    THETA,
    Spelling,
    fill,
)

REBOUND = ("leaf-rebound",)

ON_A_LINE = {
    "plain": """
        w = w - lr * w.grad
        b = b - lr * b.grad
    """,
    "plain, then cleared": """
        w = w - lr * w.grad
        b = b - lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
    """,
    "in no_grad": """
        with torch.no_grad():
            w = w - lr * w.grad
            b = b - lr * b.grad
    """,
    "in no_grad, then None": """
        with torch.no_grad():
            w = w - lr * w.grad
            b = b - lr * b.grad
        w.grad = None
        b.grad = None
    """,
    "in no_grad, cleared if there": """
        with torch.no_grad():
            w = w - lr * w.grad
            b = b - lr * b.grad
        if w.grad is not None:
            w.grad.zero_()
            b.grad.zero_()
    """,
    "tuple": "w, b = w - lr * w.grad, b - lr * b.grad",
    "data without grad": """
        w = w.data - lr * w.grad.data
        b = b.data - lr * b.grad.data
    """,
    "torch.sub": """
        w = torch.sub(w, lr * w.grad)
        b = torch.sub(b, lr * b.grad)
    """,
    "plus minus": """
        w = w + (-lr) * w.grad
        b = b + (-lr) * b.grad
    """,
    "minus first": """
        w = -lr * w.grad + w
        b = -lr * b.grad + b
    """,
    "method sub": """
        w = w.sub(lr * w.grad)
        b = b.sub(lr * b.grad)
    """,
    "method add": """
        w = w.add(-lr * w.grad)
        b = b.add(b.grad, alpha=-lr)
    """,
    "torch.add in no_grad": """
        with torch.no_grad():
            w = torch.add(w, w.grad, alpha=-lr)
            b = torch.add(b, b.grad, alpha=-lr)
    """,
    "gradients named": """
        dw, db = w.grad, b.grad
        w = w - lr * dw
        b = b - lr * db
    """,
    "steps named": """
        step_w = lr * w.grad
        step_b = lr * b.grad
        w = w - step_w
        b = b - step_b
    """,
    "new values named": """
        w_new = w - lr * w.grad
        b_new = b - lr * b.grad
        w = w_new
        b = b_new
    """,
    "detached": """
        w = (w - lr * w.grad).detach()
        b = (b - lr * b.grad).detach()
    """,
    "detached before": """
        w = w.detach() - lr * w.grad
        b = b.detach() - lr * b.grad
    """,
    "if there": """
        if w.grad is not None:
            w = w - lr * w.grad
        if b.grad is not None:
            b = b - lr * b.grad
        w.grad = None
        b.grad = None
    """,
    "only b": """
        w.data -= lr * w.grad
        b = b - lr * b.grad
        w.grad.zero_()
    """,
    "numbers": """
        w = w.item() - lr * w.grad.item()
        b = b.item() - lr * b.grad.item()
    """,
    "new tensors": """
        w = torch.tensor(w.item() - lr * w.grad.item())
        b = torch.tensor(b.item() - lr * b.grad.item())
    """,
    "new tensors of data": """
        w = torch.tensor(w.data - lr * w.grad.data)
        b = torch.tensor(b.data - lr * b.grad.data)
    """,
    "required again, not detached": """
        w = w - lr * w.grad
        b = b - lr * b.grad
        w.requires_grad_(True)
        b.requires_grad_(True)
    """,
    "required again as a flag": """
        w = w - lr * w.grad
        b = b - lr * b.grad
        w.requires_grad = True
        b.requires_grad = True
    """,
    "numpy": """
        w = w.detach().numpy() - lr * w.grad.numpy()
        b = b.detach().numpy() - lr * b.grad.numpy()
    """,
    "momentum": """
        epoch in range => step in range
        lr = 1e-2 => lr = 1e-2; vw = vb = 0
        ---
        vw = 0.5 * vw + w.grad
        vb = 0.5 * vb + b.grad
        w = w - lr * vw
        b = b - lr * vb
        w.grad, b.grad = None, None
    """,
    "grad in no_grad": """
        loss.backward() => w_grad, b_grad = torch.autograd.grad(loss, (w, b))
        ---
        with torch.no_grad():
            w = w - lr * w_grad
            b = b - lr * b_grad
    """,
    "local function": """
        lr = 1e-2 => lr = 1e-2\\ndef update(p, lr):\\n    return p - lr * p.grad
        ---
        w = update(w, lr)
        b = update(b, lr)
    """,
    "function of both": """
        lr = 1e-2 => lr = 1e-2\\ndef sgd(w, b):\\n    w = w - lr * w.grad\\n    b = b - lr * b.grad\\n    return w, b
        ---
        w, b = sgd(w, b)
    """,
    "function that returns nothing": """
        lr = 1e-2 => lr = 1e-2\\ndef sgd(w, b):\\n    w = w - lr * w.grad\\n    b = b - lr * b.grad
        ---
        sgd(w, b)
        w.grad.zero_()
        b.grad.zero_()
    """,
    "function that loops": """
        lr = 1e-2 => lr = 1e-2\\ndef sgd(params, lr):\\n    for param in params:\\n        param = param - lr * param.grad
        ---
        sgd([w, b], lr)
        w.grad.zero_()
        b.grad.zero_()
    """,
    "global": """
        lr = 1e-2 => lr = 1e-2\\ndef step():\\n    global w, b\\n    w = w - lr * w.grad\\n    b = b - lr * b.grad
        ---
        step()
    """,
    "no global": """
        lr = 1e-2 => lr = 1e-2\\ndef step():\\n    w -= lr * w.grad\\n    b -= lr * b.grad
        ---
        with torch.no_grad():
            step()
        w.grad.zero_()
        b.grad.zero_()
    """,
    "for p in": """
        for p in [w, b]:
            p = p - lr * p.grad
        w.grad.zero_()
        b.grad.zero_()
    """,
    "for p in, no_grad": """
        with torch.no_grad():
            for p in (w, b):
                p = p - lr * p.grad
        for p in (w, b):
            p.grad.zero_()
    """,
}

IN_A_LIST = {
    "for p in params": """
        for p in params:
            p = p - learning_rate * p.grad
        for p in params:
            p.grad.zero_()
    """,
    "comprehension": "params = [p - learning_rate * p.grad for p in params]",
    "comprehension in no_grad": """
        with torch.no_grad():
            params = [p - learning_rate * p.grad for p in params]
    """,
    "comprehension of data": "params = [p.data - learning_rate * p.grad.data for p in params]",
    "by index": """
        params[0] = params[0] - learning_rate * params[0].grad
        params[1] = params[1] - learning_rate * params[1].grad
    """,
    "enumerated": """
        for i, p in enumerate(params):
            params[i] = p - learning_rate * p.grad
    """,
    "counted": """
        with torch.no_grad():
            for i in range(len(params)):
                params[i] = params[i] - learning_rate * params[i].grad
    """,
}

IN_A_DICT = {
    "dict": """
        params['w'] = params['w'] - learning_rate * params['w'].grad
        params['b'] = params['b'] - learning_rate * params['b'].grad
    """,
    "dict loop": """
        for k in params:
            params[k] = params[k] - learning_rate * params[k].grad
    """,
    "dict items": """
        with torch.no_grad():
            for name, p in params.items():
                params[name] = p - learning_rate * p.grad
    """,
    "dict comprehension": "params = {k: p - learning_rate * p.grad for k, p in params.items()}",
}

AS_THETA = {
    "theta": "theta = theta - alpha * theta.grad",
    "theta in no_grad": """
        with torch.no_grad():
            theta = theta - alpha * theta.grad
        theta.grad = None
    """,
    "theta of data": "theta = theta.data - alpha * theta.grad",
}

IN_A_FUNCTION = {
    "local names": """
        w = w - lr * w.grad
        b = b - lr * b.grad
    """,
    "local names in no_grad": """
        with torch.no_grad():
            w = w - lr * w.grad
            b = b - lr * b.grad
            w.grad.zero_()
            b.grad.zero_()
    """,
    "closure": """
        epoch in range => _ in range
        for _ => def update():\\n        nonlocal w, b\\n        w = w - lr * w.grad\\n        b = b - lr * b.grad\\n    for _
        ---
        update()
    """,
}

PER_SAMPLE = {
    "sample": "w = w - 0.01 * w.grad",
    "sample, data": """
        print('\\tgrad:', x, y, w.grad.item())
        w = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
    """,
    "sample, no_grad": """
        with torch.no_grad():
            w = w - 0.01 * w.grad  # 更新权重
        w.grad.zero_()  # 梯度清零
    """,
}

OF_THREE = {
    "three": """
        w = w - 0.01 * w.grad
        w2 = w2 - 0.01 * w2.grad
        b = b - 0.01 * b.grad
    """,
    "three at once": """
        with torch.no_grad():
            w, w2, b = [p - 0.01 * p.grad for p in (w, w2, b)]
    """,
    "one of three": """
        w.data = w.data - 0.01 * w.grad.data
        w2.data = w2.data - 0.01 * w2.grad.data
        b = b.data - 0.01 * b.grad.data
        w.grad.data.zero_()
        w2.grad.data.zero_()
    """,
}

ON_X = {
    "x": "x = x - lr * x.grad",
    "x in no_grad": """
        with torch.no_grad():
            x = x - lr * x.grad
    """,
    "x of data": """
        x = x.data - lr * x.grad.data
    """,
    "x with its gradient named": """
        g = x.grad
        x = x - lr * g
    """,
}

ON_PARAMS = {
    "params": "params = params - learning_rate * params.grad",
    "params detached": "params = (params - learning_rate * params.grad).detach()",
    "params in no_grad": """
        with torch.no_grad():
            params = params - learning_rate * params.grad
        if params.grad is not None:
            params.grad.zero_()
    """,
}

IN_A_MODULE = {
    "parameters of a module": """
        with torch.no_grad():
            for p in model.parameters():
                p = p - 0.1 * p.grad
        model.zero_grad()
    """,
    "weight of a module": """
        with torch.no_grad():
            model.linear.weight = model.linear.weight - 0.1 * model.linear.weight.grad
            model.linear.bias = model.linear.bias - 0.1 * model.linear.bias.grad
        model.zero_grad()
    """,
}

CLASS = FUNCTION.replace("def train", "class Line:\n    def __init__(self):\n        self.w = torch.zeros(1, requires_grad=True)\n        self.b = torch.zeros(1, requires_grad=True)\n\n    def fit").replace("(x, y, epochs", "(self, x, y, epochs").replace("\n    w = torch.zeros(1, requires_grad=True)\n    b = torch.zeros(1, requires_grad=True)", "").replace("\n    for", "\n        for").replace("\n        y_hat = w * x + b", "\n            y_hat = self.w * x + self.b").replace("\n        loss", "\n            loss").replace("\n        ...\n    return w, b", "\n            ...").replace("w, b = train(x, y)", "line = Line()\nline.fit(x, y)\nw, b = line.w, line.b")  # fmt: skip

IN_A_CLASS = {
    "self": """
        self.w = self.w - lr * self.w.grad
        self.b = self.b - lr * self.b.grad
    """,
    "self in no_grad": """
        with torch.no_grad():
            self.w = self.w - lr * self.w.grad
            self.b = self.b - lr * self.b.grad
        self.w.grad = None
        self.b.grad = None
    """,
}


def spellings() -> list[Spelling]:
    """All of them. Where a name is given away, its gradient is no longer cleared either."""
    unzeroed = ("gradients-not-zeroed", "some-gradients-not-zeroed")
    tables = [
        (LINE, ON_A_LINE), (LIST, IN_A_LIST), (NAMED, IN_A_DICT), (THETA, AS_THETA), (FUNCTION, IN_A_FUNCTION),
        (CLASS, IN_A_CLASS), (SAMPLE, PER_SAMPLE), (QUADRATIC, OF_THREE), (PARABOLA, ON_X),
        (TEMPERATURE, ON_PARAMS), (MODULE, IN_A_MODULE),
    ]  # fmt: skip
    found = [one for frame, table in tables for one in fill(frame, REBOUND, table, unzeroed)]
    return [*found, *fill(MANUAL, REBOUND, {f"walk, {name}": text for name, text in ON_X.items()}, unzeroed)]
