"""The loss is computed once and backward() runs on it again and again; its graph can be used once only.

## What it is

`backward()` walks back through the record of how the loss was computed (the graph) and throws it away. A second
`backward()` needs a new forward pass. Here the loss, or a part of it, was computed only once, before the loop.

## Why it matters

PyTorch stops with "Trying to backward through the graph a second time". With `retain_graph=True` it does not, but
the loss then stays the one of the first step, whatever the parameters have become.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
loss = ((w * x + b - y) ** 2).mean()
for step in range(1000):
    loss.backward()  # ←
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Compute prediction and loss inside the loop, anew in each step.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise

from grader.evidence.case import Case
from grader.evidence.code import Loop, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.planting import moved, named_root
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import root_value, trainings
from grader.model import RunError
from grader.trace import Event

TEXT = {
    "en": Words(
        title="backward() runs twice on one computation",
        message="`{line_text}` goes back through a computation that was used before: {name} was not computed anew.",
        why="Each backward() needs a computation of its own; the old one knows only the old parameters.",
        fix="Compute {name} inside the loop, with one backward() for each time.",
    ),
    "zh": Words(
        title="对同一次计算调用了两次 backward()",
        message="`{line_text}` 又沿着一次已经用过的计算往回求梯度：{name} 没有重新计算。",
        why="每次 backward() 都需要一次新的计算；旧的计算只认识旧的参数。",
        fix="在循环里重新计算 {name}，每次只调用一次 backward()。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The error that says so; or, where the graph is retained, one loss for several calls."""
    error = case.says(
        "backward through the graph a second time", "saved tensors after they have already been freed"
    )
    if error is not None:
        yield _suspicion(case, error)
        return
    for events in case.places().values():
        roots = [event.root.number for event in events if event.root is not None]
        moved = any(bool((move.delta != 0).any()) for move in case.moves(events))
        grows = len({event.nodes for event in events}) > 1  # `total += loss` adds to the tensor that it is
        if moved and roots[2:] and len(set(roots)) == 1 and _same_wanted(events) and not grows:
            yield _suspicion(case, events[0])


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Take a second backward away; compute what is stale inside the loop; or leave a target as the data gave it."""
    statement = case.code.at(suspicion.cell or 0, suspicion.line)
    if statement is None:
        return
    block = case.code.block(statement)
    text = case.code.text(statement)
    twice = [
        one
        for one in block
        if isinstance(one, ast.Expr) and case.code.text(one).split("(")[0] == text.split("(")[0]
    ]
    if len(twice) > 1 and case.code.loop(statement) is not None:
        yield [case.code.delete(one) for one in twice[1:]]
    loop = _outermost(case, statement)
    if loop is None:
        return
    stale = _stale_names(case)
    read = {node.id for node in case.code.inside(loop, ast.Name) if isinstance(node.ctx, ast.Load)}
    sliced = _slice_before(case, loop, read & stale, stale)
    yield from _moved(case, loop, sliced)
    for one in sliced:
        for target in targets_of(one):
            name = ast.unparse(target)
            if (
                sum(
                    name in [ast.unparse(t) for t in targets_of(other)] for other in case.code.all(ast.Assign)
                )
                > 1
            ):
                yield [case.code.delete(one)]
            yield [case.code.insert_after(one, f"{name} = {name}.detach()")]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Call backward twice; or compute the loss once, in front of the loop."""
    for training in trainings(case):
        name, lines = named_root(training)
        again = f"{name}.backward()"
        if lines:
            before = case.code.insert_before(training.statement, *lines)
            yield [
                before,
                case.code.replace(
                    training.statement, f"{again}\n{case.code.indent(training.statement)}{again}"
                ),
            ]
        else:
            yield [case.code.insert_after(training.statement, again)]
        loss = case.code.statement(root_value(training))
        again_each_time = isinstance(training.loop, ast.For) and names_in(loss) & _taken(training.loop)
        if training.loop is not None and loss is not training.statement and not again_each_time:
            yield moved(case, [loss], before=training.loop)


def _taken(loop: ast.For) -> set[str]:
    """The names that a loop gives to what it goes over."""
    return {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}


def _moved(case: Case, loop: Loop, sliced: list[ast.stmt]) -> Iterator[list[Edit]]:
    if not sliced:
        return
    made = {ast.unparse(target) for one in sliced for target in targets_of(one)}
    lines = [case.code.text(one) for one in sliced]
    if any("\n" in line for line in lines):
        return
    edits = [case.code.insert_before(loop.body[0], *lines)]
    others = [
        node
        for node in case.code.all(ast.Name)
        if node.id in made and isinstance(node.ctx, ast.Load) and case.code.statement(node) not in sliced
    ]
    inside = set(map(id, case.code.inside(loop, ast.Name)))
    end = case.code.cell_of(loop), loop.end_lineno or loop.lineno
    if all(id(node) in inside or (case.code.cell_of(node), node.lineno) > end for node in others):
        yield edits + [case.code.delete(one) for one in sliced]
    yield edits
    last = updates_end(loop)
    if last is not None:
        yield [case.code.insert_after(last, *lines)]


def _same_wanted(events: list[Event]) -> bool:
    """Whether every call was after the same gradients: `grad(loss, p)` for one parameter after the other is not."""
    if events[0].kind == "backward":
        return True
    return bool(events[0].after) and all(set(event.after) == set(events[0].after) for event in events)


def updates_end(loop: Loop) -> ast.stmt | None:
    """The statement of a loop in front of its last one, where that is a backward."""
    ends = len(loop.body) > 1 and "backward" in ast.unparse(loop.body[-1])
    return loop.body[-2] if ends else None


def _outermost(case: Case, statement: ast.stmt) -> Loop | None:
    loop = case.code.loop(statement)
    while loop is not None and (outer := case.code.loop(loop)) is not None:
        loop = outer
    return loop


def _suspicion(case: Case, at: Event | RunError) -> Suspicion:
    statement = case.code.at(at.cell or 0, at.line)
    calls = [] if statement is None else list(case.code.calls("backward", inside=statement))
    owner = ast.unparse(calls[0].func.value) if calls and isinstance(calls[0].func, ast.Attribute) else ""
    if not owner and isinstance(at, Event) and at.root is not None:
        owner = next(iter(at.root.names), "")
    return case.suspicion(at, 0.95, name=owner or "loss")


def _stale_names(case: Case) -> set[str]:
    """Names of results that a later gradient call at the same place, or an error, found as they had been before."""
    found: set[str] = set()
    sights = [list(events) for events in case.places().values()]
    for error in case.errors:
        event = case.at_error(error)
        if event is not None and case.gradient_events:
            sights.append([case.gradient_events[0], event])
    for events in sights:
        for first, second in list(pairwise(events))[:3]:
            old = {one.number for one in first.tensors if not one.leaf}
            found |= {name for one in second.tensors if one.number in old for name in one.names}
    return found


def _slice_before(case: Case, loop: Loop, wanted: set[str], stale: set[str]) -> list[ast.stmt]:
    """The assignments in front of a loop that compute some names, and the stale names which those are computed from."""
    found: list[ast.stmt] = []
    waiting, seen = sorted(wanted), set(wanted)
    while waiting:
        name = waiting.pop()
        last = None
        for statement in case.code.all(ast.Assign):
            place = case.code.cell_of(statement), statement.lineno
            if place >= (case.code.cell_of(loop), loop.lineno):
                break
            same = case.code.function(statement) is case.code.function(loop)
            same = same and case.code.loop(statement) is case.code.loop(loop)
            if same and name in [ast.unparse(target) for target in targets_of(statement)]:
                last = statement
        if last is None or last in found:
            continue
        found.append(last)
        for read in sorted(names_in(last) & stale - seen):
            seen.add(read)
            waiting.append(read)
    return sorted(found, key=lambda statement: (case.code.cell_of(statement), statement.lineno))
