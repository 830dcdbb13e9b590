"""What is trained was computed from another tensor, so it is no leaf, and its `.grad` stays empty.

## What it is

`torch.randn(1, requires_grad=True) * 0.1` makes two tensors: a leaf that requires a gradient, and the product, which is
computed from it. The name stands for the product. `.double()` and `.reshape(…)` do the same.

## Why it matters

`backward()` fills the `.grad` of leaves only. That of the product stays None, and an optimizer refuses it.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.randn(1, requires_grad=True) * 0.1  # ←
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Compute first, then ask for gradients: `w = (torch.randn(1) * 0.1).requires_grad_()`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called, targets_of
from grader.evidence.creation import made, trained_names, without_keyword
from grader.evidence.edits import Edit
from grader.evidence.gradients import gradients_in
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves

TEXT = {
    "en": Words(
        title="a parameter is computed from another tensor",
        message="`{line_text}`: {name} is the result of a computation on a tensor that requires a gradient. backward() fills .grad only for the tensor it started from (a leaf), and that is not what {name} names.",
        why="{name}.grad stays None, so {name} cannot be trained.",
        fix="Compute first and ask for the gradient last: `{name} = (…).requires_grad_()`.",
    ),
    "zh": Words(
        title="参数是由别的张量算出来的",
        message="`{line_text}`：{name} 是对一个需要梯度的张量做运算得到的结果。backward() 只给最开始的那个张量（叶子张量）填 .grad，而 {name} 指的不是它。",
        why="{name}.grad 一直是 None，所以 {name} 无法训练。",
        fix="先算好数值，最后再要求梯度：`{name} = (…).requires_grad_()`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Parameters that are results where training begins, by the expression that makes them."""
    found = _found(case)
    unpacked = [] if found else _unpacked(case)
    if unpacked:
        yield case.suspicion(unpacked[0][0], 0.95, name=unpacked[0][2])
    elif found:
        statement, _, name = found[0]
        yield case.suspicion(statement, 0.95 if name in _results(case) else 0.75, name=name)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Ask for the gradient of the result."""
    edits = []
    items = [] if _found(case) else _unpacked(case)
    for statement, item, name in items:
        edits += [
            case.code.replace(node, f"{item}.grad[{index}]")
            for index, target in enumerate(targets_of(statement))
            if ast.unparse(target) == name
            for node in case.code.inside(
                case.code.function(statement) or case.code.cells[case.code.cell_of(statement)], ast.Attribute
            )
            if node.attr == "grad" and ast.unparse(node.value) == name
        ]
    for _, value, _ in _found(case):
        text = without_keyword(case, value, "requires_grad")
        if text == case.code.text(value):
            text = f"({text}).detach()" if isinstance(value, ast.BinOp) else f"{text}.detach()"
        elif isinstance(value, ast.BinOp | ast.UnaryOp):
            text = f"({text})"
        edits.append(case.code.replace(value, f"{text}.requires_grad_()"))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Multiply a tensor after it was made a leaf."""
    for leaf in leaves(case):
        yield [case.code.replace(leaf.call, f"{case.code.text(leaf.call)} * 1.0")]


def _found(case: Case) -> list[tuple[ast.stmt, ast.expr, str]]:
    found = []
    results, trained = _results(case), trained_names(case)
    own_functions = {function.name for function in case.code.all(ast.FunctionDef)}
    asked = sorted(results & _asked(case)) if trained else sorted(results)
    for name in dict.fromkeys([*trained, *asked]):
        for statement, value in made(case, name):
            if case.code.loop(statement) is not None:
                continue
            if isinstance(value, ast.Call) and called(value) in own_functions:
                # A leaf that is handed on is one still; what is computed from it first is none.
                given = (*value.args, *(keyword.value for keyword in value.keywords))
                found += [
                    (statement, one, name) for one in given if _wraps_leaf(one) and not _asks_at_its_end(one)
                ]
                continue
            again = name in results and _computed_from(value, name)
            if not _asks_at_its_end(value) and (_wraps_leaf(value) or again):
                found.append((statement, value, name))
    return found


def _wraps_leaf(value: ast.expr) -> bool:
    """Whether an expression computes with a tensor that was asked for its gradient when it was made."""
    inner = [
        node for node in ast.walk(value) if isinstance(node, ast.keyword) and node.arg == "requires_grad"
    ]
    return bool(inner) and not (isinstance(value, ast.Call) and any(one in value.keywords for one in inner))


def _asks_at_its_end(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).endswith(
        ("detach", "Parameter", "requires_grad_")
    )


def _unpacked(case: Case) -> list[tuple[ast.Assign, str, str]]:
    """`w, b = params` in front of the loop that reads `w.grad`: the statement, what is taken apart, and one of the names."""
    results = _results(case)
    read = {name for cell in case.code.cells.values() for name in gradients_in(cell)}
    return [
        (statement, ast.unparse(statement.value), ast.unparse(target))
        for statement in case.code.all(ast.Assign)
        if isinstance(statement.value, ast.Name) and isinstance(statement.targets[0], ast.Tuple)
        for target in targets_of(statement)
        if ast.unparse(target) in results & read and statement.value.id not in results
    ]


def _asked(case: Case) -> set[str]:
    """The names whose `.grad` is read, or missed by a check."""
    read = {name for cell in case.code.cells.values() for name in gradients_in(cell)}
    reasons = [check.reason for check in case.checks if check.reason is not None]
    return read | {str(one.params.get("name")) for one in reasons if one.id == "grad-missing"}


def _computed_from(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.BinOp | ast.Call) and any(
        isinstance(node, ast.Name) and node.id == name for node in ast.walk(value)
    )


def _results(case: Case) -> set[str]:
    """The names of results of operations at the first gradient calls, and at errors."""
    events = [event for event in case.gradient_events if event.call == 0][:4]
    events += [event for error in case.errors if (event := case.at_error(error)) is not None]
    return {
        name
        for event in events
        for one in event.tensors
        if not one.leaf and one.requires_grad
        for name in one.names
    }
