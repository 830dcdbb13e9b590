"""A parameter is made of whole numbers, which cannot have a gradient.

## What it is

`torch.tensor(1, requires_grad=True)` makes a tensor of integers, since 1 is one. A gradient needs numbers that can change
by a little: floating point.

## Why it matters

PyTorch refuses at once: "Only Tensors of floating point and complex dtype can require gradients".

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.tensor(1, requires_grad=True)  # ←
b = torch.tensor(0, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Write `torch.tensor(1.0, requires_grad=True)`.
"""

import ast
import re
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.creation import maker, with_keyword
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves

TEXT = {
    "en": Words(
        title="a parameter is made of whole numbers",
        message="`{line_text}` makes a tensor of integers. Only tensors of floating point numbers can require a gradient.",
        why="Gradient descent changes a parameter by small fractions, and an integer has none.",
        fix="Write the numbers with a decimal point, for example `1.0`, or add `dtype=torch.float32`.",
    ),
    "zh": Words(
        title="参数是整数类型",
        message="`{line_text}` 创建的是整数张量。只有浮点数张量才能需要梯度。",
        why="梯度下降每次只改变参数一点点，而整数做不到。",
        fix="把数写成带小数点的形式，例如 `1.0`，或者加上 `dtype=torch.float32`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error that says so."""
    error = case.says("only tensors of floating point")
    if error is not None:
        yield case.suspicion(error, 0.97)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Make them floating point: `1.0` for `1`, or a dtype."""
    edits = []
    for keyword in case.code.all(ast.keyword):
        call = case.code.parent(keyword)
        if keyword.arg == "requires_grad" and isinstance(call, ast.Call):
            edits += _floated(case, call)
    statement = case.code.at(suspicion.cell or 0, suspicion.line)
    if not edits and statement is not None:
        for node in case.code.inside(statement, ast.Call):
            if (made := maker(node)) is not None:
                edits += _floated(case, made)
                break
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make a parameter of whole numbers."""
    for leaf in leaves(case):
        text = case.code.text(leaf.call)
        if called(leaf.call) == "tensor" and text != (
            whole := re.sub(r"(?<=\d)\.0\b", "", text).replace("float(", "int(")
        ):
            yield [case.code.replace(leaf.call, whole)]
        elif called(leaf.call) in ("zeros", "ones"):
            yield [with_keyword(case, leaf.call, "dtype", "torch.int64")]


def _floated(case: Case, call: ast.Call) -> list[Edit]:
    if not call.args:
        return []
    constants = [
        node for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant) and type(node.value) is int
    ]
    if (
        ast.unparse(call.func).endswith(".tensor")
        and constants
        and not any(one.arg == "dtype" for one in call.keywords)
    ):
        return [case.code.replace(node, f"{case.code.text(node)}.0") for node in constants]
    integral = any(
        "int" in ast.unparse(one.value) or "long" in ast.unparse(one.value)
        for one in call.keywords
        if one.arg == "dtype"
    )
    if integral or ast.unparse(call.func).endswith(("randint", "tensor", "full", "arange", "as_tensor")):
        return [with_keyword(case, call, "dtype", "torch.float32")]
    return []
