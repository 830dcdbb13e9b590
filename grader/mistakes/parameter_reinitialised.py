"""A parameter is made anew in each step, so that all progress is lost.

## What it is

`w = torch.randn(1, requires_grad=True)` stands inside the training loop. Each step begins with a new tensor and forgets
what the steps before have learnt.

## Why it matters

However many steps there are, the parameter ends one step away from where it started.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
for step in range(1000):
    w = torch.zeros(1, requires_grad=True)  # ←
    b = torch.zeros(1, requires_grad=True)
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Make the parameters once, before the loop.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Loop, called, names_in, targets_of
from grader.evidence.creation import made, maker, makes_leaf, names_of_loop_body, trained_names
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.modules import is_module, trained_modules
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves, trainings

TEXT = {
    "en": Words(
        title="a parameter is made anew in each step",
        message="`{line_text}` stands inside the training loop: each step begins with a new {name}, and what was learnt before is lost.",
        why="Training then never gets further than its first step.",
        fix="Make {name} once, before the loop.",
    ),
    "zh": Words(
        title="每一步都重新创建了参数",
        message="`{line_text}` 写在训练循环里面：每一步都从一个新的 {name} 开始，之前学到的全都丢失了。",
        why="这样训练永远只走了第一步。",
        fix="在循环之前创建一次 {name}。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Assignments of new leaves in the loop that asks for gradients, made from nothing that the loop changes."""
    found = _found(case)
    if found:
        statement, _ = found[0]
        yield case.suspicion(statement, 0.95, name=ast.unparse(targets_of(statement)[0]))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Make them before the loop, or only there where they are made already."""
    found = _found(case)
    edits: list[Edit] = []
    moved: dict[ast.stmt, list[str]] = {}
    for statement, loop in found:
        name = ast.unparse(targets_of(statement)[0])
        edits.append(case.code.delete(statement))
        if not any(
            other is not statement and case.code.loop(other) is not loop for other, _ in made(case, name)
        ):
            moved.setdefault(loop, []).append(case.code.text(statement))
    edits += [case.code.insert_before(outer, *lines) for outer, lines in moved.items()]
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make a parameter anew at the top of the loop."""
    made_by = {leaf.name: leaf for leaf in leaves(case)}
    for training in trainings(case):
        for name in training.names if training.loop is not None else ():
            if name in made_by:
                yield [
                    case.code.insert_before(
                        training.block[0], f"{name} = {case.code.text(made_by[name].call)}"
                    )
                ]


def _found(case: Case) -> list[tuple[ast.Assign, Loop]]:
    found = []
    trained = {*trained_names(case), *trained_modules(case)}
    for call in case.code.calls("backward"):
        loop = case.code.loop(call)
        if loop is None:
            continue
        changed: set[str] | None = None
        for statement in case.code.inside(loop, ast.Assign):
            if case.code.loop(statement) is not loop or case.code.block(statement) is not loop.body:
                continue
            if not _makes_anew(case, statement.value) or len(statement.targets) != 1:
                continue
            changed = names_of_loop_body(case, loop) if changed is None else changed
            known = not trained.isdisjoint(ast.unparse(target) for target in targets_of(statement))
            if known and not names_in(statement.value) & changed and not _reads_state(statement.value):
                found.append((statement, loop))
    return found if case.gradient_calls > 1 or not case.events else []


def _makes_anew(case: Case, value: ast.expr) -> bool:
    """Whether an expression makes a leaf, or calls a function of the learner's own that returns such leaves."""
    if makes_leaf(value) and maker(value) is not None:
        return True
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return False
    if any(one.name == value.func.id and is_module(one) for one in case.code.all(ast.ClassDef)):
        return True
    returned = [
        one.value
        for function in case.code.all(ast.FunctionDef)
        if function.name == value.func.id and not any(case.code.inside(function, ast.Global, ast.Nonlocal))
        for one in case.code.inside(function, ast.Return)
        if one.value is not None
    ]
    return bool(returned) and all(
        _returns_leaf(forward_of(case), one) for whole in returned for one in _parts(whole)
    )


def _returns_leaf(forward: Forward, value: ast.expr) -> bool:
    """Whether an expression is a fresh leaf, or a name that is given one and nothing else."""
    values = forward.values(value) if isinstance(value, ast.Name) else [value]
    return bool(values) and all(
        makes_leaf(one) and maker(one) is not None and not _reads_state(one) for one in values
    )


def _parts(value: ast.expr) -> list[ast.expr]:
    return list(value.elts) if isinstance(value, ast.Tuple | ast.List) else [value]


def _reads_state(value: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Subscript)
        or (isinstance(node, ast.Call) and called(node) in ("pop", "detach", "clone", "item"))
        for node in ast.walk(value)
    )
