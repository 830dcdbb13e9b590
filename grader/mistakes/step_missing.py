"""The optimizer never steps: gradients are computed, but nothing uses them.

## What it is

`loss.backward()` only computes gradients. It is `optimizer.step()` that changes the parameters.

## Why it matters

There is no error: the loop runs, and w and b stay exactly where they started.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05)
for step in range(2000):
    loss = ((w * x + b - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()  # ←
```

## Fix

Call `optimizer.step()` after `loss.backward()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.motion import main_place, motions
from grader.evidence.optimizers import is_step, optimizer_names
from grader.evidence.planting import taken_away
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import updates

# After so many gradient calls a condition has had its chance.
FEW = 2

TEXT = {
    "en": Words(
        title="the optimizer never steps",
        message="`{line_text}` computes the gradients, but `{optimizer}.step()` is never called, so nothing uses them.",
        why="The parameters stay exactly where they started.",
        fix="Call `{optimizer}.step()` after backward(), in every round of the loop.",
    ),
    "zh": Words(
        title="优化器从未更新参数",
        message="`{line_text}` 算出了梯度，但从未调用 `{optimizer}.step()`，梯度没有被使用。",
        why="参数一直停在起点。",
        fix="在循环的每一轮里，于 backward() 之后调用 `{optimizer}.step()`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Optimizers that were made and never asked to step, while nothing else moved the parameters."""
    names = optimizer_names(case)
    call = _backward(case)
    if not names or call is None or case.steps or updates(case):
        return
    statements = list(case.code.all(ast.Expr))
    if any(_named_step(one.value) for one in statements):
        return
    stepping = [one for one in statements if is_step(one, names)]
    if not all(case.code.around(one, ast.If) is not None and case.gradient_calls > FEW for one in stepping):
        return  # not come to because of an error; under a condition that never held it is as good as missing
    moved = motions(case, main_place(case))
    still = bool(moved) and all(motion.frozen for motion in moved.values())
    if moved and not still:
        return
    statement = case.code.statement(call)
    yield case.suspicion(
        statement, 0.97 if still else 0.8, line_text=case.first_line(call), optimizer=_name(case)
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Step after backward."""
    if isinstance(suspicion.node, ast.stmt):
        yield [case.code.insert_after(suspicion.node, f"{_name(case)}.step()")]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave the step out."""
    for training in trainings(case):
        yield taken_away(case, training.steps)


def _name(case: Case) -> str:
    return min(optimizer_names(case), default="optimizer")


def _backward(case: Case) -> ast.Call | None:
    calls = list(case.code.calls("backward"))
    within = [call for call in calls if any(True for loop in [case.code.loop(call)] if loop is not None)]
    return next(iter(within or calls), None)


def _named_step(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "step"
