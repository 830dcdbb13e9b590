"""The parameters are changed between the forward pass and backward: each step uses the gradient of the step before.

## What it is

One round goes: compute the loss, `backward()`, change the parameters, clear the gradients. Where the change stands in
front of `backward()`, it uses what the round before has left.

## Why it matters

The first step uses no gradient at all (or stops with `None`), every other one an old gradient; with the gradients
cleared in between, nothing moves. Where a parameter is needed for backward itself, changing it first is an error.

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
    optimizer.step()  # ←
    loss.backward()
```

## Fix

First `loss.backward()`, then `optimizer.step()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.optimizers import is_step, optimizer_names
from grader.evidence.planting import lines_of, moved, taken_away
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import updates

TEXT = {
    "en": Words(
        title="the update comes before backward()",
        message="`{line_text}` changes the parameters before backward() of the same round, so with the gradient of the round before.",
        why="Every step is one gradient late, and the first one has none.",
        fix="In each round: the loss, then backward(), then the update.",
    ),
    "zh": Words(
        title="更新写在 backward() 之前",
        message="`{line_text}` 在本轮的 backward() 之前就修改参数，用的是上一轮的梯度。",
        why="每一步用的都是旧梯度，第一步根本没有梯度。",
        fix="每一轮的顺序：先算损失，再 backward()，然后更新参数。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """In one block of a loop: the forward pass, then an update, then backward, and no update after it."""
    for loop in case.training_loops:
        found = _order(case, loop)
        if found is not None:
            update, _, backward = found
            yield case.suspicion(update, 0.75 if _is_inline(backward) else 0.92)
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Put backward in front of the update; the clearing before it goes along."""
    node = suspicion.node
    for loop in case.training_loops:
        found = _order(case, loop)
        if found is not None and found[0] is node:
            _, place, backward = found
            yield case.code.move(backward, before=place)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Update in front of backward, in the first round not at all."""
    for training in trainings(case):
        statements = training.lifted([*(one.statement for one in training.updates), *training.steps])
        if training.loop is None or not statements:
            continue
        if training.steps:
            yield moved(case, statements, before=training.statement)
            continue
        guarded = [f"if {training.names[0]}.grad is not None:"]
        guarded += [
            f"    {line}" for line in lines_of(case, [*statements, *training.lifted(training.clearing)])
        ]
        gone = taken_away(case, [*statements, *training.lifted(training.clearing)])
        yield [*gone, case.code.insert_before(training.statement, *guarded)]


def _order(case: Case, loop: ast.stmt) -> tuple[ast.stmt, ast.stmt, ast.stmt] | None:
    """The first update, the statement of the block that it is in, and the backward after it."""
    block: list[ast.stmt] = list(getattr(loop, "body", []))
    backward = next((k for k, one in enumerate(block) if _is_backward(one)), None)
    if backward is None:
        return None
    names = optimizer_names(case)
    changing = {update.statement for update in updates(case, loop)}
    changes = [
        [node for node in case.code.inside(one, ast.stmt) if node in changing or is_step(node, names)]
        for one in block
    ]
    first = next((k for k, found in enumerate(changes) if found), None)
    if first is None or first >= backward or any(changes[backward:]):
        return None
    forward = _forward(block, backward)
    if not _is_inline(block[backward]) and (forward is None or forward >= first):
        return None
    return changes[first][0], block[first], block[backward]


def _is_backward(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
        and statement.value.func.attr == "backward"
    )


def _is_inline(statement: ast.stmt) -> bool:
    """Whether the loss is computed in the statement of backward itself: `f(x).backward()`."""
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    assert isinstance(statement.value.func, ast.Attribute)
    return not isinstance(statement.value.func.value, ast.Name)


def _forward(block: list[ast.stmt], backward: int) -> int | None:
    """The last statement that makes what backward is called on."""
    statement = block[backward]
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    assert isinstance(statement.value.func, ast.Attribute)
    root = ast.unparse(statement.value.func.value)
    for index in range(backward - 1, -1, -1):
        one = block[index]
        if isinstance(one, ast.Assign) and any(ast.unparse(target) == root for target in one.targets):
            return index
    return None
