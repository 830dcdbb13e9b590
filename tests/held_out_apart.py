"""More submissions like those of `tests.held_out`: what belongs together stands apart in them, in helpers, lists and conditions."""

from tests.held_out import (
    DATA,
    DESCENT,
    HALF,
    LEAVES,
    MANUAL,
    MODULE,
    OPTIMISED,
    PARABOLA,
    READINGS,
    SAMPLES,
    START,
    HeldOut,
)

SGD = "opt = torch.optim.SGD([w, b], lr=0.1)\n"
SQUARED = "((w * x + b - y) ** 2).mean()"
BY_SAMPLE = "    for x, y in zip(x_data, y_data):\n"
STEPPED = "        loss(x, y).backward()\n        w.data -= 0.01 * w.grad\n        w.grad = None\n"
ONE = "torch.tensor([1.0], requires_grad=True)"
PARABOLIC = SAMPLES.replace(f"w = {ONE}", f"w, w2, b = ({ONE} for _ in range(3))")
TRAINED = """
for _ in range(100):
    loss = torch.nn.functional.mse_loss(model(x_data), y_data)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

APART: dict[str, HeldOut] = {
    "cleared by the helper that asks for the gradients": HeldOut(
        "linear_regression",
        "zeroed-before-use",
        LEAVES + SGD + "def gradients(loss):\n    loss.backward()\n    opt.zero_grad()\n"
        f"for _ in range(600):\n    gradients({SQUARED})\n    opt.step()\n",
    ),
    "cleared by a helper, before the update in another": HeldOut(
        "linear_regression",
        "zeroed-before-use",
        LEAVES + "def empty():\n    for p in (w, b):\n        p.grad.zero_()\n"
        "def update():\n    for p in (w, b):\n        p.data -= 0.1 * p.grad\n"
        f"for _ in range(600):\n    loss = {SQUARED}\n    loss.backward()\n    empty()\n    update()\n",
    ),
    "a backward that is never come to": HeldOut(
        "linear_regression",
        "backward-missing",
        LEAVES + SGD + "training = False\n"
        + OPTIMISED.replace("    loss.backward()", "    if training:\n        loss.backward()"),
    ),
    "one loss for ever, asked by grad": HeldOut(
        "linear_regression",
        "graph-used-twice",
        LEAVES + f"loss = {SQUARED}\nfor _ in range(600):\n"
        "    grads = torch.autograd.grad(loss, [w, b], retain_graph=True)\n"
        "    for p, g in zip([w, b], grads):\n        p.data -= 0.01 * g\n",
    ),
    "a function that steps and is handed the gradients": HeldOut(
        "linear_regression",
        "leaf-rebound",
        LEAVES + "def moved(w, b, dw, db):\n    return w - 0.1 * dw, b - 0.1 * db\n"
        f"for _ in range(600):\n    loss = {SQUARED}\n    loss.backward()\n"
        "    w, b = moved(w, b, w.grad, b.grad)\n",
    ),
    "two names for a third one's tensor": HeldOut(
        "linear_regression",
        "parameters-share-storage",
        DATA + "start = torch.zeros(1)\nw = start.requires_grad_()\nb = start.requires_grad_()\n" + DESCENT,
    ),
    "weight decay in a group": HeldOut(
        "linear_regression",
        "penalty-added",
        LEAVES + "opt = torch.optim.SGD([{'params': [w], 'weight_decay': 0.05}, {'params': [b]}], lr=0.1)\n"
        + OPTIMISED.replace("600", "2000"),
    ),
    "scaled by a function": HeldOut(
        "linear_regression",
        "scaling-not-undone",
        LEAVES + SGD + "def norm(t):\n    return (t - t.mean()) / t.std()\nxs = norm(x)\n"
        + OPTIMISED.replace("w * x", "w * xs"),
    ),
    "an index that comes back to itself": HeldOut(
        "linear_regression",
        "single-sample-only",
        LEAVES + SGD + "i = 0\n"
        + OPTIMISED.replace("w * x + b - y", "w * x[i:i + 1] + b - y[i:i + 1]")
        + "    i = (i + len(x)) % len(x)\n",
    ),
    "numbers stepped in the tensors' stead": HeldOut(
        "linear_regression",
        "parameter-never-updated",
        LEAVES + "slope, offset = w.item(), b.item()\n"
        f"for _ in range(600):\n    loss = {SQUARED}\n    loss.backward()\n"
        "    slope -= 0.1 * w.grad.item()\n    offset -= 0.1 * b.grad.item()\n"
        "    w.grad, b.grad = None, None\n",
    ),
    "the square of a mean that a function returns": HeldOut(
        "linear_regression",
        "loss-not-squared-error",
        LEAVES + SGD + "def residual():\n    return (w * x + b - y).mean()\n"
        + OPTIMISED.replace(SQUARED, "torch.pow(residual(), 2)"),
    ),
    "another formula with the same parameter": HeldOut(
        "backprop_per_sample",
        "model-formula-wrong",
        SAMPLES.replace("return w * x", "return w * (x + 1) - 1") + BY_SAMPLE + STEPPED,
    ),
    "a square that is a double, under a name": HeldOut(
        "backprop_quadratic",
        "model-formula-wrong",
        PARABOLIC.replace("return w * x", "\n    sq = x * 2\n    return w * sq + w2 * x + b")
        + BY_SAMPLE
        + "        loss(x, y).backward()\n        for p in (w, w2, b):\n"
        "            p.data -= 0.01 * p.grad\n            p.grad = None\n",
    ),
    "the last of a list left out": HeldOut(
        "backprop_quadratic",
        "parameter-never-updated",
        PARABOLIC.replace("return w * x", "return w * x ** 2 + w2 * x + b").replace(
            "for epoch", "params = [w, w2, b]\nfor epoch"
        )
        + BY_SAMPLE
        + "        loss(x, y).backward()\n        for i in range(len(params) - 1):\n"
        "            params[i].data -= 0.01 * params[i].grad\n"
        "        for p in params:\n            p.grad = None\n",
    ),
    "begun anew in each epoch": HeldOut(
        "backprop_per_sample",
        "parameter-reinitialised",
        SAMPLES + f"    w = {ONE}\n" + BY_SAMPLE + STEPPED,
    ),
    "model and optimizer made by a function, in each epoch": HeldOut(
        "linear_module",
        "parameter-reinitialised",
        MODULE + "def build():\n    m = Net()\n    return m, torch.optim.SGD(m.parameters(), lr=0.1)\n"
        + TRAINED.replace("    loss =", "    model, optimizer = build()\n    loss ="),
    ),
    "the optimizer of a model of its own": HeldOut(
        "linear_module",
        "optimizer-stale-parameters",
        MODULE + "optimizer = torch.optim.SGD(Net().parameters(), lr=0.1)\nmodel = Net()\n" + TRAINED,
    ),
    "a derivative under a lambda": HeldOut(
        "minimise_parabola",
        "hand-gradient-wrong",
        PARABOLA.replace("    out = []", "    slope = lambda v: 2 * v + 1\n    out = []").replace(
            "(2 * x0 + 2)", "slope(x0)"
        )
        + "    for _ in range(steps):\n        f(x).backward()\n        x.data -= lr * x.grad\n"
        "        x.grad = None\n        values.append(x.item())\n    return values\n",
    ),
    "gradients asked for twice, by a function": HeldOut(
        "manual_gradient",
        "gradients-not-zeroed",
        MANUAL.format(
            loss="def half():\n    return " + HALF.partition(" = ")[2] + "\nhalf().backward()\nloss = half()",
            step="lr * (x0 - 2)",
        ),
    ),
    "a mean for a sum, of b alone": HeldOut(
        "manual_gradient",
        "hand-gradient-wrong",
        MANUAL.format(loss=HALF, step="lr * (x0 - 2)").replace("error.sum()", "error.mean()"),
    ),
    "a sum of squares as a product": HeldOut(
        "temperature",
        "loss-wrong-scale",
        READINGS.replace("return ((t_p - t_c) ** 2).mean()", "\n    d = t_p - t_c\n    return d.dot(d)")
        + "    for _ in range(n_epochs):\n        params.grad = None\n"
        "        loss_fn(model(t_u, *params), t_c).backward()\n"
        "        params.data -= learning_rate * params.grad\n    return params\n"
        f"params = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
    "returned as soon as there is a loss": HeldOut(
        "temperature",
        "update-outside-loop",
        READINGS + "    for epoch in range(1, n_epochs + 1):\n        params.grad = None\n"
        "        loss = loss_fn(model(t_u, *params), t_c)\n        loss.backward()\n"
        "        params.data -= learning_rate * params.grad\n"
        "        if loss.item() > 0:\n            return params\n"
        f"params = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
    "a rate that a dict hands on": HeldOut(
        "linear_regression",
        "learning-rate-too-large",
        LEAVES + "config = {'lr': 1.5}\nopt = torch.optim.SGD([w, b], **{'lr': config['lr']})\n" + OPTIMISED,
    ),
    "no bias, said by position": HeldOut(
        "linear_module",
        "model-formula-wrong",
        MODULE.replace("Linear(1, 1)", "Linear(1, 1, False)")
        + "model = Net()\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n" + TRAINED,
    ),
    "a step under a condition that never holds": HeldOut(
        "linear_module",
        "step-missing",
        MODULE + "model = Net()\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        + TRAINED.replace("for _", "for epoch").replace(
            "    optimizer.step()", "    if epoch > 100:\n        optimizer.step()"
        ),
    ),
    "parameters that the model freezes": HeldOut(
        "linear_module",
        "requires-grad-missing",
        MODULE.replace(
            "    def forward", "        for p in self.parameters():\n            p.requires_grad = False\n    def forward"
        )
        + "model = Net()\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n" + TRAINED,
    ),
    "a range of one sample": HeldOut(
        "backprop_per_sample",
        "single-sample-only",
        SAMPLES + "    for i in range(1):\n        x, y = x_data[i], y_data[i]\n" + STEPPED,
    ),
}  # fmt: skip
