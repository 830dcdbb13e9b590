"""The optimizer is created anew in every step, and forgets what it has learnt.

## What it is

Adam, RMSprop and SGD with momentum remember earlier gradients. An optimizer that is created inside the loop starts from
nothing in every round.

## Why it matters

Without its memory Adam steps by the full learning rate each time, however small the gradient is, and jumps around the
minimum; momentum does nothing. Plain SGD remembers nothing, so there it only costs time.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1500):
    optimizer = torch.optim.Adam([w, b], lr=0.5)  # ←
    loss = ((w * x + b - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
```

## Fix

Create the optimizer once, in front of the loop.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.planting import moved
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.trace import Optimizer

TEXT = {
    "en": Words(
        title="a new optimizer in every step",
        message="`{line_text}` creates a new optimizer in every step; what {kind} remembers of earlier steps is lost.",
        why="Adam and momentum need that memory to choose their steps. Plain SGD has none: there it only costs time.",
        fix="Create the optimizer once, in front of the loop.",
    ),
    "zh": Words(
        title="每一步都新建优化器",
        message="`{line_text}` 每一步都新建一个优化器，{kind} 对之前步骤的记忆都丢失了。",
        why="Adam 和动量靠这些记忆决定步子。普通 SGD 没有记忆，只是浪费时间。",
        fix="在循环之前创建一次优化器。",
    ),
}
OFTEN = 3


def detect(case: Case) -> Iterator[Suspicion]:
    """Many optimizers made at one place for the same tensors."""
    made: dict[tuple[int, int, tuple[int, ...]], list[Optimizer]] = {}
    for event in case.optimizers:
        if event.optimizer is not None and event.optimizer.tensors:
            key = event.cell, event.line, event.optimizer.tensors
            made.setdefault(key, []).append(event.optimizer)
    for (cell, line, _), optimizers in made.items():
        statement = case.code.at(cell, line)
        if len(optimizers) < OFTEN or statement is None or _kept_on(case, optimizers):
            continue
        harmless = _forgets_nothing(optimizers[0])
        yield case.suspicion(statement, 0.93, kind=optimizers[0].kind, advice=harmless)
        return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Make it in front of the loop, or of the function that makes it."""
    statement = suspicion.node
    if not isinstance(statement, ast.Assign) or not _makes_one(case, statement):
        return
    outer: ast.stmt | None = case.code.loop(statement)
    while outer is not None and (further := case.code.loop(outer)) is not None:
        outer = further
    outer = outer or case.code.function(statement)
    if outer is not None:
        yield case.code.move(statement, before=outer)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make the optimizer at the top of the loop."""
    for training in trainings(case):
        for call in optimizer_calls(case):
            if training.loop is not None and case.code.loop(call) is None:
                yield moved(case, [case.code.statement(call)], before=training.block[0])


def _kept_on(case: Case, optimizers: list[Optimizer]) -> bool:
    """Whether one of them made several steps, as in trainings that are run one after the other."""
    stepped = [event.optimizer.number for event in case.steps if event.optimizer is not None]
    return any(stepped.count(one.number) > 1 for one in optimizers[:OFTEN])


def _forgets_nothing(optimizer: Optimizer) -> bool:
    return optimizer.kind == "SGD" and not optimizer.settings.get("momentum")


def _makes_one(case: Case, statement: ast.Assign) -> bool:
    kinds = {called(call) for call in optimizer_calls(case)}
    return isinstance(statement.value, ast.Call) and called(statement.value) in kinds
