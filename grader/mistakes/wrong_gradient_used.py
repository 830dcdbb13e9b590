"""A parameter is changed by the gradient of another one.

## What it is

Each parameter has a gradient of its own: `w.grad` says how the loss changes with w, `b.grad` how it changes with b. In
copied lines, or where gradients come back as a tuple, they are easily mixed up.

## Why it matters

There is no error. The parameter moves in a direction that has nothing to do with it; the training ends somewhere else,
or diverges.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(2000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * w.grad  # ←
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Use each parameter's own gradient: `b -= 0.05 * b.grad`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Code, called
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.gradients import grad_inputs, gradient_names, gradient_of, is_autograd, plain_name
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import Update, updates

TEXT = {
    "en": Words(
        title="another parameter's gradient is used",
        message="`{line_text}` changes {name} by {gradient}, which is not the gradient of {name}.",
        why="{name} moves in a direction that has nothing to do with it, and ends in the wrong place.",
        fix="Change {name} by its own gradient.",
    ),
    "zh": Words(
        title="用了别的参数的梯度",
        message="`{line_text}` 用 {gradient} 来修改 {name}，但它不是 {name} 的梯度。",
        why="{name} 沿着与自己无关的方向移动，最后停在错误的地方。",
        fix="用 {name} 自己的梯度来修改 {name}。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Updates that read the gradient of a tensor other than the one they change."""
    for loop, order, asked in _crossed(case):
        name, other = next(
            pair for pair in zip(order, _items(case, asked) or (), strict=True) if len({*pair}) > 1
        )
        yield case.suspicion(loop, 0.95, name=name, gradient=f"{other}.grad")
        return
    wrong = _wrong(case)
    if wrong:
        update, node, certain = wrong[0]
        statement = update.statement
        yield case.suspicion(
            statement, 0.93 if certain else 0.75, name=update.owner, gradient=case.code.text(node)
        )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Each its own gradient; for a mixed tuple, its names in the order of the parameters."""
    del suspicion
    crossed = [case.code.replace(asked, f"[{', '.join(order)}]") for _, order, asked in _crossed(case)]
    if crossed:
        yield crossed
        return
    own = {owner: name for name, owner in gradient_names(case.code).items() if owner}
    wrong = _wrong(case)
    unpacked = _unpacked_anew(case, wrong)
    if unpacked:
        yield unpacked
    edits = []
    for update, node, _ in wrong:
        if isinstance(node, ast.Attribute):
            edits.append(case.code.replace(node.value, update.owner))
        elif isinstance(node, ast.Name) and update.owner in own:
            edits.append(case.code.replace(node, own[update.owner]))
        else:
            edits.append(case.code.replace(node, f"{update.owner}.grad"))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Step the last parameter along the gradient of the first."""
    for training in trainings(case):
        if len(training.names) > 1:
            first, last = training.names[0], training.updates[-1]
            yield [
                case.code.replace(node.value, first)
                for node in case.code.inside(last.statement, ast.Attribute)
                if node.attr == "grad" and ast.unparse(node.value) == last.owner
            ]


def _wrong(case: Case) -> list[tuple[Update, ast.expr, bool]]:
    """The updates by a gradient not their own, with where they read it, and whether that is beyond doubt."""
    named = gradient_names(case.code)
    found = []
    for update in updates(case):
        nodes = [] if update.step is None else list(_gradients(update.step.change, named))
        owners = {owner for _, owner in nodes}
        if len(nodes) != 1 or update.owner in owners or not nodes[0][1]:
            item = _fixed_item(case, update, named)
            if item is not None:
                found.append((update, item, False))
            continue
        node, owner = nodes[0]
        if owner and not _same(case.code, update, owner):
            found.append((update, node, _both_trained(case, update.owner, owner)))
    return found


def _crossed(case: Case) -> Iterator[tuple[ast.For, list[str], ast.expr]]:
    """Loops over `zip([w, b], grads)` whose gradients were asked for in another order: the loop, its order, what was asked."""
    for loop in case.code.all(ast.For):
        call = loop.iter
        if not isinstance(call, ast.Call) or called(call) != "zip" or len(call.args) != 2:  # noqa: PLR2004
            continue
        order, given = _items(case, call.args[0]), _value(case, call.args[1])
        asked = (
            given.args[1] if isinstance(given, ast.Call) and is_autograd(given) and given.args[1:] else None
        )
        wanted = None if asked is None else _items(case, asked)
        if asked is None or order is None or wanted is None or not _both_trained(case, order[0], order[-1]):
            continue
        if sorted(order) == sorted(wanted) and order != wanted and len(set(order)) == len(order):
            yield loop, order, asked


def _items(case: Case, node: ast.expr) -> list[str] | None:
    """The names in a list or tuple that is written here, or was given to a name, once and for all."""
    value = _value(case, node)
    if isinstance(value, ast.List | ast.Tuple) and value.elts and all(plain_name(one) for one in value.elts):
        return [plain_name(one) for one in value.elts]
    return None


def _value(case: Case, node: ast.expr) -> ast.expr | None:
    if not isinstance(node, ast.Name):
        return node
    values = forward_of(case).values(node)
    return values[0] if len(values) == 1 else None


def _gradients(change: ast.expr, named: dict[str, str | None]) -> Iterator[tuple[ast.expr, str | None]]:
    for node in ast.walk(change):
        owner = gradient_of(node)
        if owner is not None:
            assert isinstance(node, ast.expr)
            yield node, owner
        elif isinstance(node, ast.Name) and node.id in named:
            yield node, named[node.id]


def _same(code: Code, update: Update, owner: str) -> bool:
    """Whether two names may mean one tensor: loop variables of one `zip`, copies, and aliases."""
    for statement in code.all(ast.For, ast.Assign, ast.comprehension):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]  # type: ignore[attr-defined]
        names = {ast.unparse(node) for one in targets for node in ast.walk(one) if isinstance(node, ast.expr)}
        if isinstance(statement, ast.Assign):
            value = plain_name(statement.value)
            if value in (update.owner, owner) and names & {update.owner, owner} - {value}:
                return True
        elif names & {update.owner, owner}:
            return True
    return False


def _both_trained(case: Case, name: str, owner: str) -> bool:
    seen = {
        one
        for event in case.gradient_events[:3]
        for tensor in event.tensors[: event.leaves]
        for one in tensor.names
    }
    return {name, owner} <= seen


def _fixed_item(case: Case, update: Update, named: dict[str, str | None]) -> ast.expr | None:
    """`grads[0]` in a loop over all parameters."""
    loop = case.code.loop(update.statement)
    if not isinstance(loop, ast.For) or plain_name(loop.target) != update.owner:
        return None
    for node in () if update.step is None else ast.walk(update.step.change):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and node.value.id in named
            and isinstance(node.slice, ast.Constant)
        ):
            return node
    return None


def _unpacked_anew(case: Case, wrong: list[tuple[Update, ast.expr, bool]]) -> list[Edit]:
    used = {update.owner: node.id for update, node, _ in wrong if isinstance(node, ast.Name)}
    if len(used) < 2:  # noqa: PLR2004
        return []
    for statement in case.code.all(ast.Assign):
        wanted, target = grad_inputs(statement.value), statement.targets[0]
        if wanted is None or not isinstance(target, ast.Tuple) or len(wanted) != len(target.elts):
            continue
        names = [plain_name(one) for one in target.elts]
        meant = [used.get(one, name) for one, name in zip(wanted, names, strict=True)]
        fits = all(one.lower() in name.lower() for one, name in zip(wanted, names, strict=True))
        if sorted(meant) == sorted(names) and not fits:
            return [case.code.replace(old, new) for old, new in zip(target.elts, meant, strict=True)]
    return []
