"""The steps of `tests.spellings.rebound` that stand in lists, dicts, functions, classes, modules."""

from tests.spellings.frames import FUNCTION

IN_A_LIST = {
    "gradients in a list": """
        grads = [p.grad for p in params]
        params = [p - learning_rate * g for p, g in zip(params, grads)]
""",
    "gradients asked for": """
        l.backward() => grads = torch.autograd.grad(l, params)
        ---
        with torch.no_grad():
            params = [p - learning_rate * g for p, g in zip(params, grads)]
""",
    "side by side": """
        l.backward() => grads = torch.autograd.grad(l, params)
        ---
        for p, g in zip(params, grads):
            p = p - learning_rate * g
""",
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
