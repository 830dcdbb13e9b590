"""More submissions like those of `tests.held_out`: what tells of the mistake is behind a name, a helper or a value."""

from tests.held_out import (
    ASKED,
    DATA,
    DESCENT,
    HALF,
    LEAVES,
    MANUAL,
    OPTIMISED,
    PARABOLA,
    READINGS,
    SAMPLES,
    START,
    HeldOut,
)
from tests.held_out_apart import BY_SAMPLE, ONE, SGD, SQUARED

MOVE = "def move(ps):\n    for p in ps:\n        if p.grad is None:\n            continue\n        p.data -= 0.01 * p.grad\n        p.grad = None\n"

BEHIND: dict[str, HeldOut] = {
    "one step a call, without backward": HeldOut(
        "linear_regression",
        "backward-missing",
        LEAVES + SGD + f"def one_step(opt):\n    opt.zero_grad()\n    loss = {SQUARED}\n    opt.step()\n"
        "    return loss\nfor _ in range(900):\n    one_step(opt)\n",
    ),
    "a loss in the loop, an optimizer stepped elsewhere": HeldOut(
        "linear_regression",
        "backward-missing",
        LEAVES + SGD + "def advance():\n    opt.step()\n    opt.zero_grad()\n"
        f"for _ in range(900):\n    cost = {SQUARED}\n    advance()\n",
    ),
    "an update that waits for gradients for ever": HeldOut(
        "linear_regression",
        "backward-missing",
        LEAVES + "def advance(*ps):\n    for p in ps:\n        if p.grad is not None:\n"
        "            p.data -= 0.1 * p.grad\n            p.grad = None\n"
        f"for _ in range(900):\n    cost = {SQUARED}\n    advance(w, b)\n",
    ),
    "a loss class in a table of choices": HeldOut(
        "linear_regression",
        "loss-class-as-function",
        LEAVES
        + SGD
        + "choices = {'squared': torch.nn.MSELoss}\n"
        + OPTIMISED.replace(SQUARED, "choices['squared'](w * x + b, y)"),
    ),
    "a loss class handed to a function": HeldOut(
        "linear_regression",
        "loss-class-as-function",
        LEAVES + SGD + "def fit(measure, n):\n    for _ in range(n):\n        opt.zero_grad()\n"
        "        measure(w * x + b, y).backward()\n        opt.step()\nfit(torch.nn.MSELoss, 900)\n",
    ),
    "no_grad kept under a name": HeldOut(
        "linear_regression",
        "no-grad-not-entered",
        LEAVES + "silent = torch.no_grad\n" + DESCENT.replace("torch.no_grad()", "silent"),
    ),
    "no_grad that a lambda gives": HeldOut(
        "linear_regression",
        "no-grad-not-entered",
        LEAVES + "silent = lambda: torch.no_grad()\n" + DESCENT.replace("torch.no_grad()", "silent"),
    ),
    "a loss class that is made where it arrives": HeldOut(
        "linear_regression",
        "",
        LEAVES + SGD + "class Fit:\n    def __init__(self, measure=torch.nn.MSELoss, guard=torch.no_grad):\n"
        "        self.measure, self.guard = measure(), guard\n    def step(self):\n        opt.zero_grad()\n"
        "        self.measure(w * x + b, y).backward()\n        opt.step()\n        with self.guard():\n"
        "            return float(self.measure(w * x + b, y))\nfit = Fit()\n"
        "for _ in range(900):\n    last = fit.step()\n",
    ),
    "a gradient that setattr makes a number": HeldOut(
        "manual_gradient",
        "gradient-assigned",
        MANUAL.format(loss="for t in (w, b):\n    setattr(t, 'grad', 0)\n" + HALF, step="lr * (x0 - 2)"),
    ),
    "two gradients made numbers at once": HeldOut(
        "linear_regression",
        "gradient-assigned",
        LEAVES + DESCENT.replace("None, None", "0, 0"),
    ),
    "a return in a while that counts": HeldOut(
        "temperature",
        "update-outside-loop",
        READINGS + "    done = 0\n    while done < n_epochs:\n        params.grad = None\n"
        "        loss_fn(model(t_u, *params), t_c).backward()\n        params.data -= learning_rate * params.grad\n"
        "        done += 1\n        return params\n"
        f"params = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
    "a return after a step in a helper": HeldOut(
        "temperature",
        "update-outside-loop",
        READINGS
        + "    def one():\n        params.grad = None\n        loss_fn(model(t_u, *params), t_c).backward()\n"
        "        params.data -= learning_rate * params.grad\n    for _ in range(n_epochs):\n        one()\n"
        f"        return params\nparams = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
    "a while that is left when it is done": HeldOut(
        "temperature",
        "",
        READINGS
        + "    done = 0\n    while True:\n        while done < n_epochs:\n            params.grad = None\n"
        "            loss_fn(model(t_u, *params), t_c).backward()\n"
        "            params.data -= learning_rate * params.grad\n            done += 1\n        break\n"
        f"    return params\nparams = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
    "a helper that skips what has no gradient": HeldOut(
        "backprop_quadratic",
        "requires-grad-missing",
        SAMPLES.replace("for epoch", MOVE + "for epoch")
        .replace("w = ", "w, w2, b = ", 1)
        .replace(ONE, f"{ONE}, {ONE}, torch.ones(1)")
        .replace("return w * x", "return w * x ** 2 + w2 * x + b")
        + BY_SAMPLE
        + "        loss(x, y).backward()\n        move([w, w2, b])\n",
    ),
    "a list for the optimizer with one that has no gradient": HeldOut(
        "linear_regression",
        "requires-grad-missing",
        DATA + "w, b = torch.zeros(1, requires_grad=True), torch.zeros(1)\nmine = [w, b]\n"
        "opt = torch.optim.SGD(mine, lr=0.1)" + OPTIMISED,
    ),
    "a scale that is handed over beside the parameters": HeldOut(
        "linear_regression",
        "",
        LEAVES
        + "rate = torch.tensor(0.1)\ndef move(ps, rate):\n    for p in ps:\n        p.data -= rate * p.grad\n"
        f"        p.grad = None\nfor _ in range(900):\n    {SQUARED}.backward()\n    move([w, b], rate)\n",
    ),
    "uphill by torch.add": HeldOut(
        "linear_regression",
        "gradient-ascent",
        LEAVES + "def stepped(p):\n    return torch.add(p.data, p.grad, alpha=0.1)\n"
        f"for _ in range(900):\n    {SQUARED}.backward()\n    for p in (w, b):\n        p.data = stepped(p)\n"
        "        p.grad = None\n",
    ),
    "uphill by a sum that a helper makes": HeldOut(
        "linear_regression",
        "gradient-ascent",
        LEAVES + "def stepped(p, slope):\n    return p + 0.1 * slope\n"
        f"for _ in range(900):\n    slopes = torch.autograd.grad({SQUARED}, [w, b])\n"
        "    for p, slope in zip([w, b], slopes):\n        p.data = stepped(p.data, slope)\n",
    ),
    "uphill by a rate below zero": HeldOut(
        "linear_regression",
        "gradient-ascent",
        LEAVES + "lr = -0.1\n" + DESCENT.replace("0.1", "lr"),
    ),
    "a score below zero that climbs": HeldOut(
        "linear_regression",
        "",
        LEAVES + "def score():\n    return torch.neg" + f"({SQUARED})\n"
        "for _ in range(900):\n    score().backward()\n    with torch.no_grad():\n"
        "        torch._foreach_add_([w, b], [w.grad, b.grad], alpha=0.1)\n    w.grad, b.grad = None, None\n",
    ),
    "a derivative that is put into grad": HeldOut(
        "minimise_parabola",
        "hand-gradient-instead",
        PARABOLA + "    opt = torch.optim.SGD([x], lr=lr)\n    for _ in range(steps):\n        value = f(x)\n"
        "        setattr(x, 'grad', 2 * (x.detach() + 1))\n        opt.step()\n        values.append(x.item())\n"
        "    return values\n",
    ),
    "gradients cleared by zeros, and never asked for": HeldOut(
        "linear_regression",
        "backward-missing",
        LEAVES
        + SGD
        + OPTIMISED.replace("opt.zero_grad()", "w.grad, b.grad = torch.zeros(1), torch.zeros(1)").replace(
            "    loss.backward()\n", ""
        ),
    ),
    "a function by hand that is made of autograd": HeldOut(
        "minimise_parabola",
        "autograd-instead-of-hand",
        PARABOLA.replace("def descend_by_hand", "def walk")
        .replace("x0, lr, steps):", "x0, lr, steps, slope):", 1)
        .replace("(2 * x0 + 2)", "slope(x0)")
        + "    for _ in range(steps):\n        f(x).backward()\n        x.data -= lr * x.grad\n        x.grad = None\n"
        "        values.append(x.item())\n    return values\n"
        "slope = lambda at: float(torch.func.grad(f)(torch.tensor(float(at))))\n"
        "descend_by_hand = lambda start, rate, n: walk(start, rate, n, slope)\n",
    ),
    "the gradient at the answer, looked at before": HeldOut(
        "temperature",
        "",
        READINGS + ASKED + "there = torch.tensor([5.3671, -17.3012], requires_grad=True)\n"
        "loss_fn(model(t_un, *there), t_c).backward()\nprint(there.grad)\n"
        f"params = training_loop(5000, 1e-2, {START}, t_un, t_c)\n",
    ),
}
