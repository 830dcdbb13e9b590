"""A parameter is changed in place while autograd watches, which it forbids for leaves.

## What it is

`w -= lr * w.grad` changes a tensor that requires a gradient. Outside of `torch.no_grad()` PyTorch would have to record
this change as a part of the computation, and refuses.

## Why it matters

The loop stops at its first update with "a leaf Variable that requires grad is being used in an in-place operation".

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
    w -= 0.05 * w.grad  # ←
    b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Put the updates under `with torch.no_grad():`, or write `w.data -= 0.05 * w.grad`.
"""

from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import eval_calls, not_entered, tracked_updates, unwatched
from grader.evidence.edits import Edit
from grader.evidence.planting import unwrapped
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import guards, trainings

TEXT = {
    "en": Words(
        title="a parameter is changed in place while autograd watches",
        message="`{line_text}` changes {name} in place, and {name} requires a gradient. While autograd records, that is forbidden for a tensor you created yourself.",
        why="An update is not part of the computation of the loss, so it must not be recorded.",
        fix="Put the update under `with torch.no_grad():`.",
    ),
    "zh": Words(
        title="在记录梯度时原地修改了参数",
        message="`{line_text}` 原地修改了 {name}，而 {name} 需要梯度。autograd 正在记录时，不允许这样修改你自己创建的张量。",
        why="更新不是损失计算的一部分，不应该被记录。",
        fix="把更新写在 `with torch.no_grad():` 里面。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Errors of in-place changes to leaves, at updates that stand outside of no_grad."""
    error = case.says("a leaf Variable that requires grad", "a view of a leaf Variable")
    found = tracked_updates(case)
    if error is None or not found or not_entered(case):
        return
    here = [
        one
        for one in found
        if (case.code.cell_of(one.statement), one.statement.lineno) == (error.cell, error.line)
    ]
    first = (here or found)[0]
    yield case.suspicion(first.statement, 0.85 if eval_calls(case) else 0.97, name=first.owner)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Put the updates under no_grad, or change `.data`."""
    yield from unwatched(case, tracked_updates(case))


def plant(case: Case) -> Iterator[list[Edit]]:
    """Take the updates out of `with torch.no_grad():`."""
    for training in trainings(case):
        yield [edit for guard in guards(training) for edit in unwrapped(case, guard)]
