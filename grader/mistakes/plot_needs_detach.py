"""A tensor that requires a gradient is handed to NumPy or matplotlib, for a plot or a table.

## What it is

`plt.plot(x, y_pred)` and `np.array(losses)` turn tensors into arrays. PyTorch refuses that for a tensor that requires a
gradient, since the array would lose its history without anybody having asked for it.

## Why it matters

The training is done and may be right; the run stops at the plot.

## Example

```python
import numpy as np
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
print(np.array(w))  # ←
```

## Fix

Hand over a copy without history: `np.array(w.detach())`; of losses, keep numbers: `losses.append(loss.item())`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves, training_statements
from grader.model import RunError

TEXT = {
    "en": Words(
        title="a tensor for a plot still requires a gradient",
        message="`{line_text}` needs plain numbers, and {name} still belongs to a computation that gradients are taken of.",
        why="The run stops at this line. The training before it is not touched by this.",
        fix="Hand over the numbers alone: `.detach()` for a tensor, `.item()` where a single number is kept.",
        terms={"name": {"unnamed": "the tensor"}},
    ),
    "zh": Words(
        title="用来画图的张量还带着梯度信息",
        message="`{line_text}` 需要普通的数字，而 {name} 仍然属于要求梯度的计算。",
        why="运行在这一行停下。这并不影响前面的训练。",
        fix="只交出数值：张量用 `.detach()`，单个数用 `.item()` 保存。",
        terms={"name": {"unnamed": "这个张量"}},
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error at a line that no loss is computed from."""
    for error in case.errors:
        if "call numpy() on Tensor that requires grad" not in error.message or error.cell is None:
            continue
        statement = case.code.at(error.cell, error.line)
        if statement is None or _in_forward(case, statement):
            continue
        names = [name.id for name in _tracked_names(case, statement, error)]
        yield case.suspicion(error, 0.95, name=names[0] if names else "unnamed", about=statement)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Detach what is handed over; of lists, keep numbers from the start."""
    statement = suspicion.node
    error = next(
        (one for one in case.errors if (one.cell, one.line) == (suspicion.cell, suspicion.line)), case.error
    )
    if not isinstance(statement, ast.stmt) or error is None:
        return
    edits: list[Edit] = []
    lists: set[str] = set()
    for name in _tracked_names(case, statement, error):
        _, end = case.code.span(name)
        if _appends(case, name.id):
            lists.add(name.id)
        elif not _is_detached(case, name):
            edits.append(Edit(case.code.cell_of(name), end, end, ".detach()"))
    for name_ in sorted(lists):
        for call in _appends(case, name_):
            argument = call.args[0]
            _, end = case.code.span(argument)
            if isinstance(argument, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
                edits.append(Edit(case.code.cell_of(argument), end, end, ".item()"))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Turn a parameter into numpy, as for a plot, when the training is over."""
    names = [leaf.name for leaf in leaves(case) if isinstance(case.code.parent(leaf.statement), ast.Module)]
    for statement in training_statements(case):
        if names:
            yield [case.code.insert_after(statement, f"shown = {names[0]}.numpy()")]


def _in_forward(case: Case, statement: ast.stmt) -> bool:
    forward = forward_of(case)
    return any(case.code.statement(part) is statement for part in forward.parts)


def _tracked_names(case: Case, statement: ast.stmt, error: RunError) -> list[ast.Name]:
    look = case.at_error(error) or case.end
    tracked: set[str] = set()
    if look is not None:
        for tensor in look.tensors:
            if tensor.requires_grad:
                tracked |= {name.split(".")[0].split("[")[0] for name in tensor.names}
        tracked |= {holder.name for holder in look.holders if holder.tracked}
    forward = forward_of(case)
    return [
        name
        for name in case.code.inside(statement, ast.Name)
        if isinstance(name.ctx, ast.Load) and (name.id in tracked or (look is None and forward.tracked(name)))
    ]


def _appends(case: Case, name: str) -> list[ast.Call]:
    return [
        call
        for call in case.code.calls("append")
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == name
        and call.args
    ]


def _is_detached(case: Case, name: ast.Name) -> bool:
    """Whether a name is read only as in `w.item()` or `f(w)`, where nothing has to be mended."""
    parent = case.code.parent(name)
    if isinstance(parent, ast.Attribute):
        return parent.attr not in ("numpy", "squeeze", "view", "reshape", "flatten", "T", "cpu", "ravel")
    if isinstance(parent, ast.Call):
        return parent.func is name or called(parent) in ("print", "len", "float")
    return False
