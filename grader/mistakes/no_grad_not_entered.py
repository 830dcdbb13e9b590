"""`torch.no_grad()` is named, but never entered: it takes effect only as `with torch.no_grad():`.

## What it is

`torch.no_grad()` makes a context. It does something only while a `with` statement is inside it: neither as a line of its
own, nor without its parentheses, nor as `net.eval()`, which is about layers such as dropout.

## Why it matters

The update after it is still watched by autograd and raises an error.

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
    with torch.no_grad:  # ←
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Write `with torch.no_grad():` with its parentheses, and indent the updates under it.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import eval_calls, not_entered, tracked_updates, unwatched
from grader.evidence.edits import Edit
from grader.evidence.planting import unwrapped
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import guards, trainings
from grader.evidence.updates import Update

TEXT = {
    "en": Words(
        title="no_grad is named, but not entered",
        message="`{line_text}` does not switch autograd off. That happens only inside `with torch.no_grad():`, with its parentheses and the updates indented under it.",
        why="The updates are still watched by autograd, which forbids to change parameters in place.",
        fix="Write `with torch.no_grad():` and indent the updates under it.",
    ),
    "zh": Words(
        title="写了 no_grad，但没有真正进入",
        message="`{line_text}` 并没有关闭 autograd。只有写成带括号的 `with torch.no_grad():` 并把更新缩进到里面，才会起作用。",
        why="更新仍然被 autograd 记录，而记录时不允许原地修改参数。",
        fix="写成 `with torch.no_grad():`，并把更新缩进到它里面。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Such statements, where the run stopped at a `with` or at an update."""
    tracked = case.says("a leaf Variable that requires grad")
    entered = case.says("context manager protocol", "__enter__", "__exit__")
    for statement in not_entered(case):
        if tracked is not None or entered is not None:
            yield _suspicion(case, statement, 0.97)
            return
    if tracked is not None and tracked_updates(case):
        for statement in eval_calls(case):
            yield _suspicion(case, statement, 0.93)
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Enter it."""
    edits = []
    for statement in not_entered(case):
        if isinstance(statement, ast.With):
            edits += [
                case.code.replace(item.context_expr, f"{case.code.text(item.context_expr)}()")
                for item in statement.items
                if not isinstance(item.context_expr, ast.Call)
            ]
        else:
            edits.append(case.code.delete(statement))
    for way in unwatched(case, _outside(case)):
        yield [*edits, *way]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Write no_grad as a statement of its own; or name it in `with` without calling it."""
    for training in trainings(case):
        for guard in guards(training):
            yield unwrapped(case, guard, "torch.no_grad()")
            call = guard.items[0].context_expr
            if isinstance(call, ast.Call):
                yield [case.code.replace(call, case.code.text(call.func))]


def _outside(case: Case) -> list[Update]:
    """The tracked updates that do not stand under a `with` that the edits make right."""
    bad = [one for one in not_entered(case) if isinstance(one, ast.With)]
    inside = {id(node) for one in bad for node in case.code.inside(one, ast.stmt)}
    return [update for update in tracked_updates(case) if id(update.statement) not in inside]


def _suspicion(case: Case, statement: ast.stmt, sureness: float) -> Suspicion:
    return case.suspicion(statement, sureness)
