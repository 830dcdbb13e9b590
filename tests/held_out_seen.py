"""More submissions like those of `tests.held_out`: the source hides what was done, in names, copies and options; the run shows it."""

from tests.held_out import ASKED, DATA, LEAVES, MODULE, OPTIMISED, READINGS, SAMPLES, START, HeldOut
from tests.held_out_apart import BY_SAMPLE, ONE, PARABOLIC, TRAINED
from tests.held_out_apart import STEPPED as STEPPED_BY_HAND

QUADRATIC = PARABOLIC.replace("return w * x", "return w * x ** 2 + w2 * x + b")
COOLED = f"params = training_loop(5000, 1e-2, {START}, t_un, t_c)\n"
HOLDS = "opt = torch.optim.SGD([w, w2, b], lr=0.01)\n"
DECAYING = (
    MODULE + "model = Net()\nhow = dict(weight_decay={decay}, lr=0.1)\n"
    "optimizer = torch.optim.SGD(model.parameters(), **how)\n" + TRAINED.replace("100", "400")
)
# Full marks, by what the task lets pass: the weight decay, and what is told of it all the same.
DECAYS = {
    "a penalty that the result shows": ("0.2", ["penalty-added"]),
    "a decay that does nothing to it": ("0.001", []),
}
STEPPED = "        opt.zero_grad()\n        loss(x, y).backward()\n        opt.step()\n"

SEEN: dict[str, HeldOut] = {
    "a copy of each result, which the optimizer does not hold": HeldOut(
        "backprop_quadratic",
        "graph-detached",
        PARABOLIC.replace(
            "return w * x",
            "\n    parts = torch.tensor([b, w2 * x, w * x * x], requires_grad=True)\n    return torch.sum(parts)",
        ).replace("for epoch", HOLDS + "for epoch")
        + BY_SAMPLE
        + STEPPED,
    ),
    "one tensor twice in a tuple, moved by a helper": HeldOut(
        "linear_regression",
        "parameters-share-storage",
        DATA + "start = torch.zeros(1, requires_grad=True)\nslope, offset = both = (start,) * 2\n"
        "def move(leaves):\n    for p in leaves:\n        p.data -= 0.05 * p.grad\n"
        "    for p in leaves:\n        p.grad = None\n"
        "for _ in range(900):\n    ((slope * x + offset - y) ** 2).mean().backward()\n    move(both)\n"
        "w, b = slope, offset\n",
    ),
    "one tensor under all keys": HeldOut(
        "linear_regression",
        "parameters-share-storage",
        DATA + "theta = dict.fromkeys(('w', 'b'), torch.zeros(1, requires_grad=True))\n"
        "w, b = theta['w'], theta['b']\nopt = torch.optim.SGD(theta.values(), lr=0.1)\n" + OPTIMISED,
    ),
    "moved by a function, and then by the optimizer": HeldOut(
        "backprop_quadratic",
        "updated-twice",
        QUADRATIC.replace("for epoch", HOLDS + "def nudge():\n    with torch.no_grad():\n"
        "        for p in [b, w2, w]:\n            p.sub_(p.grad, alpha=0.01)\nfor epoch")
        + BY_SAMPLE + STEPPED.replace("        opt.step()", "        nudge()\n        opt.step()"),
    ),
    "a step of the helper, and one of the loop": HeldOut(
        "backprop_quadratic",
        "updated-twice",
        QUADRATIC.replace("for epoch", HOLDS + "def learn(l):\n    opt.zero_grad()\n    l.backward()\n    opt.step()\nfor epoch")
        + BY_SAMPLE + "        learn(loss(x, y))\n        opt.step()\n",
    ),
    "targets of a function that the loss calls": HeldOut(
        "linear_regression",
        "data-regenerated",
        "import torch\nx = torch.linspace(0, 1, 100)\ndef targets():\n    return 4 + 10 * x + torch.randn(len(x))\n"
        "w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)\n"
        "opt = torch.optim.SGD([w, b], lr=0.1)\n" + OPTIMISED.replace("- y)", "- targets())") + "y = targets()\n",
    ),
    "a property that draws each time it is read": HeldOut(
        "linear_regression",
        "data-regenerated",
        "import torch\nclass Cloud:\n    x = torch.arange(0, 1, 0.01)\n    @property\n    def y(self):\n"
        "        noise = torch.normal(torch.zeros(100), 1.0)\n        return 10 * self.x + noise + 4\n"
        "cloud = Cloud()\nw, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)\n"
        "opt = torch.optim.SGD([w, b], lr=0.1)\n"
        + OPTIMISED.replace("* x", "* cloud.x").replace("- y", "- cloud.y") + "x, y = cloud.x, cloud.y\n",
    ),
    "raw readings out of a dict": HeldOut(
        "temperature",
        "input-not-normalised",
        READINGS + ASKED + "measured = dict(t_c=t_c, t_u=t_u)\n" + COOLED.replace("t_un, t_c", "**measured"),
    ),
    "raw readings out of a list": HeldOut(
        "temperature",
        "input-not-normalised",
        READINGS + ASKED + "both = [t_u, t_c]\n" + COOLED.replace("t_un, t_c", "both[0], both[1]"),
    ),
    "an update at the top of the loop, from the second round on": HeldOut(
        "temperature",
        "update-before-backward",
        READINGS + "    for epoch in range(n_epochs):\n        if epoch > 0:\n"
        "            params.data -= learning_rate * params.grad\n            params.grad = None\n"
        "        t_p = model(t_u, *params)\n        loss = loss_fn(t_p, t_c)\n        loss.backward()\n"
        "    return params\n" + COOLED,
    ),
    "a step at the top of the loop": HeldOut(
        "backprop_quadratic",
        "update-before-backward",
        QUADRATIC.replace("for epoch", HOLDS + "for epoch") + BY_SAMPLE
        + "        opt.step()\n        opt.zero_grad()\n        l = loss(x, y)\n        l.backward()\n",
    ),
    "an update at the top of the loop that loses nothing": HeldOut(
        "linear_regression",
        "",
        LEAVES + "for _ in range(900):\n    if w.grad is not None:\n        for p in (w, b):\n"
        "            p.data -= 0.1 * p.grad\n            p.grad = None\n"
        "    loss = ((w * x + b - y) ** 2).mean()\n    loss.backward()\n",
    ),
    "a share of the loss of leaves that took their numbers' name": HeldOut(
        "backprop_per_sample",
        "loss-wrong-scale",
        SAMPLES.replace(f"w = {ONE}", "net = [1.0]\nnet = [torch.tensor(v, requires_grad=True) for v in net]\nw, = net")
        .replace("return w * x", "return net[0] * x").replace("** 2", "** 2 / len(y_data)")
        + BY_SAMPLE + STEPPED_BY_HAND,
    ),
    "a prediction under the name of the loop's target": HeldOut(
        "backprop_per_sample",
        "target-overwritten",
        SAMPLES + BY_SAMPLE + "        y = forward(x)\n" + STEPPED_BY_HAND,
    ),
    "numbers under the names of what was handed in": HeldOut(
        "temperature",
        "numpy-in-forward",
        READINGS.replace("import torch", "import numpy\nimport torch").replace(
            "return w * t_u + b",
            "\n    w, b = w.reshape(()), b.reshape(())\n"
            "    line = numpy.array(t_u) * numpy.float64(w.item()) + numpy.float64(b.item())\n"
            "    return torch.tensor(line, requires_grad=True)",
        )
        + "    opt = torch.optim.SGD([params], lr=learning_rate)\n    for _ in range(n_epochs):\n"
        "        opt.zero_grad()\n        loss_fn(model(t_u, *params), t_c).backward()\n        opt.step()\n"
        "    return params\n" + COOLED,
    ),
}  # fmt: skip
