"""The optimizer holds tensors that the model no longer uses.

## What it is

An optimizer keeps the very tensors it was given. If the model or its parameters are created again afterwards, the new
ones have the old names, but the optimizer goes on stepping the old ones.

## Why it matters

There is no error: `step()` changes tensors that nobody looks at, and w and b stay where they are.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05)  # ←
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(2000):
    loss = ((w * x + b - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
```

## Fix

Create the optimizer after the parameters, and once more whenever they are replaced.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Loop, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.reach import made_anew
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import made_at_top
from grader.evidence.updates import updates
from grader.trace import Event

TEXT = {
    "en": Words(
        title="the optimizer holds parameters of before",
        message="`{line_text}` was given tensors that the loss no longer uses: after it, new ones took their names.",
        why="step() changes the old tensors, and those in the model never move.",
        fix="Create the optimizer after the parameters that are trained.",
    ),
    "zh": Words(
        title="优化器拿着旧的参数",
        message="`{line_text}` 收到的张量已经不在损失里了：在它之后，新的张量占用了它们的名字。",
        why="step() 修改的是旧张量，模型里的参数一动不动。",
        fix="先创建要训练的参数，再创建优化器。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Optimizers none of whose tensors a later loss reached, although it was given tensors of the same names."""
    stepped = {event.optimizer.number for event in case.steps if event.optimizer is not None}
    for made in case.optimizers:
        if made.optimizer is None or made.optimizer.number not in stepped or made.call > 0:
            continue
        if not _stale(case, made):
            continue
        statement = _making(case, made)
        if statement is None or _rebound_in_loops(case, made):
            continue
        yield case.suspicion(statement, 0.95)
        return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Make the optimizer right before the training; or leave the parameters as they were."""
    statement = suspicion.node
    if not isinstance(statement, ast.Assign):
        return
    cell = case.code.cell_of(statement)
    yield _of_the_trained(case, statement)
    for loop in reversed(case.training_loops):
        later = (case.code.cell_of(loop), loop.lineno) > (cell, statement.lineno)
        if (
            later
            and case.code.loop(loop) is None
            and case.code.function(loop) is case.code.function(statement)
        ):
            yield case.code.move(statement, before=loop)
    block = case.code.block(statement)
    first, names = block.index(statement), _names(case)
    again = [one for one in block[first + 1 :] if isinstance(one, ast.Assign) and _assigns(one, names)]
    yield [case.code.delete(one) for one in again]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make the model anew when the optimizer has been made."""
    for call in optimizer_calls(case):
        for made in made_at_top(case, names_in(call.args[0]) if call.args else ()):
            yield [case.code.insert_after(case.code.statement(call), case.code.text(made))]


def _of_the_trained(case: Case, statement: ast.Assign) -> list[Edit]:
    """`SGD(Net().parameters())`, which makes a module of its own: given the trained one, where that has been made."""
    owners = {
        name.rpartition(".")[0].split(".")[0]
        for event in case.gradient_events[:1]
        for tensor in event.tensors[: event.leaves]
        for name in tensor.names[:1]
    } - {""}
    made = made_at_top(case, owners)
    for call in case.code.calls("parameters", inside=statement):
        own = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(own, ast.Call) and len(owners) == 1 and made:
            text = case.code.text(statement).replace(case.code.text(own), next(iter(owners)))
            if made[-1].lineno < statement.lineno or case.code.cell_of(made[-1]) < case.code.cell_of(
                statement
            ):
                return [case.code.replace(own, next(iter(owners)))]
            return [case.code.delete(statement), case.code.insert_after(made[-1], text)]
    return []


def _stale(case: Case, made: Event) -> bool:
    optimizer = made.optimizer
    assert optimizer is not None
    ours = set(optimizer.tensors)
    later = [event for event in case.gradient_events if event.order > made.order and event.leaves]
    if not ours or not later:
        return False
    reached = {tensor.number for event in later for tensor in event.tensors[: event.leaves]}
    roots = {event.root.number for event in later if event.root is not None}
    # A loss that is its own leaf was cut off, not made of others; so was one made of what each forward pass copies.
    return not ours & reached and not reached <= roots and not made_anew(case)


def _making(case: Case, made: Event) -> ast.stmt | None:
    for call in optimizer_calls(case):
        statement = case.code.statement(call)
        if case.code.cell_of(call) == made.cell and call.lineno <= made.line <= (
            call.end_lineno or made.line
        ):
            return statement
    return None


def _rebound_in_loops(case: Case, made: Event) -> bool:
    """Whether an update gives the names of the optimizer's tensors away, which is a mistake of its own."""
    names = {name for tensor in made.tensors[: made.leaves] for name in tensor.names}
    return any(
        isinstance(update.statement, ast.Assign)
        and isinstance(update.statement.targets[0], ast.Name)
        and update.owner in names
        for update in updates(case)
    )


def _names(case: Case) -> set[str]:
    return {
        name.split(".")[0].split("[")[0]
        for event in case.gradient_events[:3]
        for tensor in event.tensors[: event.leaves]
        for name in tensor.names
    }


def _assigns(statement: ast.stmt, names: set[str]) -> bool:
    return not isinstance(statement, Loop) and any(
        isinstance(target, ast.Name) and target.id in names for target in targets_of(statement)
    )
