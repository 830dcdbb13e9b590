"""The name of the data is given to something else, most often y to the prediction.

## What it is

`y = w * x + b` computes the prediction, and calls it y. The data that was called y is gone. A loop such as
`for x, y in zip(x, y)` does the same: afterwards x and y are single numbers.

## Why it matters

The loss compares the prediction with itself. It is exactly 0 from the first step on, and nothing is left to learn.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    y = w * x + b  # ←
    loss = ((y - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Give the prediction a name of its own: `y_pred = w * x + b`, and `y_pred - y` in the loss.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Function, last_name, targets_of
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of, residuals
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import errors_taken

TEXT = {
    "en": Words(
        title="the data's name is given to something else",
        message="`{line_text}` gives the name {name} to something new. The data that was called {name} is gone from here on.",
        why="What follows compares with the wrong numbers: a prediction with itself, or with a single point.",
        fix="Use another name here, such as `{other}`.",
    ),
    "zh": Words(
        title="数据的名字被用给了别的东西",
        message="`{line_text}` 把名字 {name} 给了新的值。原来叫 {name} 的数据从这里起就没有了。",
        why="后面的比较用的是错误的数：预测值与它自己比较，或只与一个点比较。",
        fix="这里换一个名字，例如 `{other}`。",
    ),
}


class _Over(NamedTuple):
    statement: ast.stmt
    name: str
    by_loop: bool


def detect(case: Case) -> Iterator[Suspicion]:
    """A name of data that a prediction or a loop takes."""
    found = _overwritten(case)
    if found is None:
        return
    yield case.suspicion(
        found.statement,
        0.96 if _loss_is_zero(case) and not found.by_loop else 0.86,
        name=found.name,
        other=_other(case, found.name, by_loop=found.by_loop),
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Give the new thing a name of its own."""
    found = _overwritten(case)
    if found is None:
        return
    if found.by_loop:
        yield _renamed_in_loop(case)
        return
    forward = forward_of(case)
    other = _other(case, found.name, by_loop=False)
    target = next(
        one for one in targets_of(found.statement) if isinstance(one, ast.Name) and one.id == found.name
    )
    for side in (0, 1):
        edits = [case.code.replace(target, other)]
        for _, *sides in residuals(forward):
            if all(found.name in _names(one) for one in sides):
                edits += [
                    case.code.replace(name, other)
                    for name in case.code.inside(sides[side], ast.Name)
                    if name.id == found.name
                ]
        yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Give the name of the targets to the predictions."""
    for whole, prediction, target in errors_taken(case):
        if isinstance(target, ast.Name):
            line = f"{target.id} = {case.code.text(prediction)}"
            yield [case.code.insert_before(case.code.statement(whole), line)]


def _overwritten(case: Case) -> _Over | None:
    forward = forward_of(case)
    data = _data_names(case, forward)
    met = {
        name
        for _, left, right in residuals(forward)
        for name in (*(_names(left) & _names(right)), last_name(left), last_name(right))
        if name not in forward.parameters
    }
    for statement in case.code.all(ast.Assign):
        for target in statement.targets:
            if (
                isinstance(target, ast.Name)
                and target.id in met & (data | _given_around(case, statement))
                and forward.tracked(statement.value)
                and not forward.is_loss_like(statement.value)
            ):
                return _Over(statement, target.id, by_loop=False)
    for loop in case.code.all(ast.For):
        taken = _taken_names(case, loop) & (data | _arguments(case, forward))
        if taken and forward.parts:
            return _Over(loop, min(taken), by_loop=True)
    return None


def _data_names(case: Case, forward: Forward) -> set[str]:
    """Names that are first given something that does not depend on parameters, outside of loops."""
    found: set[str] = set()
    for statement in case.code.all(ast.Assign):
        if case.code.loop(statement) is None and not forward.tracked(statement.value):
            found |= {target.id for target in targets_of(statement) if isinstance(target, ast.Name)}
    return found - forward.parameters


def _arguments(case: Case, forward: Forward) -> set[str]:
    named = {argument.arg for function in case.code.all(ast.FunctionDef) for argument in function.args.args}
    return named - forward.parameters


def _given_around(case: Case, node: ast.AST) -> set[str]:
    """The arguments of the functions and the variables of the loops that a node stands in: elsewhere the same names are others."""
    found: set[str] = set()
    while (outer := case.code.around(node, ast.FunctionDef, ast.AsyncFunctionDef, ast.For)) is not None:
        if isinstance(outer, ast.For):
            found |= {
                one.id
                for target in targets_of(outer)
                for one in ast.walk(target)
                if isinstance(one, ast.Name)
            }
        elif isinstance(outer, Function):
            found |= {argument.arg for argument in outer.args.args}
        node = outer
    return found


def _taken_names(case: Case, loop: ast.For) -> set[str]:
    """The names of a loop's variables that it also runs over, where the loop is run again or comes from data."""
    if case.code.function(loop) is not None:
        return set()
    targets = {one.id for one in targets_of(loop) if isinstance(one, ast.Name)}
    return targets & _names(loop.iter)


def _renamed_in_loop(case: Case) -> list[Edit]:
    edits = []
    for loop in case.code.all(ast.For):
        taken = _taken_names(case, loop)
        for name in sorted(taken):
            other = _other(case, name, by_loop=True)
            bodies: list[ast.AST] = [loop.target, *loop.body]
            edits += [
                case.code.replace(one, other)
                for body in bodies
                for one in case.code.inside(body, ast.Name)
                if one.id == name
            ]
    return edits


def _other(case: Case, name: str, *, by_loop: bool) -> str:
    taken = {node.id for node in case.code.all(ast.Name)}
    for ending in ("_i", "_k", "_one") if by_loop else ("_pred", "_hat", "_out"):
        if name + ending not in taken:
            return name + ending
    return f"new_{name}"


def _names(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _loss_is_zero(case: Case) -> bool:
    values = [
        event.root.value.data
        for event in case.gradient_events
        if event.root is not None and event.root.value is not None
    ]
    return bool(values) and all(not any(value) for value in values)
