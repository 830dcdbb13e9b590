"""A method is named but not called: its brackets are missing.

## What it is

`optimizer.zero_grad` is the method itself, like a tool lying on the table. Only `optimizer.zero_grad()` uses it. Python
does not complain: naming a thing is allowed.

## Why it matters

Nothing happens at that line. Gradients are not cleared, not computed, or no step is taken, without any message.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step  # ←
```

## Fix

Write the brackets: `optimizer.step()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="a method is named but not called",
        message="`{line_text}`: {name} stands there without its brackets. That names the method and does not run it.",
        why="The line does nothing, and Python says nothing about it.",
        fix="Write `{name}()`.",
    ),
    "zh": Words(
        title="写了方法名却没有调用",
        message="`{line_text}`：{name} 后面没有括号。这只是提到了这个方法，并没有执行它。",
        why="这一行什么也不做，Python 也不会提示。",
        fix="写成 `{name}()`。",
    ),
}

# As a statement of their own, these do nothing without brackets.
_DOING = {
    "backward", "step", "zero_grad", "zero_", "train", "eval", "detach_", "requires_grad_", "manual_seed", "fill_",
    "sub_", "add_",
}  # fmt: skip
# As part of an expression, these are values only with brackets.
_GIVING = {
    "mean", "sum", "item", "detach", "numpy", "square", "abs", "sqrt", "clone", "squeeze", "flatten", "float", "double",
    "parameters",
}  # fmt: skip


def detect(case: Case) -> Iterator[Suspicion]:
    """The first of the methods that are only named."""
    places = _places(case)
    if not places:
        return
    first = places[0]
    statement = case.code.statement(first)
    alone = isinstance(statement, ast.Expr) and statement.value is first
    yield case.suspicion(
        first, 0.97 if alone else 0.88, name=case.code.text(first), line_text=case.first_line(statement)
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Put the brackets in, everywhere."""
    edits = []
    for place in _places(case):
        _, end = case.code.span(place)
        edits.append(Edit(case.code.cell_of(place), end, end, "()"))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Forget the brackets behind what clears gradients, steps, or asks for gradients."""
    for training in trainings(case):
        for one in (*training.clearing[-1:], *training.steps[:1], training.statement):
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) and not one.value.args:
                yield [case.code.replace(one, case.code.text(one.value.func))]


def _places(case: Case) -> list[ast.Attribute]:
    alone: list[ast.Attribute] = []
    inner: list[ast.Attribute] = []
    fields = {node.attr for node in case.code.all(ast.Attribute) if isinstance(node.ctx, ast.Store)}
    for node in case.code.all(ast.Attribute):
        parent = case.code.parent(node)
        if isinstance(parent, ast.Expr) and node.attr in _DOING:
            alone.append(node)
        elif (
            node.attr in _GIVING - fields
            and isinstance(node.ctx, ast.Load)
            and not _is_module(node.value)
            and (
                isinstance(parent, ast.BinOp | ast.Assign | ast.Return)
                or (isinstance(parent, ast.Call) and node.attr == "parameters" and node in parent.args)
            )
        ):
            inner.append(node)
    return [*alone, *inner]


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("torch", "np", "numpy", "math", "F")
