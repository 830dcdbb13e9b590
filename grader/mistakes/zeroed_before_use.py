"""The gradients are cleared after backward() and before the update, which then has nothing to go by.

## What it is

`zero_grad()` or `w.grad.zero_()` stands between `backward()` and the update that should use the gradients.

## Why it matters

Each update is a step of length 0 (or none at all), so nothing moves, and no error says so.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    optimizer.zero_grad()  # ←
    optimizer.step()
```

## Fix

Clear before `backward()`, or after the update.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.clearings import clearings
from grader.evidence.edits import Edit
from grader.evidence.order import emptied_early
from grader.evidence.planting import moved
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import own_updates

TEXT = {
    "en": Words(
        title="the gradients are cleared before they are used",
        message="`{line_text}` clears the gradients that backward() has just computed, before the update has used them.",
        why="The update then sees gradients of zero, and the parameters stay where they are.",
        fix="Move `{line_text}` in front of backward(), or behind the update.",
    ),
    "zh": Words(
        title="梯度还没用就被清空了",
        message="`{line_text}` 在更新用到梯度之前，就把 backward() 刚算好的梯度清空了。",
        why="更新时看到的梯度是 0，参数原地不动。",
        fix="把 `{line_text}` 移到 backward() 之前，或者移到更新之后。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Clearing statements that come between backward and the update: in the order of one loop's turns, or of the run."""
    found = _found(case)
    if found:
        first = found[0][0]
        yield case.suspicion(first, 0.95 if case.gradient_events and not _moves(case) else 0.7)
    elif (early := emptied_early(case)) is not None:
        yield case.suspicion(early.clearing, 0.95)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Clear before backward, or after the update."""
    found = _found(case)
    yield [edit for one, backward, _ in found for edit in case.code.move(one, before=backward)]
    yield [edit for one, _, last in found for edit in case.code.move(one, after=last)]
    if not found and (early := emptied_early(case)) is not None:
        yield moved(case, [early.clearing], before=early.backward)
        yield moved(case, [early.clearing], after=early.use)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Clear right behind backward."""
    for training in trainings(case):
        if training.loop is not None and (training.updates or training.steps):
            yield moved(case, training.lifted(training.clearing), after=training.statement)


def _moves(case: Case) -> bool:
    return any(
        bool((move.delta != 0).any()) for events in case.places().values() for move in case.moves(events)
    )


def _found(case: Case) -> list[tuple[ast.stmt, ast.stmt, ast.stmt]]:
    """Each such statement with the backward before it and the update after it, all in one block."""
    found: list[tuple[ast.stmt, ast.stmt, ast.stmt]] = []
    cleared = [(owner, one) for owner, each in clearings(case).items() for one in each]
    used = [(update.owner, update.statement) for update in own_updates(case)]
    used += [
        (ast.unparse(call.func.value), case.code.statement(call))
        for call in case.code.calls("step")
        if isinstance(call.func, ast.Attribute)
    ]
    for call in case.code.calls("backward"):
        backward = case.code.statement(call)
        block = case.code.block(backward)
        for owner, one in cleared:
            uses = [
                (_index(case, block, statement), statement)
                for name, statement in used
                if name == owner or (not _is_step(statement) and _is_zero_grad(one)) or _is_step(statement)
            ]
            uses = [use for use in uses if use[0] >= 0]
            at, here = block.index(backward), _index(case, block, one)
            if here < 0 or not uses:
                continue
            last = max(uses, key=lambda use: use[0])
            first = min(index for index, _ in uses)
            stale = here < first < at and _is_step(block[first])
            if at < here < first or stale:
                found.append((block[here], backward, block[last[0]]))
    return found


def _index(case: Case, block: list[ast.stmt], statement: ast.stmt) -> int:
    node: ast.AST | None = statement
    while node is not None:
        if isinstance(node, ast.stmt) and node in block:
            return block.index(node)
        node = case.code.parent(node)
    return -1


def _is_step(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and "step" in ast.unparse(statement)


def _is_zero_grad(statement: ast.stmt) -> bool:
    return "zero_grad" in ast.unparse(statement)
