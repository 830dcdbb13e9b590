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
)
from tests.spellings.rebound_elsewhere import (
    AS_THETA,
    CLASS,
    IN_A_CLASS,
    IN_A_DICT,
    IN_A_FUNCTION,
    IN_A_LIST,
    IN_A_MODULE,
    OF_THREE,
    ON_PARAMS,
    ON_X,
    PER_SAMPLE,
)
from tests.spellings.records import Spelling, fill

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
    "lambda": """
        lr = 1e-2 => lr = 1e-2\\nstep = lambda p: p - lr * p.grad
        ---
        w = step(w)
        b = step(b)
    """,
    "map": "w, b = map(lambda p: p - lr * p.grad, [w, b])",
    "wrapped, not required": """
        import torch\\n => import torch\\nfrom torch.autograd import Variable\\n
        ---
        w = Variable(w.data - lr * w.grad.data)
        b = Variable(b.data - lr * b.grad.data)
    """,
    "list returned": """
        lr = 1e-2 => lr = 1e-2\\ndef sgd(params, lr):\\n    return [p - lr * p.grad for p in params]
        ---
        w, b = sgd([w, b], lr)
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
