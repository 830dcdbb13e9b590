"""backward() is called on many losses at once, one per point, instead of on one number.

## What it is

`loss = (y_pred - y) ** 2` is a tensor with one squared error per point. backward() starts from a single number.

## Why it matters

PyTorch stops with "grad can be implicitly created only for scalar outputs": of a hundred losses it cannot know which one
to make smaller.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = (w * x + b - y) ** 2
    loss.backward()  # ←
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Take the mean of the errors first: `loss = ((w * x + b - y) ** 2).mean()`.
"""

import ast
import math
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import with_keyword
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.rewrite import atom, keep_only
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import reductions
from grader.trace import Event

TEXT = {
    "en": Words(
        title="the loss is many numbers instead of one",
        message="backward() was called on {count} numbers (one error per point). It needs a single one to start from.",
        why="PyTorch stops here: it cannot know which of the numbers to make smaller.",
        fix="Make one number of them before backward(), with .mean().",
        terms={"count": {"several": "several"}},
    ),
    "zh": Words(
        title="损失是多个数，而不是一个数",
        message="backward() 作用在 {count} 个数上（每个点一个误差）。它需要从一个数开始。",
        why="PyTorch 会在这里停下：它不知道要减小其中哪一个。",
        fix="在 backward() 之前用 .mean() 把它们合成一个数。",
        terms={"count": {"several": "多"}},
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error of a gradient that was asked for on a tensor of several numbers."""
    error = case.says("grad can be implicitly created only for scalar outputs")
    if error is None:
        return
    event = _event(case, error.cell)
    count = math.prod(event.root.shape) if event is not None and event.root is not None else 0
    yield case.suspicion(event or error, 0.98, count=float(count) if count else "several")


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Reduce the loss where it is made, by its mean; where that is not what was meant, by its sum."""
    forward = forward_of(case)
    kept = [
        (call, keyword)
        for call in case.code.all(ast.Call)
        for keyword in call.keywords
        if keyword.arg == "reduction"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value == "none"
    ]
    if kept:
        yield [case.code.replace(keyword.value, '"mean"') for _, keyword in kept]
        return
    for name in ("mean", "sum"):
        yield _reduced(case, forward, name)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out the mean or the sum over the points."""
    for call in reductions(case):
        assert isinstance(call.func, ast.Attribute)
        yield keep_only(case.code, call, call.func.value)
    for call in case.code.calls("MSELoss"):
        yield [with_keyword(case, call, "reduction", '"none"')]


def _event(case: Case, cell: int | None) -> Event | None:
    return next((event for event in case.gradient_events if event.raised and event.cell == cell), None)


def _reduced(case: Case, forward: Forward, how: str) -> list[Edit]:
    edits = []
    for root in forward.roots:
        places: list[ast.expr] = [root]
        if isinstance(root, ast.Name) and (values := forward.values(root)):
            places = [value for value in values if forward.tracked(value)][-1:] or [root]
        for place in places:
            edits.append(case.code.replace(place, f"{atom(case.code, place)}.{how}()"))
    return list(dict.fromkeys(edits))
