"""A NumPy function, or `float()`, stands on the way from the parameters to the loss.

## What it is

`np.mean((w * x + b - y) ** 2)` leaves PyTorch. NumPy and plain Python know numbers, not how these were computed.

## Why it matters

PyTorch stops ("Can't call numpy() on Tensor that requires grad"), or the loss is a number without a history, from which
no gradient can be computed.

## Example

```python
import numpy as np
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = torch.mean(np.square(w * x + b - y))  # ←
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Use the function of torch of the same name: `torch.square(…)`.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.cuts import unquieted, without_cuts
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.reach import cut_off
from grader.evidence.rewrite import drop_suffix, keep_only
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import products

TEXT = {
    "en": Words(
        title="NumPy or plain numbers on the way to the loss",
        message="`{call}` computes outside of PyTorch with something that depends on the parameters.",
        why="From there on PyTorch does not know how the loss came from the parameters, and can give no gradient.",
        fix="Compute this step with torch (torch.mean, torch.square, …), without leaving tensors.",
    ),
    "zh": Words(
        title="计算损失的途中用了 NumPy 或普通数字",
        message="`{call}` 用依赖于参数的量在 PyTorch 之外做计算。",
        why="从这里起，PyTorch 不知道损失是怎样由参数算出来的，也就给不出梯度。",
        fix="这一步改用 torch 计算（torch.mean、torch.square 等），不要离开张量。",
    ),
}

_NUMPY = ("np", "numpy", "math", "onp")
_OTHER = {
    "power": "pow", "subtract": "sub", "multiply": "mul", "absolute": "abs", "average": "mean", "dot": "matmul",
    "divide": "div", "fabs": "abs", "float_power": "pow",
}  # fmt: skip
_SAME = {
    "mean", "sum", "square", "abs", "sqrt", "exp", "log", "add", "sub", "mul", "pow", "matmul", "div", "sin", "cos",
    "tanh", "sign",
}  # fmt: skip
_PLAIN = ("array", "asarray", "float", "float64", "float32", "int")


class _Use(NamedTuple):
    node: ast.Call
    kind: str  # "function", "method", "plain"


def detect(case: Case) -> Iterator[Suspicion]:
    """The first such call in what the loss is computed from."""
    uses = _uses(forward_of(case))
    if not uses:
        return
    first = uses[0].node
    stopped = case.says("call numpy() on Tensor that requires grad") is not None
    text = case.first_line(first)
    yield case.suspicion(
        first, 0.95 if cut_off(case) or _stopped_there(case, uses) else 0.85 if stopped else 0.7, call=text
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Use torch's function of the same name, and leave out what turns tensors into numbers."""
    forward = forward_of(case)
    edits: list[Edit] = []
    for use in _uses(forward):
        node = use.node
        if use.kind == "method":
            assert isinstance(node.func, ast.Attribute)
            what = node.func.value
            if (
                isinstance(what, ast.Call)
                and isinstance(what.func, ast.Attribute)
                and called(what) == "detach"
            ):
                what = what.func.value
            edits.append(drop_suffix(case.code, node, what))
        elif use.kind == "plain":
            edits += keep_only(case.code, node, node.args[0])
        else:
            name = called(node)
            edits.append(case.code.replace(node.func, f"torch.{_OTHER.get(name, name)}"))
    mended = [*edits, *_data(case, forward)]
    yield mended
    if mended != edits:
        yield edits
    yield [*mended, *without_cuts(forward), *unquieted(forward)]


ALSO_NAMED = ("graph-detached",)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Multiply the data by the parameter's numbers in numpy."""
    for _, name, _ in products(case):
        yield [case.code.replace(name, f"{name.id}.detach().numpy()")]


def _uses(forward: Forward) -> list[_Use]:
    found = []
    for node in forward.inside(ast.Call):
        assert isinstance(node, ast.Call)
        name = called(node)
        tracked = any(forward.tracked(one) for one in node.args)
        if isinstance(node.func, ast.Attribute):
            base = node.func.value
            if isinstance(base, ast.Name) and base.id in _NUMPY:
                if tracked and name in _PLAIN:
                    found.append(_Use(node, "plain"))
                elif tracked and (name in _SAME or name in _OTHER):
                    found.append(_Use(node, "function"))
            elif name == "numpy" and forward.tracked(base):
                found.append(_Use(node, "method"))
            elif name == "from_numpy" and tracked:
                found.append(_Use(node, "plain"))
        elif name in ("float", "int") and tracked and len(node.args) == 1:
            found.append(_Use(node, "plain"))
    return found


def _data(case: Case, forward: Forward) -> Iterator[Edit]:
    """Arrays of NumPy that meet a parameter, and calls that make them, as tensors."""
    arrays = {name for event in case.events for name, kind in event.types.items() if kind == "ndarray"}
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, ast.Name) and side.id in arrays and forward.tracked(other):
                yield case.code.replace(side, f"torch.from_numpy({side.id})")
            elif isinstance(side, ast.Call) and _makes_array(side) and forward.tracked(other):
                yield case.code.replace(side.func, "torch.as_tensor")


def _makes_array(call: ast.Call) -> bool:
    return called(call) in ("array", "asarray") and ast.unparse(call.func).split(".")[0] in _NUMPY


def _stopped_there(case: Case, uses: list[_Use]) -> bool:
    lines = {
        (case.code.cell_of(use.node), line)
        for use in uses
        for line in range(use.node.lineno, (use.node.end_lineno or use.node.lineno) + 1)
    }
    return any((error.cell, error.line) in lines for error in case.errors)
