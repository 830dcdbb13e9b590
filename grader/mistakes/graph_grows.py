"""The graphs of earlier steps are kept, so that each step has more to hold, or to go back through.

## What it is

`retain_graph=True` and `create_graph=True` tell backward() to keep the record of the computation. In an ordinary
training loop nobody needs it any more. Where a running total is backwarded, it contains all earlier steps.

## Why it matters

Training uses more memory and may become slower with every step. A total that is backwarded again also counts the
gradients of earlier steps once more.

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
    loss.backward(create_graph=True)  # ←
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Call `loss.backward()` without these options, on the loss of this step alone.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise

from grader.evidence.case import Case
from grader.evidence.code import Loop, targets_of
from grader.evidence.creation import with_keyword
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.trace import Event

TEXT = {
    "en": Words(
        title="the graphs of earlier steps are kept",
        message="`{line_text}` keeps the record of how the loss was computed (the graph) after backward(). At one call it had {nodes} operations.",
        why="A step needs only its own graph; keeping more costs memory and time, and may count old gradients again.",
        fix="Call backward() without retain_graph and create_graph, on the loss of this step.",
    ),
    "zh": Words(
        title="一直保留着前面各步的计算图",
        message="`{line_text}` 在 backward() 之后仍然保留损失的计算记录（计算图）。其中一次调用时它有 {nodes} 个操作。",
        why="每一步只需要自己的计算图；多保留会占用内存和时间，还可能把旧的梯度再算一遍。",
        fix="调用 backward() 时不要写 retain_graph 和 create_graph，并且只对这一步的损失调用。",
    ),
}


# The calls of a place that are all seen, and so few that nothing can be said of them.
EARLY, FEW = 20, 3
OPTIONS = ("retain_graph", "create_graph")


def detect(case: Case) -> Iterator[Suspicion]:
    """Graphs that grow from call to call at one place, and `create_graph` in a loop whose gradients are not used further."""
    for events in case.places().values():
        nodes = [event.nodes for event in events if event.call < EARLY]
        grows = len(nodes) > FEW and all(after > before for before, after in pairwise(nodes))
        last = events[-1]
        # Parameters that `torch.autograd.grad` moved hang on all steps before; that keeps no graph of a loss.
        grows = grows and (last.kind == "backward" or last.retain_graph or last.create_graph)
        grows = grows or (len(events) > FEW and last.retain_graph and _added(case, last) is not None)
        if grows or (len(events) > FEW and _kept(case, last)):
            yield case.suspicion(
                last, 0.93, nodes=float(max(event.nodes for event in events)), advice=not grows
            )
            return


def _kept(case: Case, event: Event) -> bool:
    """Whether a backward says `create_graph=True`, and nothing asks for a second derivative."""
    statement = case.code.at(event.cell, event.line)
    if statement is None or any(case.code.calls("grad")):
        return False
    return any(
        keyword.arg == "create_graph"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value is True
        for call in case.code.calls("backward", inside=statement)
        for keyword in call.keywords
    )


def _added(case: Case, event: Event) -> ast.expr | None:
    """What each round of the loop around a backward adds to the total that it is called on."""
    statement = case.code.at(event.cell, event.line)
    loop = None if statement is None else case.code.loop(statement)
    for call in () if statement is None else case.code.calls("backward", inside=statement):
        if loop is not None and isinstance(call.func, ast.Attribute):
            return _addend(case, loop, ast.unparse(call.func.value))
    return None


def _addend(case: Case, loop: Loop, total: str) -> ast.expr | None:
    """`loss` of `total += loss` and `total = total + loss`."""
    found = None
    for one in case.code.inside(loop, ast.AugAssign, ast.Assign):
        assert isinstance(one, ast.AugAssign | ast.Assign)
        if case.code.loop(one) is not loop or [ast.unparse(target) for target in targets_of(one)] != [total]:
            continue
        value = one.value
        if isinstance(one, ast.AugAssign):
            found = value if isinstance(one.op, ast.Add) else found
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            if ast.unparse(value.left) == total:
                found = value.right
            elif ast.unparse(value.right) == total:
                found = value.left
    return found


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Leave the options away, and call backward on what this step adds to a running total."""
    statement = case.code.at(suspicion.cell or 0, suspicion.line)
    calls = [] if statement is None else list(case.code.calls("backward", inside=statement))
    if not calls or not isinstance(calls[0].func, ast.Attribute):
        return
    call = calls[0]
    owner = call.func.value  # type: ignore[attr-defined]
    rest = [case.code.text(one) for one in call.args]
    rest += [case.code.text(one) for one in call.keywords if one.arg not in OPTIONS]
    edits = [case.code.replace(call, f"{case.code.text(owner)}.backward({', '.join(rest)})")]
    loop = case.code.loop(call)
    added = None if loop is None else _addend(case, loop, ast.unparse(owner))
    if added is not None:
        text = case.code.text(added)
        text = text if isinstance(added, ast.Name | ast.Call) else f"({text})"
        total = case.code.replace(added, f"{text}.detach()")
        yield [case.code.replace(call, f"{text}.backward({', '.join(rest)})"), total]
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Ask for a graph of the gradients, which nothing uses."""
    for training in trainings(case):
        if training.loop is not None:
            yield [with_keyword(case, training.call, "create_graph", "True")]
