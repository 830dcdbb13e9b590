"""A column meets a row, and PyTorch subtracts every number from every other.

## What it is

A prediction of shape (100, 1) minus a target of shape (100,) is not a hundred differences: PyTorch stretches both to
(100, 100) and takes ten thousand.

## Why it matters

Nothing complains. Each prediction is compared with all targets, so the best line is flat: w goes to 0 and b to the mean of
y.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    y_pred = w * x.view(-1, 1) + b
    loss = ((y_pred - y) ** 2).mean()  # ←
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Give both the same shape: `y.view(-1, 1)`, or leave x as it is. `print(loss_per_point.shape)` shows it at once.
"""

import ast
import math
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of, residuals
from grader.evidence.planting import suffixed
from grader.evidence.rewrite import atom
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import errors_taken, reductions
from grader.trace import Event, Operation

TEXT = {
    "en": Words(
        title="shapes do not match: everything is compared with everything",
        message="The prediction has the shape {one} and the target {other}. PyTorch stretches both to {both} and compares every "
        "prediction with every target.",
        why="The line that is best for all targets at once is flat, and training goes there.",
        fix="Give both the same shape, for instance with `.view(-1, 1)` or `.squeeze(1)`.",
    ),
    "zh": Words(
        title="形状不一致：每个值都与所有值相减",
        message="预测值的形状是 {one}，目标值的形状是 {other}。PyTorch 把两者都扩展成 {both}，于是每个预测值都与所有目标值比较。",
        why="同时对所有目标最好的直线是水平的，训练就会走向那里。",
        fix="让两者形状相同，例如用 `.view(-1, 1)` 或 `.squeeze(1)`。",
    ),
}

_MEETING = (
    "SubBackward0",
    "RsubBackward1",
    "MseLossBackward0",
    "L1LossBackward0",
    "SmoothL1LossBackward0",
    "SubBackward1",
)


class _Stretch(NamedTuple):
    event: Event
    one: tuple[int, ...]
    other: tuple[int, ...]
    both: tuple[int, ...]


def detect(case: Case) -> Iterator[Suspicion]:
    """A difference in the graph that has more numbers than what it was taken of."""
    found = _stretched(case)
    if found is None:
        return
    forward = forward_of(case)
    places = _places(forward)
    node = places[0][0] if places else None
    yield case.suspicion(
        node or found.event, 0.97, one=_shape(found.one), other=_shape(found.other), both=_shape(found.both)
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Give the target the prediction's shape: where it is made, if the data was meant to be a column, else where they meet."""
    found = _stretched(case)
    if found is None:
        return
    forward = forward_of(case)
    view = "view(-1, 1)" if len(found.one) > 1 else "view(-1)"
    meeting = [
        case.code.replace(target, f"{atom(case.code, target)}.{view}") for _, _, target in _places(forward)
    ]
    made = [
        case.code.replace(value, f"{atom(case.code, value)}.{view}")
        for _, _, target in _places(forward)
        if isinstance(target, ast.Name)
        for value in _made(forward, target)
    ]
    ways = [made, meeting] if case.failed("data-differs") else [meeting, made]
    yield from ([*dict.fromkeys(way)] for way in ways if way)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Give the targets, where they meet the predictions, one dimension more or less than those have."""
    if not any(reductions(case)) and not any(case.code.calls("MSELoss")):
        return
    for whole, _, target in errors_taken(case):
        if isinstance(whole, ast.BinOp) or called(whole) in ("criterion", "mse_loss"):  # type: ignore[arg-type]
            flat = _columns(case, target)
            yield [suffixed(case, target, ".squeeze(1)" if flat else ".unsqueeze(1)")]


def _columns(case: Case, target: ast.expr) -> bool:
    """Whether the run ended with targets of shape (n, 1)."""
    shapes = (
        [one.shape for one in case.end.tensors if ast.unparse(target) in one.names]
        if case.end is not None
        else []
    )
    return bool(shapes) and len(shapes[0]) == 2  # noqa: PLR2004 - rows and columns


def _stretched(case: Case) -> _Stretch | None:
    for event in case.gradient_events:
        for operation in event.operations:
            if operation.name not in _MEETING:
                continue
            shapes = _given(event, operation)
            both = _met(event, operation)
            if len(both) != 2 or min(both) < 2 or not shapes:  # noqa: PLR2004 - a row and a column, of several each
                continue
            for shape in shapes:
                if math.prod(shape) < math.prod(both) and math.prod(shape) > 1:
                    other = (both[1],) if len(shape) > 1 else (both[0], 1)
                    return _Stretch(event, shape, other, both)
    return None


def _inner(event: Event, operation: Operation) -> list[Operation]:
    return [event.operations[k] for k in operation.inputs if 0 <= k < len(event.operations)]


def _met(event: Event, operation: Operation) -> tuple[int, ...]:
    """The shape in which the two met; a loss function stretches its arguments first."""
    stretched = [one.shape for one in _inner(event, operation) if one.name == "ExpandBackward0"]
    return operation.shape or next(iter(stretched), ())


def _given(event: Event, operation: Operation) -> list[tuple[int, ...]]:
    """The shapes of what was given to it."""
    return [
        further.shape
        for one in _inner(event, operation)
        for further in (_inner(event, one) if one.name == "ExpandBackward0" else [one])
    ]


def _places(forward: Forward) -> list[tuple[ast.expr, ast.expr, ast.expr]]:
    """Where they meet, as (expression, prediction, target)."""
    found = []
    for whole, left, right in residuals(forward):
        if forward.tracked(left) and not forward.tracked(right):
            found.append((whole, left, right))
        elif forward.tracked(right) and not forward.tracked(left):
            found.append((whole, right, left))
    inner = [one for one in found if isinstance(one[0], ast.BinOp)]
    return inner or found


def _made(forward: Forward, name: ast.Name) -> list[ast.expr]:
    """What the target is made of, outside of functions and loops."""
    values = forward.values(name)
    return values[-1:] if values and forward.code.loop(values[-1]) is None else []


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
