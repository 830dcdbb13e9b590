"""A parameter's name is bound to a new tensor, which is no leaf: autograd fills the `.grad` of leaves alone.

## What it is

`w = w - lr * w.grad` computes a new tensor and gives it the name `w`. The tensor that was made with
`requires_grad=True` is still there, but nothing calls it `w` any more. Outside of `torch.no_grad()` the new one is a
result of operations, not a leaf; inside it, it does not require a gradient at all.

## Why it matters

After the first step `w.grad` is `None`, or the loss no longer depends on anything that requires a gradient. The loop
stops with an error that names neither the line nor the reason, or w silently stays where it is.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    w = w - 0.05 * w.grad  # ←
    b = b - 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Change the tensor in place, without autograd watching: `with torch.no_grad(): w -= 0.05 * w.grad`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.rebinding import mends, rebindings
from grader.evidence.rebound_loops import Rebinding
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="a parameter's name is given to something new",
        message="`{line_text}` gives the name {name} to something new, instead of changing the tensor that {name} stood for. "
        "backward() fills the .grad of that tensor only, since it is a leaf: a starting point of the computation.",
        why="What is called {name} from then on has no gradient to step along, and the tensor you created stays as it is.",
        fix="Change {name} in place while autograd does not watch: `with torch.no_grad(): {name} -= …` or `{name}.data -= …`.",
    ),
    "zh": Words(
        title="参数名被用到了新的对象上",
        message="`{line_text}` 让 {name} 这个名字指向了新的对象，而没有修改 {name} 原来代表的张量。backward() 只给原来那个张量填 .grad，"
        "因为它是叶子张量（计算的起点）。",
        why="此后叫做 {name} 的对象没有梯度可用，而你创建的那个张量一直没有变。",
        fix="在不记录梯度的情况下原地修改 {name}：`with torch.no_grad(): {name} -= …` 或 `{name}.data -= …`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Assignments that give a parameter's name to something computed from it and its gradient; one for all of them."""
    found = rebindings(case)
    if found:
        first = found[0]
        names = list(dict.fromkeys(one.name for one in found))
        yield case.suspicion(
            first.node,
            max(one.sureness for one in found),
            name=names[0],
            names=", ".join(names[:4]),
            line_text=_line(case, first),
        )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write the updates into the tensors that are there."""
    yield from mends(case, rebindings(case))


def plant(case: Case) -> Iterator[list[Edit]]:
    """Write updates in place as assignments: `w = w - …`."""
    for training in trainings(case):
        edits = []
        for one in training.updates:
            statement = one.statement
            if isinstance(statement, ast.AugAssign) and isinstance(one.target, ast.Name):
                sign = "-" if isinstance(statement.op, ast.Sub) else "+"
                text = f"{one.owner} = {one.owner} {sign} {case.code.text(statement.value)}"
                edits.append(case.code.replace(statement, text))
        yield edits


def _line(case: Case, one: Rebinding) -> str:
    return case.first_line(one.node)
