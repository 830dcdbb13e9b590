"""More submissions like those of `tests.held_out`: what tells of the mistake is behind a name, a helper or a value."""

from tests.held_out import LEAVES, HeldOut

SGD = "opt = torch.optim.SGD([w, b], lr=0.1)\n"
SQUARED = "((w * x + b - y) ** 2).mean()"

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
}
