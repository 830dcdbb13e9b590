"""A gradient is given a plain number or a tensor of another shape, not cleared.

## What it is

`.grad` holds a tensor of the same shape as its parameter, or `None`. PyTorch refuses anything else, such as the number 0.

## Why it matters

The loop stops with a TypeError or RuntimeError ("assigned grad …") at its first step.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = 0  # ←
    b.grad = 0
```

## Fix

Clear it with `w.grad = None` or `w.grad.zero_()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="a gradient is given something that cannot be one",
        message="`{line_text}` gives {name}.grad something that is not a tensor of {name}'s own shape.",
        why="A gradient is a tensor with one number for each number of its parameter, or None.",
        fix="Write `{name}.grad = None` or `{name}.grad.zero_()` to clear it.",
    ),
    "zh": Words(
        title="给 .grad 赋了不能当作梯度的东西",
        message="`{line_text}` 给 {name}.grad 赋的不是与 {name} 形状相同的张量。",
        why="梯度要么是与参数形状相同的张量，要么是 None。",
        fix="要清空它，写 `{name}.grad = None` 或 `{name}.grad.zero_()`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error that says so, at an assignment to `.grad`."""
    error = case.says("assigned grad")
    statement = None if error is None else case.code.at(error.cell or 0, error.line)
    for one, target in _assigned(case):
        if statement is not None and (one is statement or one.lineno == statement.lineno):
            yield case.suspicion(one, 0.97, name=ast.unparse(target.value))
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Clear the gradients by None."""
    yield [
        case.code.replace(statement.value, "None")
        for statement, _ in dict(_assigned(case)).items()
        if not isinstance(statement.value, ast.Constant) or statement.value.value is not None
    ]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Assign the number 0 to a gradient, to clear it."""
    for training in trainings(case):
        yield [
            case.code.replace(one, f"{owner}.grad = 0")
            for owner, each in training.clears.items()
            for one in each
            if "zero_grad" not in ast.unparse(one)
        ]


def _assigned(case: Case) -> Iterator[tuple[ast.Assign, ast.Attribute]]:
    for statement in case.code.all(ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Attribute) and target.attr == "grad":
                yield statement, target
