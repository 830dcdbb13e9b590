"""The parameters are changed twice with one gradient.

## What it is

`optimizer.step()` changes the parameters. An update by hand after it, or a second `step()`, changes them once more with
the same gradient.

## Why it matters

The learning rate is in effect twice what is written. It may still arrive, or it may diverge at a rate that looks fine.

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
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        w -= 0.05 * w.grad  # ←
        b -= 0.05 * b.grad
```

## Fix

Keep one of the two: `optimizer.step()`, or the update by hand.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.optimizers import is_step, optimizer_names
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.twice import changed_twice
from grader.evidence.updates import updates
from grader.trace import Event

TEXT = {
    "en": Words(
        title="updated twice with one gradient",
        message="`{line_text}` changes the parameters a second time with a gradient that `{other}` has used already.",
        why="The steps are twice as large as the learning rate says.",
        fix="Keep one of the two updates.",
    ),
    "zh": Words(
        title="同一个梯度更新了两次",
        message="`{line_text}` 用 `{other}` 已经用过的梯度又修改了一次参数。",
        why="实际步长是学习率所写的两倍。",
        fix="两个更新只保留一个。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """In one block of a loop: a step of an optimizer and updates of its tensors by hand, or the same step or update again.

    Where they stand apart, in functions, the run has shown both.
    """
    for extra, other in _all(case):
        sureness = 0.93 if _seen(case, extra[0]) else 0.7
        yield case.suspicion(extra[0], sureness, other=case.first_line(other))
        return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Leave out what comes on top."""
    for extra, other in _all(case):
        if extra[0] is suspicion.node:
            yield _without(case, extra)
            yield _without(case, [other])


def plant(case: Case) -> Iterator[list[Edit]]:
    """Update, or let the optimizer step, once more."""
    for training in trainings(case):
        once = dict.fromkeys([*(one.statement for one in training.updates), *training.steps])
        yield [case.code.insert_after(one, case.code.text(one)) for one in once]


def _all(case: Case) -> Iterator[tuple[list[ast.stmt], ast.stmt]]:
    """What changes parameters again, and what had changed them: in each loop, then by the run."""
    for loop in case.training_loops:
        found = _twice(case, loop)
        if found is not None:
            yield found
    seen = changed_twice(case)
    step = None if seen is None else case.code.at(seen.step.cell, seen.step.line)
    if seen is None or step is None:
        return
    if seen.again is None:
        ran = {(act.cell, act.line) for act in case.acts}
        by_hand = [one.statement for one in updates(case) if _lines(case, one.statement) & ran]
        if by_hand:
            yield by_hand, step
        return
    for first, second in zip(_way(seen.step), _way(seen.again), strict=False):
        statements = case.code.at(*first), case.code.at(*second)
        if first != second and statements[0] is not None and statements[1] is not None:
            yield [statements[1]], statements[0]
            return


def _lines(case: Case, statement: ast.stmt) -> set[tuple[int, int]]:
    last = statement.end_lineno or statement.lineno
    return {(case.code.cell_of(statement), line) for line in range(statement.lineno, last + 1)}


def _way(event: Event) -> tuple[tuple[int, int], ...]:
    return (*reversed(event.within), (event.cell, event.line))


def _twice(case: Case, loop: ast.stmt) -> tuple[list[ast.stmt], ast.stmt] | None:
    again = _again(case, loop)
    if again is not None:
        return again
    names = optimizer_names(case)
    steps = [node for node in case.code.inside(loop, ast.Expr) if is_step(node, names)]
    if not steps or case.code.loop(steps[0]) is not loop:
        return None
    held = _held(case)
    body = list(getattr(loop, "body", []))
    by_hand = [
        one.statement
        for one in updates(case, loop)
        if (one.owner in held or not held) and _unconditional(case, one.statement, body)
    ]
    if by_hand:
        return list(by_hand), steps[0]
    straight = [one for one in steps if one in body and not _closure(one)]
    for first, second in pairwise(straight):
        between = body[body.index(first) : body.index(second)]
        same = ast.dump(first) == ast.dump(second)
        if same and not any(True for one in between for _ in case.code.calls("backward", "grad", inside=one)):
            return [second], first
    return None


def _again(case: Case, loop: ast.stmt) -> tuple[list[ast.stmt], ast.stmt] | None:
    """Updates by hand that one block has twice, with no gradient call between."""
    first: dict[tuple[int, str], ast.stmt] = {}
    extra: list[ast.stmt] = []
    for one in updates(case, loop):
        if case.code.loop(one.statement) is not loop:
            continue
        block = case.code.block(one.statement)
        before = first.setdefault((id(block), ast.dump(one.statement)), one.statement)
        between = block[block.index(before) : block.index(one.statement)]
        asks = any(True for other in between for _ in case.code.calls("backward", "grad", inside=other))
        if before is not one.statement and not asks:
            extra.append(one.statement)
    return (
        (extra, next(one for one in first.values() if ast.dump(one) == ast.dump(extra[0]))) if extra else None
    )


def _unconditional(case: Case, statement: ast.stmt, body: list[ast.stmt]) -> bool:
    """Whether a statement runs in each round: it stands in the loop's block, under `with` or a loop at most."""
    outer: ast.AST | None = statement
    while outer is not None and outer not in body:
        outer = case.code.parent(outer)
        if isinstance(outer, ast.If | ast.Try | ast.FunctionDef | ast.While):
            return False
    return True


def _held(case: Case) -> set[str]:
    """The names of the tensors that optimizers hold."""
    return {
        name for event in case.optimizers for tensor in event.tensors[: event.leaves] for name in tensor.names
    } | {"p", "param", "parameter"}


def _closure(statement: ast.Expr) -> bool:
    return isinstance(statement.value, ast.Call) and bool(statement.value.args)


def _seen(case: Case, statement: ast.stmt) -> bool:
    """Whether the run came by there: a step of an optimizer that had tensors with gradients, or gradients for an update."""
    if any(one.statement is statement for one in updates(case)) and not case.steps:
        return len(case.gradient_events) > 1
    return any(
        event.optimizer is not None and event.optimizer.tensors and event.after for event in case.steps
    )


def _without(case: Case, statements: list[ast.stmt]) -> list[Edit]:
    """Take statements away, and a `with` that holds nothing else."""
    edits: dict[ast.stmt, Edit] = {}
    for one in statements:
        outer = case.code.parent(one)
        whole = isinstance(outer, ast.With | ast.For) and all(inner in statements for inner in outer.body)
        gone = outer if whole and isinstance(outer, ast.stmt) else one
        edits[gone] = case.code.delete(gone)
    return list(edits.values())
