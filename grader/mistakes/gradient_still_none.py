"""A gradient is cleared before the first backward(), when there is none yet.

## What it is

Until the first `backward()`, `w.grad` is `None`, and `None` has no `zero_()`.

## Why it matters

The loop stops in its first step: "'NoneType' object has no attribute 'zero_'".

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    w.grad.zero_()  # ←
    b.grad.zero_()
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
```

## Fix

Clear after the update, or write `if w.grad is not None: w.grad.zero_()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.clearings import clearings
from grader.evidence.edits import Edit
from grader.evidence.planting import lines_of, taken_away
from grader.evidence.scopes import scope
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="a gradient is cleared before there is one",
        message="`{line_text}` runs before the first backward(). Until then {name}.grad is None, which cannot be cleared.",
        why="Only backward() creates the gradient.",
        fix="Clear it after the update, or write `if {name}.grad is not None:` in front.",
    ),
    "zh": Words(
        title="梯度还不存在就要清空它",
        message="`{line_text}` 在第一次 backward() 之前运行。那时 {name}.grad 还是 None，无法清空。",
        why="梯度要由 backward() 创建出来。",
        fix="在更新之后再清空，或者在前面写 `if {name}.grad is not None:`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error, at a statement that clears, while there was no gradient call before."""
    error = case.says("'NoneType' object has no attribute")
    statement = None if error is None else case.code.at(error.cell or 0, error.line)
    if error is None or statement is None or not any(case.code.calls("backward")):
        return
    place = scope(case, statement)
    if case.events_in(place if isinstance(place, ast.stmt) else statement, "backward", "grad"):
        return
    for owner, each in clearings(case).items():
        if statement in each:
            yield case.suspicion(error, 0.95, name=owner, line_text=case.first_line(statement))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Clear only where there is something to clear."""
    statement = case.code.at(suspicion.cell or 0, suspicion.line)
    if statement is None:
        return
    root = scope(case, statement)
    yield [
        case.code.replace(one, f"if {owner}.grad is not None: {case.code.text(one)}")
        for owner, each in clearings(case).items()
        for one in each
        if "zero_grad" not in ast.unparse(one) and scope(case, one) is root and _alone(case, one)
    ]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Clear at the top of the loop, without a look whether there is a gradient."""
    for training in trainings(case):
        direct = [
            one for one in training.clearing if isinstance(one, ast.Expr) and ".grad." in ast.unparse(one)
        ]
        guarded = training.lifted(direct)
        if not direct or training.loop is None:
            continue
        first = training.block[0]
        lines = lines_of(case, direct)
        if first in guarded:
            yield [
                case.code.replace(first, f"\n{case.code.indent(first)}".join(lines)),
                *taken_away(case, guarded[1:]),
            ]
        else:
            yield [*taken_away(case, guarded), case.code.insert_before(first, *lines)]


def _alone(case: Case, statement: ast.stmt) -> bool:
    start, _ = case.code.span(statement)
    return not case.code.line(case.code.cell_of(statement), start[0])[: start[1]].strip()
