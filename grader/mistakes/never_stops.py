"""The loop waits for something that never comes.

## What it is

`while loss > 0.01` ends when the loss is small enough. With noise in the data the loss cannot fall below the noise's
variance, however good the line is; and w never becomes exactly 10.

## Why it matters

The notebook runs until it is stopped from outside, and nothing behind the loop is reached.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
loss = torch.tensor(100.0)
while loss > 0.01:  # ←
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Take a fixed number of steps, `for step in range(2000):`, and break early if you like.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Loop
from grader.evidence.edits import Edit
from grader.evidence.knobs import bound_of
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="a loop that never ends",
        message="`{line_text}` never came to its end: what it waits for does not happen, because the loss cannot fall below "
        "the noise in the data.",
        why="The run was stopped from outside, and what comes after the loop was not reached.",
        fix="Take a fixed number of steps: `for step in range(3000):`.",
    ),
    "zh": Words(
        title="永远不会结束的循环",
        message="`{line_text}` 一直没有结束：它等待的条件不会发生，因为损失不可能低于数据中的噪声。",
        why="程序被外部强行停止，循环之后的代码没有执行。",
        fix="使用固定的步数：`for step in range(3000):`。",
    ),
}
ROUNDS = 3000


def detect(case: Case) -> Iterator[Suspicion]:
    """A run that was stopped from outside in a `while` that trains."""
    error = next((one for one in case.errors if one.kind.endswith("-limit")), None)
    if error is None:
        return
    loop = _loop(case, error.cell, error.line)
    if loop is not None:
        yield case.suspicion(loop, 0.93, line_text=f"while {case.code.text(loop.test)}:")


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """A fixed number of rounds."""
    loop = suspicion.node
    if isinstance(loop, ast.While):
        start, end = case.code.span(loop)[0], case.code.span(loop.test)[1]
        cell = case.code.cell_of(loop)
        if start[0] == end[0]:
            line = case.code.line(cell, end[0])
            colon = line.find(":", end[1])
            if colon >= 0:
                yield [Edit(cell, start, (end[0], colon), f"for _ in range({ROUNDS})")]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Go on for ever in a loop that the run comes to, in place of a number of rounds."""
    for training in trainings(case):
        loop = training.whole
        if isinstance(loop, ast.For) and bound_of(loop) is not None and case.events_in(loop, "backward"):
            start, (line, column) = case.code.span(loop)[0], case.code.span(loop.iter)[1]
            yield [Edit(case.code.cell_of(loop), start, (line, column), "while True")]


def _loop(case: Case, cell: int | None, line: int | None) -> ast.While | None:
    """The `while` at the place where the run was stopped; else one that trains, in the same cell."""
    statement = None if cell is None else case.code.at(cell, line)
    outer: Loop | None = (
        statement if isinstance(statement, Loop) else case.code.loop(statement) if statement else None
    )
    while outer is not None:
        if isinstance(outer, ast.While):
            return outer
        outer = case.code.loop(outer)
    return next((loop for loop in case.training_loops if isinstance(loop, ast.While)), None)
