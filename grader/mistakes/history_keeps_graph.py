"""Losses are kept with their graphs, for the record only.

## What it is

`losses.append(loss)` keeps the tensor, and with it the whole graph that the loss was computed by. `total += loss` links the graphs of all
steps into one.

## Why it matters

Memory grows with every step. For a line that is little; for a network it is the usual way to run out of it. Plotting the list
fails, too, as its entries still require a gradient.

## Example

```python
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
losses = []
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    losses.append(loss)  # ←
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Keep the number: `losses.append(loss.item())`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import last_name, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.planting import named_root
from grader.evidence.rewrite import atom
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="the record of losses keeps every graph alive",
        message="`{line_text}` keeps the loss as a tensor, together with the whole record of how it was computed (the graph; {name} holds on to {count} of them).",
        why="The result stays right, but memory grows with every step.",
        fix="Keep only the number: {value}.item().",
    ),
    "zh": Words(
        title="损失的记录让每一步的计算图都留在内存里",
        message="`{line_text}` 把损失作为张量保存，连同它是怎样算出来的全部记录（计算图）一起留了下来（{name} 保留了 {count} 个）。",
        why="结果仍然正确，但内存占用会随每一步增长。",
        fix="只保存数值：{value}.item()。",
    ),
}

ADDING = ("append", "add", "extend", "insert")


def detect(case: Case) -> Iterator[Suspicion]:
    """Lists that held tracked tensors at some moment, and totals that grew into graphs, with the line that feeds them."""
    found = list(_kept(case)) or list(_totals(case))
    for value, name, count in found[:1]:
        statement = case.code.statement(value)
        yield case.suspicion(
            statement,
            0.95,
            name=name,
            value=atom(case.code, value),
            count=float(count),
            advice=True,
            about=value,
        )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Keep the number."""
    value = suspicion.node
    if isinstance(value, ast.expr):
        yield [case.code.replace(value, f"{atom(case.code, value)}.item()")]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Keep each loss, with its graph, in a list."""
    for training in trainings(case):
        name, lines = named_root(training)
        if training.loop is not None and not lines:
            made = case.code.insert_before(training.whole, "losses = []")
            yield [made, case.code.insert_after(training.statement, f"losses.append({name})")]


def _kept(case: Case) -> Iterator[tuple[ast.expr, str, int]]:
    """What is put, in a loop, into a list or dict that was seen to hold graphs."""
    tracked: dict[str, list[int]] = {}
    for event in case.events:
        for holder in event.holders:
            if holder.tracked > 1 and holder.storages > 1:
                tracked.setdefault(holder.name, []).append(holder.tracked)
    used = _backwarded(case)
    for held, value in _put_away(case):
        name = last_name(_whole(held))
        counts = tracked.get(name, [])
        if isinstance(case.code.statement(value), ast.Assign) and len(set(counts)) < 2:  # noqa: PLR2004
            continue  # it changes what is there, and grows no longer
        if counts and name not in used and not _is_number(value) and case.code.loop(value) is not None:
            yield value, name, max(counts)


def _put_away(case: Case) -> Iterator[tuple[ast.expr, ast.expr]]:
    """`losses.append(loss)`, `history["loss"] += [loss]`, `losses[step] = loss`: the holder and what it is given."""
    for call in case.code.calls(*ADDING):
        if (
            isinstance(call.func, ast.Attribute)
            and call.args
            and isinstance(case.code.parent(call), ast.Expr)
        ):
            yield call.func.value, call.args[-1]
    for added in case.code.all(ast.AugAssign):
        if isinstance(added.op, ast.Add) and isinstance(added.value, ast.List) and len(added.value.elts) == 1:
            yield added.target, added.value.elts[0]
    for assigned in case.code.all(ast.Assign):
        if isinstance(assigned.targets[0], ast.Subscript):
            yield assigned.targets[0], assigned.value


def _whole(holder: ast.expr) -> ast.expr:
    """The list or dict itself of one that lies in it: `history["loss"]`, `history.setdefault("loss", [])`."""
    while True:
        if isinstance(holder, ast.Subscript):
            holder = holder.value
        elif isinstance(holder, ast.Call) and isinstance(holder.func, ast.Attribute):
            holder = holder.func.value
        else:
            return holder


def _totals(case: Case) -> Iterator[tuple[ast.expr, str, int]]:
    """`total += loss` and its like with the loss that is backwarded, where total is a result that requires a gradient."""
    roots = {name for event in case.gradient_events if event.root is not None for name in event.root.names}
    growing: dict[str, int] = {}
    for event in case.events:
        for tensor in event.tensors:
            for name in tensor.names:
                if tensor.requires_grad and tensor.made_by == "AddBackward0":
                    growing[name] = max(growing.get(name, 0), event.call)
    for statement in case.code.all(ast.AugAssign, ast.Assign):
        target, value = _added(statement)
        name = "" if target is None else ast.unparse(target)
        if value is None or name in roots or growing.get(name, 0) < 1 or not names_in(value) & roots:
            continue
        within = [loop for loop in case.training_loops if statement in ast.walk(loop)]
        if within and not _reset(case, within[-1], name):
            yield value, name, growing[name]


def _added(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    """The total and what it grows by, of `total += loss`, `total = total + loss`, `total = torch.add(total, loss)`."""
    if isinstance(statement, ast.AugAssign):
        return (statement.target, statement.value) if isinstance(statement.op, ast.Add) else (None, None)
    if not isinstance(statement, ast.Assign):
        return None, None
    target, value = statement.targets[0], statement.value
    sides: list[ast.expr] = []
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        sides = [value.left, value.right]
    elif isinstance(value, ast.Call) and last_name(value.func) == "add":
        own = value.func.value if isinstance(value.func, ast.Attribute) and len(value.args) == 1 else None
        sides = [*([] if own is None else [own]), *value.args]
    others = [side for side in sides if ast.unparse(side) != ast.unparse(target)]
    return (target, others[0]) if len(sides) == 2 and len(others) == 1 else (None, None)  # noqa: PLR2004 - both sides


def _reset(case: Case, loop: ast.AST, name: str) -> bool:
    """Whether a total begins anew in each round of the outermost loop."""
    return any(
        ast.unparse(target) == name and _added(statement) == (None, None)
        for statement in case.code.inside(loop, ast.Assign)
        for target in targets_of(statement)
    )


def _backwarded(case: Case) -> set[str]:
    """Names that a loss is computed from: `torch.stack(losses).mean().backward()`."""
    return {
        node.id
        for call in case.code.calls("stack", "sum", "cat")
        if any(
            isinstance(outer, ast.Attribute) and outer.attr == "backward" for outer in _outwards(case, call)
        )
        for node in ast.walk(call)
        if isinstance(node, ast.Name)
    }


def _outwards(case: Case, node: ast.AST) -> Iterator[ast.AST]:
    outer = case.code.parent(node)
    while outer is not None and not isinstance(outer, ast.stmt):
        yield outer
        outer = case.code.parent(outer)


def _is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and last_name(value.func) in (
        "item",
        "float",
        "tolist",
        "detach",
        "clone",
    )
