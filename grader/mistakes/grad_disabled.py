"""The loss is computed where autograd is off, so that it has no history.

## What it is

`with torch.no_grad():` is meant for the update alone. Here the prediction or the loss stands inside it too.

## Why it matters

PyTorch does not write down how the loss came from the parameters. backward() stops with "element 0 of tensors does not
require grad".

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    with torch.no_grad():  # ←
        loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Take the prediction, the loss and backward() out of the block; leave the update in it.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called, last_name
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import root_value, trainings

TEXT = {
    "en": Words(
        title="the loss is computed while autograd is off",
        message="`{line_text}` switches autograd off, and the loss is computed under it. PyTorch does not write down how the loss "
        "came from the parameters.",
        why="backward() has nothing to go back along and stops.",
        fix="Compute prediction and loss, and call backward(), outside of it. Only the update belongs inside.",
    ),
    "zh": Words(
        title="在关闭自动求导的情况下计算损失",
        message="`{line_text}` 关闭了自动求导，而损失是在其中计算的。PyTorch 没有记录损失是怎样由参数算出来的。",
        why="backward() 无路可回，于是报错停下。",
        fix="把预测、损失和 backward() 移到外面；只有参数更新应当放在里面。",
    ),
}

_OFF = ("no_grad", "inference_mode")


def detect(case: Case) -> Iterator[Suspicion]:
    """What switches autograd off around the forward pass, where the run shows it was off."""
    off = _was_off(case)
    if not off and case.error is not None and not case.says("does not require grad"):
        return
    for place in _places(case):
        text = case.code.line(case.code.cell_of(place), place.lineno).strip()
        yield case.suspicion(place, 0.96 if off else 0.75, line_text=text)
        return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Take the forward pass out, and leave the update in."""
    edits: list[Edit] = []
    for place in _places(case):
        if isinstance(place, ast.With):
            edits += _opened(case, place)
        elif isinstance(place, ast.stmt):
            edits.append(case.code.delete(place))
        else:
            line = place.lineno
            edits.append(Edit(case.code.cell_of(place), (line, 0), (line + 1, 0), ""))
            function = case.code.around(place, ast.FunctionDef)
            if function is not None:
                edits += _guarded(case, function)
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Compute the loss inside `torch.no_grad()`."""
    for training in trainings(case):
        yield case.code.wrap([case.code.statement(root_value(training))], "with torch.no_grad():")


def _was_off(case: Case) -> bool:
    if any(not event.recorded and event.raised for event in case.gradient_events):
        return True
    if any(event.root is not None and event.root.requires_grad for event in case.gradient_events):
        return False
    if case.says("does not require grad") is None:
        return False
    return any(act.tracked and not act.recorded and act.name.split(".")[-1] in _FORWARD for act in case.acts)


_FORWARD = ("mul", "matmul", "linear", "__rmul__", "mm", "add")


def _places(case: Case) -> list[ast.With | ast.expr | ast.stmt]:
    forward = forward_of(case)
    tracked = [part for part in forward.parts if forward.tracked(part)]
    found: dict[ast.With | ast.expr | ast.stmt, None] = {}
    for part in tracked:
        outer = case.code.parent(part)
        while outer is not None:
            if isinstance(outer, ast.With) and any(_switches_off(item.context_expr) for item in outer.items):
                found[outer] = None
            if isinstance(outer, ast.FunctionDef):
                for decorator in outer.decorator_list:
                    if _switches_off(decorator) or last_name(decorator) in _OFF:
                        found[decorator] = None
            outer = case.code.parent(outer)
    for call in case.code.calls("set_grad_enabled", "_set_grad_enabled"):
        statement = case.code.statement(call)
        if isinstance(statement, ast.Expr) and _switches_off(call):
            found[statement] = None
    return list(found)


def _switches_off(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if called(node) in _OFF:
        return not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value is False)
    if called(node) != "set_grad_enabled" or not node.args:
        return False
    return isinstance(node.args[0], ast.Constant) and node.args[0].value is False


def _opened(case: Case, block: ast.With) -> list[Edit]:
    """The block's lines moved left to where the block began, save for the updates, which get a block of their own."""
    cell, code = case.code.cell_of(block), case.code
    (start, column), _ = code.span(block)
    (first, inner), _ = code.span(block.body[0])
    if first == start:
        return [Edit(cell, (start, column), (first, inner), "")]
    depth = inner - column
    runs = _update_runs(case, block)
    inside = {line for run in runs for one in run for line in range(one.lineno, (one.end_lineno or 0) + 1)}
    edits = [Edit(cell, (start, 0), (first, 0), "")]
    if first > start + 1 and any(code.line(cell, line).strip() for line in range(start + 1, first)):
        edits = [Edit(cell, (start, 0), (start + 1, 0), "")]
        first = start + 1
    heads = {run[0].lineno: run[0].col_offset - depth for run in runs}
    for line in range(first, (block.end_lineno or first) + 1):
        if line in heads:
            edits.append(Edit(cell, (line, 0), (line, 0), " " * heads[line] + "with torch.no_grad():\n"))
        if line not in inside and code.line(cell, line)[:depth].strip() == "":
            edits.append(Edit(cell, (line, 0), (line, min(depth, len(code.line(cell, line)))), ""))
    return edits


def _guarded(case: Case, function: ast.FunctionDef) -> list[Edit]:
    edits = []
    for run in _update_runs(case, function):
        edits += case.code.wrap(run, "with torch.no_grad():")
    return edits


def _update_runs(case: Case, block: ast.stmt) -> list[list[ast.stmt]]:
    """Neighbouring statements that change parameters by hand."""
    runs: list[list[ast.stmt]] = []
    last: ast.stmt | None = None
    for node in case.code.inside(block, ast.AugAssign, ast.Expr, ast.Assign):
        assert isinstance(node, ast.stmt)
        within = case.code.around(node, ast.With)
        if not _is_update(node) or (
            within is not None and within is not block and _is_inside(case, within, block)
        ):
            continue
        neighbours = case.code.block(node)
        index = neighbours.index(node)
        if runs and index and neighbours[index - 1] is last:
            runs[-1].append(node)
        else:
            runs.append([node])
        last = node
    return runs


def _is_inside(case: Case, node: ast.AST, block: ast.AST) -> bool:
    return any(one is node for one in case.code.inside(block, ast.With))


def _is_update(node: ast.stmt) -> bool:
    if isinstance(node, ast.AugAssign):
        return _reads_grad(node.value)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return called(node.value) in ("sub_", "add_", "copy_") and _reads_grad(node.value)
    return False


def _reads_grad(node: ast.expr) -> bool:
    return any(
        (isinstance(inner, ast.Attribute) and inner.attr == "grad")
        or (isinstance(inner, ast.Name) and ("grad" in inner.id or inner.id.startswith("d")))
        for inner in ast.walk(node)
    )
