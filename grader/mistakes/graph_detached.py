"""The computation is cut off from the parameters on its way to the loss.

## What it is

`.detach()`, `.item()`, `.data`, or `torch.tensor(…)` around a result give the same numbers without their history. What is
computed from them no longer knows that it came from w and b.

## Why it matters

backward() cannot reach the parameters. Either it stops ("does not require grad"), or, where `requires_grad_()` was put on
the loss to quiet it, it runs and gives w and b no gradient at all: nothing moves.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    y_pred = (w * x + b).detach()  # ←
    loss = ((y_pred - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Leave the cut out: `y_pred = w * x + b`. For printing, cut a copy: `print(loss.item())`.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.creation import trained_names
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.planting import suffixed
from grader.evidence.reach import cut_off, unreached
from grader.evidence.rewrite import drop_suffix, keep_only
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import root_value, trainings

TEXT = {
    "en": Words(
        title="the loss is cut off from the parameters",
        message="`{cut}` keeps the numbers of `{what}` and drops how they came from the parameters. The loss that is computed "
        "from it knows nothing of them.",
        why="backward() cannot find the parameters, so they get no gradient and stay where they are.",
        fix="Use `{what}` itself on the way to the loss; cut only copies for printing or plotting.",
    ),
    "zh": Words(
        title="损失与参数之间的联系被切断了",
        message="`{cut}` 只保留了 `{what}` 的数值，丢掉了它是怎样由参数算出来的。由它算出的损失与参数不再有联系。",
        why="backward() 找不到参数，参数得不到梯度，也就不会变化。",
        fix="计算损失时直接使用 `{what}`；只在打印或画图时才切断副本。",
    ),
}

_ENDINGS = ("detach", "item", "tolist", "detach_")
_COPIES = ("tensor", "as_tensor", "Tensor", "FloatTensor", "new_tensor")


class _Cut(NamedTuple):
    whole: ast.expr
    part: ast.expr


def detect(case: Case) -> Iterator[Suspicion]:
    """The first cut in what the loss is computed from, where the run shows that parameters were not reached."""
    forward = forward_of(case)
    cuts = _cuts(forward)
    if not cuts:
        return
    first = cuts[0]
    yield case.suspicion(
        first.whole,
        0.94 if cut_off(case) and _concerns_trained(case) else 0.7,
        cut=_short(case.code.text(first.whole)),
        what=_short(case.code.text(first.part)),
    )


def _concerns_trained(case: Case) -> bool:
    """Whether what was not reached is to be trained: the task says so, nothing was reached, or an optimizer was given it.

    A network that follows another one at a distance is cut off on purpose.
    """
    if case.exercise is not None or not any(event.leaves for event in case.gradient_events):
        return True
    given = {
        number
        for event in case.optimizers
        if event.optimizer is not None
        for number in event.optimizer.tensors
    }
    return any(
        tensor.number in given or set(tensor.names) & set(trained_names(case)) for tensor in unreached(case)
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Take out all cuts, and what was put in to quiet the error."""
    forward = forward_of(case)
    edits: list[Edit] = []
    for cut in _cuts(forward):
        if isinstance(cut.whole, ast.Call) and called(cut.whole) in _COPIES:
            edits += keep_only(case.code, cut.whole, cut.part)
        else:
            edits.append(drop_suffix(case.code, cut.whole, cut.part))
    quieted = list(_quieted(forward))
    yield [*edits, *quieted]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Detach what backward is called on."""
    for training in trainings(case):
        yield [suffixed(case, root_value(training), ".detach()")]


def _cuts(forward: Forward) -> list[_Cut]:
    found = []
    for node in forward.inside(ast.Call, ast.Attribute):
        parent = forward.code.parent(node)
        if isinstance(node, ast.Attribute):
            if node.attr == "data" and isinstance(node.ctx, ast.Load) and forward.tracked(node.value):
                found.append(_Cut(node, node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) in _ENDINGS:
            if forward.tracked(node.func.value) and not _for_numpy(parent):
                found.append(_Cut(node, node.func.value))
        elif isinstance(node, ast.Call) and called(node) in _COPIES and len(node.args) == 1:
            if isinstance(node.args[0], ast.List | ast.Tuple) or not forward.tracked(node.args[0]):
                continue
            found.append(_Cut(node, node.args[0]))
    return found


def _for_numpy(parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.Attribute) and parent.attr == "numpy"


def _quieted(forward: Forward) -> Iterator[Edit]:
    code = forward.code
    for call in code.calls("requires_grad_"):
        if not isinstance(call.func, ast.Attribute):
            continue
        what = call.func.value
        if isinstance(what, ast.Name) and what.id in forward.parameters:
            continue
        if not forward.tracked(what):
            continue
        statement = code.statement(call)
        if isinstance(statement, ast.Expr) and statement.value is call:
            yield code.delete(statement)
        else:
            yield drop_suffix(code, call, what)
    for statement in code.all(ast.Assign):
        target = statement.targets[0]
        if isinstance(target, ast.Attribute) and target.attr == "requires_grad":
            name = target.value
            if isinstance(name, ast.Name) and name.id not in forward.parameters and forward.tracked(name):
                yield code.delete(statement)


def _short(text: str) -> str:
    line = text.split("\n", maxsplit=1)[0]
    return line if len(line) <= 60 else line[:59] + "…"  # noqa: PLR2004
