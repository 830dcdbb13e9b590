"""A penalty on the size of the parameters is added where the plain least-squares line is asked for.

## What it is

`weight_decay=0.1`, or `+ 0.1 * (w ** 2).sum()` in the loss, pulls every parameter towards 0 at each step.

## Why it matters

The minimum is another one: w and b stay short of the line that fits the data best, however long the training.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05, weight_decay=0.5)  # ←
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
```

## Fix

Leave the penalty out: `torch.optim.SGD([w, b], lr=0.05)`.

## Known misses

- linear_module: a decay of 0.1 moves the line by less than its random start leaves after 40 steps, so nothing is lost.
- manual_gradient: the walk's function is one of the parameter alone, and an added term looks like a part of it.
- minimise_parabola: the whole function is one of the parameter alone, and an added term looks like a part of it.
"""

import ast
from collections.abc import Iterator

import numpy as np

from grader.evidence.case import Case, numbers_of
from grader.evidence.creation import with_keyword
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.rewrite import atom, drop_keyword, keep_only
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import root_value, trainings

TEXT = {
    "en": Words(
        title="a penalty pulls the parameters towards 0",
        message="`{part}` adds a penalty on the size of the parameters. The task asks for the plain squared error.",
        why="The minimum lies elsewhere, and the parameters end short of the line that fits best.",
        fix="Leave the penalty out.",
    ),
    "zh": Words(
        title="惩罚项把参数拉向 0",
        message="`{part}` 加上了对参数大小的惩罚。题目要求的是单纯的平方误差。",
        why="最小值的位置因此变了，参数到不了拟合最好的那条直线。",
        fix="去掉惩罚项。",
    ),
}

# A gradient that is left at the end and is no rounding; how much of it the decay may leave over.
PULL, BALANCED = 0.1, 0.05
_SIZES = ("norm", "abs", "square", "pow", "sum")


def detect(case: Case) -> Iterator[Suspicion]:
    """Weight decay, or a term of the loss that only parameters are in, where something is missing in the end."""
    held_back = _held_back(case)
    if case.full and not held_back:
        return
    places = _places(case)
    if not places:
        return
    node = places[0][0]
    yield case.suspicion(node, 0.93 if held_back else 0.88, part=case.first_line(node))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Take the penalties out."""
    yield [edit for _, edits in _places(case) for edit in edits]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Add a penalty on a parameter to the loss, or let the optimizer add one."""
    for training in trainings(case):
        value = root_value(training)
        for name in training.names[:1]:
            text = f"{atom(case.code, value)} + 0.1 * ({name} ** 2).sum()"
            tight = isinstance(case.code.parent(value), ast.Attribute)
            yield [case.code.replace(value, f"({text})" if tight else text)]
    for call in optimizer_calls(case):
        yield [with_keyword(case, call, "weight_decay", "0.1")]


def _places(case: Case) -> list[tuple[ast.AST, list[Edit]]]:
    found: list[tuple[ast.AST, list[Edit]]] = []
    for call in case.code.all(ast.Call):
        for keyword in call.keywords:
            if keyword.arg == "weight_decay" and (case.number(keyword.value) or 0.0) > 0:
                found.append((keyword, [drop_keyword(case.code, call, keyword)]))
    for key, value in _settings(case):
        if (case.number(value) or 0.0) > 0:
            found.append((key, [case.code.replace(value, "0.0")]))
    forward = forward_of(case)
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        if not isinstance(node.op, ast.Add):
            continue
        for kept, penalty in ((node.left, node.right), (node.right, node.left)):
            if (
                _is_penalty(forward, penalty)
                and not forward.parameters_only(kept)
                and forward.is_loss_like(kept)
            ):
                found.append((penalty, keep_only(case.code, node, kept)))
                break
    for statement in case.code.all(ast.AugAssign):
        if (
            isinstance(statement.op, ast.Add)
            and isinstance(statement.target, ast.Name)
            and statement.target.id in forward.root_names
            and _is_penalty(forward, statement.value)
        ):
            found.append((statement, [case.code.delete(statement)]))
    return found


def _settings(case: Case) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Where a dict says `weight_decay`, as the groups of an optimizer do, and what it says."""
    for table in case.code.all(ast.Dict):
        for key, value in zip(table.keys, table.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "weight_decay":
                yield key, value
    for statement in case.code.all(ast.Assign):
        for target in statement.targets:
            place = target.slice if isinstance(target, ast.Subscript) else None
            if isinstance(place, ast.Constant) and place.value == "weight_decay":
                yield target, statement.value


def _held_back(case: Case) -> bool:
    """Whether a training came to rest where the decay holds the gradient of the loss in balance, well off the minimum."""
    if not case.gradient_events or not case.steps:
        return False
    last, optimizer = case.gradient_events[-1], case.steps[-1].optimizer
    decay = None if optimizer is None else optimizer.settings.get("weight_decay")
    if optimizer is None or not isinstance(decay, int | float) or optimizer.kind.endswith("W"):
        return False  # what ends in W decays apart from the gradient
    ours = [one for one in last.tensors[: last.leaves] if one.number in optimizer.tensors]
    gradients = [numbers_of(last.after.get(one.number)) for one in ours]
    values = [numbers_of(one.value) for one in ours]
    if not ours or len(ours) < last.leaves or any(one is None for one in (*gradients, *values)):
        return False
    gradient, value = (
        np.concatenate([one for one in part if one is not None]) for part in (gradients, values)
    )
    size = float(np.linalg.norm(gradient))
    return size > PULL and float(np.linalg.norm(gradient + decay * value)) < BALANCED * size


def _is_penalty(forward: Forward, node: ast.expr) -> bool:
    return forward.tracked(node) and forward.parameters_only(node) and _measures_size(forward, node, 2)


def _measures_size(forward: Forward, node: ast.expr, depth: int) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow):
            return True
        if (
            isinstance(inner, ast.BinOp)
            and isinstance(inner.op, ast.Mult)
            and ast.unparse(inner.left) == ast.unparse(inner.right)
        ):
            return True
        if isinstance(inner, ast.Call):
            name = inner.func.attr if isinstance(inner.func, ast.Attribute) else getattr(inner.func, "id", "")
            if name in _SIZES:
                return True
        if (
            depth
            and isinstance(inner, ast.Name)
            and inner.id not in forward.parameters
            and any(_measures_size(forward, value, depth - 1) for value in forward.values(inner))
        ):
            return True
    return False
