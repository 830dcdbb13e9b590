"""The recorded parameters all share the parameter's memory, so they all show its last value.

## What it is

`history.append(w.detach())` does not copy: `detach()`, `.data` and `.numpy()` look at the same memory. When the update changes w in
place, all earlier entries change with it.

## Why it matters

The list has as many entries as there were steps, all with the same numbers: the curve of w is a flat line.

## Example

```python
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
history = []
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    history.append(w.detach())  # ←
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Keep a copy, `history.append(w.detach().clone())`, or the number, `history.append(w.item())`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Loop, called
from grader.evidence.edits import Edit
from grader.evidence.rewrite import drop_suffix
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="all entries of the history are the same memory",
        message="`{line_text}` keeps no copy: each entry is another look at the memory of {name}, and `{update}` changes that in place.",
        why="In the end every entry shows the last value, as if nothing had moved.",
        fix="Keep a copy (`{name}.detach().clone()`), or the number (`{name}.item()`).",
    ),
    "zh": Words(
        title="历史记录的每一项都是同一块内存",
        message="`{line_text}` 并没有复制：每一项看到的都是 {name} 的同一块内存，而 `{update}` 会原地修改它。",
        why="最后每一项都显示最后的值，好像什么都没动过。",
        fix="保存一份副本（`{name}.detach().clone()`），或只保存数值（`{name}.item()`）。",
    ),
}

# Where the values are the result, an alias costs points; elsewhere it spoils a record only.
RESULTS = ("minimise_parabola", "manual_gradient")
VIEWS = ("detach", "numpy", "view", "squeeze", "reshape", "flatten", "cpu", "requires_grad_")


def detect(case: Case) -> Iterator[Suspicion]:
    """Appends of a parameter, or of a view of it, in a loop that changes the parameter in place."""
    for call in case.code.calls("append"):
        found = next(_aliases(case, call), None)
        if found is None:
            continue
        _, name, update = found
        statement = case.code.statement(call)
        yield case.suspicion(
            call,
            0.93,
            name=name,
            line_text=case.first_line(statement),
            update=case.first_line(update),
            advice=case.exercise not in RESULTS,
        )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Keep a copy."""
    call = suspicion.node
    assert isinstance(call, ast.Call)
    edits = []
    for value, _, _ in _aliases(case, call):
        text = case.code.text(value)
        numpy = isinstance(value, ast.Call) and called(value) == "numpy"
        copied = ".copy()" if numpy else ".detach().clone()" if isinstance(value, ast.Name) else ".clone()"
        edits.append(case.code.replace(value, text + copied))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Keep the parameter itself in the history, where its number was kept; or begin a history of it."""
    for training in trainings(case):
        kept = [
            call.args[0]
            for call in case.code.calls("append", inside=training.whole)
            if call.args and ast.unparse(call.args[0]) in {f"{name}.item()" for name in training.names}
        ]
        if kept:
            yield [drop_suffix(case.code, one, one.func.value) for one in kept]  # type: ignore[attr-defined]
        elif training.loop is not None and training.names:
            made = case.code.insert_before(training.whole, "history = []")
            yield [made, case.code.insert_after(training.block[-1], f"history.append({training.names[0]})")]


def _aliases(case: Case, call: ast.Call) -> Iterator[tuple[ast.expr, str, ast.stmt]]:
    """What a history keeps without a copy, alone or in a tuple: the expression, the parameter, and what changes that in place."""
    loop = case.code.loop(call)
    if loop is None or len(call.args) != 1:
        return
    kept = call.args[0]
    for value in kept.elts if isinstance(kept, ast.Tuple | ast.List) else [kept]:
        viewed = _viewed(value)
        name = "" if viewed is None else ast.unparse(viewed)
        update = _changed_in_place(case, loop, name) if name else None
        if update is not None and not _replaced(case, loop, name):
            yield value, name, update


def _viewed(value: ast.expr) -> ast.expr | None:
    """The parameter that an expression is a view of: `w` of `w.detach().numpy()`; None where it is a copy."""
    for _ in range(6):
        if isinstance(value, ast.Attribute) and value.attr == "data":
            value = value.value
        elif (
            isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in VIEWS
        ):
            value = value.func.value
        else:
            break
    if isinstance(value, ast.Name):
        return value
    return value if isinstance(value, ast.Attribute) and value.attr not in ("grad", "shape") else None


def _changed_in_place(case: Case, loop: Loop, name: str) -> ast.stmt | None:
    """What changes a tensor in place in a loop: `w -= …` along its gradient, `w.data -= …`, `w.sub_(…)`, an optimizer's step."""
    for statement in case.code.inside(loop, ast.AugAssign):
        target = ast.unparse(statement.target)
        if target == f"{name}.data" or (target == name and _has_gradient(case, loop, name)):
            return statement
    for call in case.code.calls("sub_", "add_", "copy_", "addcmul_", "mul_", inside=loop):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in (name, f"{name}.data"):
            return case.code.statement(call)
    step = next(case.code.calls("step", inside=loop), None)
    return case.code.statement(step) if step is not None and _optimised(case, name) else None


def _has_gradient(case: Case, loop: Loop, name: str) -> bool:
    """Whether a name is a tensor that autograd fills: its `.grad` is read in the loop."""
    return any(
        node.attr == "grad" and ast.unparse(node.value) == name
        for node in case.code.inside(loop, ast.Attribute)
    )


def _optimised(case: Case, name: str) -> bool:
    """Whether an optimizer was given a tensor by name, or as a part of a module."""
    for call in case.code.all(ast.Call):
        kind = called(call)
        if not kind[:1].isupper() or (not call.args and not call.keywords):
            continue
        first = call.args[0] if call.args else call.keywords[0].value
        if isinstance(first, ast.List | ast.Tuple) and any(ast.unparse(one) == name for one in first.elts):
            return True
        if (
            isinstance(first, ast.Call)
            and called(first) == "parameters"
            and name.rsplit(".", maxsplit=1)[-1] in ("weight", "bias")
        ):
            return True
    return False


def _replaced(case: Case, loop: Loop, name: str) -> bool:
    """Whether the loop gives the name, or its data, new memory at each step."""
    return any(
        ast.unparse(target) in (name, f"{name}.data")
        for statement in case.code.inside(loop, ast.Assign)
        for target in statement.targets
    )
