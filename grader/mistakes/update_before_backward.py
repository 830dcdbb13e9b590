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
from typing import NamedTuple

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


class _Late(NamedTuple):
    """The first update, the statements of the block that update, and the backward after them.

    ahead: whether they come before the forward pass too, so that the last gradient of all is never used.
    """

    update: ast.stmt
    places: list[ast.stmt]
    backward: ast.stmt
    ahead: bool


def detect(case: Case) -> Iterator[Suspicion]:
    """In one block of a loop: the forward pass, then an update, then backward, and no update after it.

    An update ahead of the forward pass counts where the first round had no gradient, and the step that is missing shows.
    """
    for loop in case.training_loops:
        found = _order(case, loop)
        if found is not None:
            yield case.suspicion(
                found.update, 0.85 if found.ahead else 0.75 if _is_inline(found.backward) else 0.92
            )
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Put backward in front of the update; the clearing before it goes along. An update ahead of all goes behind it."""
    node = suspicion.node
    for loop in case.training_loops:
        found = _order(case, loop)
        if found is not None and found.update is node:
            if found.ahead:
                yield _behind(case, found)
            else:
                yield case.code.move(found.backward, before=found.places[0])


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


def _order(case: Case, loop: ast.stmt) -> _Late | None:
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
    ahead = not _is_inline(block[backward]) and (forward is None or forward >= first)
    if ahead and (forward is None or case.full or not _begins_without(case, block[backward])):
        return None
    places = [one for one, found in zip(block, changes, strict=True) if found]
    return _Late(changes[first][0], places, block[backward], ahead)


def _behind(case: Case, late: _Late) -> list[Edit]:
    """Put the updates behind backward, without the conditions that spare the first round."""
    free = [
        inner
        for place in late.places
        for inner in (place.body if isinstance(place, ast.If) and not place.orelse else [place])
    ]
    gone = [case.code.delete(place) for place in late.places]
    return [*gone, case.code.insert_after(late.backward, *lines_of(case, free))]


def _begins_without(case: Case, backward: ast.stmt) -> bool:
    """Whether the first backward found no gradients that an update could have used, and the second had seen one."""
    asked = case.events_in(backward, "backward")[:2]
    return (
        len(asked) > 1
        and not any(tensor.has_grad for tensor in asked[0].tensors[: asked[0].leaves])
        and any(bool(move.delta.any()) for move in case.moves(asked))
    )


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
