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
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.gradients import pairs
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


class _Assigned(NamedTuple):
    """A statement that gives `.grad` of a tensor, as it is written there, a value."""

    statement: ast.stmt
    owner: str
    value: ast.expr


def detect(case: Case) -> Iterator[Suspicion]:
    """The error that says so, at what assigns to `.grad`."""
    for one in _refused(case)[:1]:
        yield case.suspicion(one.statement, 0.97, name=one.owner)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Clear the gradients by None, wherever they are given a number."""
    del suspicion
    others = [one for one in _assigned(case) if isinstance(one.value, ast.Constant)]
    values = dict.fromkeys(one.value for one in [*_refused(case), *others])
    yield [
        case.code.replace(value, "None")
        for value in values
        if not isinstance(value, ast.Constant) or value.value is not None
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


def _refused(case: Case) -> list[_Assigned]:
    """What was assigned at the line of the error."""
    error = case.says("assigned grad")
    statement = None if error is None else case.code.at(error.cell or 0, error.line)
    if statement is None:
        return []
    found = [one for one in _assigned(case) if one.statement.lineno == statement.lineno]
    return [one for one in found if case.code.cell_of(one.statement) == case.code.cell_of(statement)]


def _assigned(case: Case) -> Iterator[_Assigned]:
    for statement in case.code.all(ast.stmt):
        for target, value in pairs(statement):
            if isinstance(target, ast.Attribute) and target.attr == "grad":
                yield _Assigned(statement, ast.unparse(target.value), value)
    for call in case.code.calls("setattr", "__setattr__"):
        given = list(call.args)
        if called(call) == "__setattr__" and isinstance(call.func, ast.Attribute):
            given = [call.func.value, *given]
        if len(given) == 3 and case.code.text(given[1]).strip("\"'") == "grad":  # noqa: PLR2004 - of what, which, value
            yield _Assigned(case.code.statement(call), ast.unparse(given[0]), given[2])
