"""Autograd is used where the derivative is to be worked out by hand.

## What it is

The function that is to hold your own derivation calls `backward()` or `torch.autograd.grad`. Its numbers are right, but they are not derived
by you.

## Why it matters

The exercise sets both ways side by side, so that each checks the other. With autograd in both there is nothing to compare.

## Example

```python
# exercise: minimise_parabola
import torch


def descend_by_hand(x0, lr, steps):
    x = torch.tensor(float(x0), requires_grad=True)
    path = []
    for _ in range(steps):
        y = x**2 + 2 * x + 1
        y.backward()  # ←
        x.data -= lr * x.grad
        x.grad = None
        path.append(x.item())
    return path


def descend_with_autograd(x0, lr, steps):
    x = torch.tensor(float(x0), requires_grad=True)
    path = []
    for _ in range(steps):
        (x**2 + 2 * x + 1).backward()
        x.data -= lr * x.grad
        x.grad = None
        path.append(x.item())
    return path
```

## Fix

Derive the function on paper, write the derivative as a formula, and use that in the loop.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.lines import function_called, settings_of
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import by_hand

TEXT = {
    "en": Words(
        title="autograd is used where the derivative is asked by hand",
        message="{name} gets its gradient from autograd (`{line_text}`). This function is to use a derivative that you worked out.",
        why="Deriving it yourself shows what backward() does; with autograd in both there is nothing to compare.",
        fix="Write the derivative as a formula of its inputs, and leave backward() and .grad out of {name}.",
    ),
    "zh": Words(
        title="要求手推导数的地方用了自动求导",
        message="{name} 的梯度来自自动求导（`{line_text}`）。这个函数应当使用你自己推导的导数。",
        why="亲手推导才能看清 backward() 做了什么；两边都用自动求导就无从对照了。",
        fix="把导数写成关于输入的公式，{name} 中不要出现 backward() 和 .grad。",
    ),
}

# The functions that are to derive by hand, and what the tasks call their arguments.
BY_HAND = {
    "minimise_parabola": ("descend_by_hand", ("x0", "lr", "steps")),
    "manual_gradient": ("manual_gradient", ("X", "w", "b", "target")),
}
GRADIENTS = ("backward", "grad", "jacobian", "vjp", "jacrev", "value_and_grad", "grad_and_value")


def detect(case: Case) -> Iterator[Suspicion]:
    """The gradient call inside a function that is to do without, or in what it calls or was made of."""
    if case.exercise not in BY_HAND or not case.failed("autograd-called"):
        return
    name, _ = BY_HAND[case.exercise]
    made = function_called(case.code, name) or _assigned(case, name)
    if made is not None:
        yield case.suspicion(_gradient_call(case, made) or made, 0.97, name=name, about=made)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write the function with the derivative as a formula."""
    made = suspicion.node
    if case.exercise not in BY_HAND or not isinstance(made, ast.FunctionDef | ast.Assign):
        return
    name, usual = BY_HAND[case.exercise]
    arguments = (
        [argument.arg for argument in made.args.args] if isinstance(made, ast.FunctionDef) else [*usual]
    )
    if len(arguments) != len(usual):
        return
    body = _walk(*arguments) if len(usual) == 3 else _derivation(*arguments)  # noqa: PLR2004 - the walk's
    if isinstance(made, ast.FunctionDef) and made.name == name:
        indent = case.code.indent(made)
        first, last = made.body[0], made.body[-1]
        (start, _), (end, column) = case.code.span(first)[0], case.code.span(last)[1]
        cell = case.code.cell_of(made)
        if start == made.lineno:
            return
        text = "\n".join(f"{indent}    {line}" for line in body)
        yield [Edit(cell, (start, 0), (end, column), text)]
        return
    assigned = _assigned(case, name)
    if assigned is not None and len(assigned.targets) == 1 and isinstance(assigned.targets[0], ast.Name):
        head = f"def {name}({', '.join(arguments)}):"
        yield [case.code.replace(assigned, "\n".join([head, *(f"    {line}" for line in body)]))]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Let autograd find what a function derives by hand."""
    for hand in by_hand(case):
        taken = ", ".join(hand.parameters)
        fresh = ", ".join(
            f"torch.as_tensor({name}, dtype=torch.float32).detach().requires_grad_()"
            for name in hand.parameters
        )
        asked = f"torch.autograd.grad({hand.loss}, ({taken},))"
        returned = hand.returned
        asked += "[0].item()" if not isinstance(returned.value, ast.Tuple) else ""
        yield [
            case.code.insert_before(hand.function.body[-1], f"{taken} = {fresh}"),
            case.code.replace(returned, f"return {asked}"),
        ]


def _walk(start: str, rate: str, steps: str) -> list[str]:
    return [
        f"x, path = float({start}), []",
        f"for _ in range({steps}):",
        f"    x = x - {rate} * (2 * x + 2)",
        "    path.append(x)",
        "return path",
    ]


def _derivation(inputs: str, weight: str, bias: str, target: str) -> list[str]:
    return [f"error = {inputs} @ {weight} + {bias} - {target}", f"return {inputs}.T @ error, error.sum()"]


def _assigned(case: Case, name: str) -> ast.Assign | None:
    """The last assignment to a name, of what another function made or gave."""
    return next((one for one in reversed(settings_of(case.code, name)) if isinstance(one, ast.Assign)), None)


def _gradient_call(case: Case, made: ast.AST) -> ast.Call | None:
    """The first gradient call in a function or expression, or in what it names: functions, and what was assigned to names."""
    own = {one.name: one for one in case.code.all(ast.FunctionDef)}
    waiting, seen = [made], {made}
    while waiting:
        current = waiting.pop(0)
        if (call := next(case.code.calls(*GRADIENTS, inside=current), None)) is not None:
            return call
        names = {node.id for node in case.code.inside(current, ast.Name) if isinstance(node.ctx, ast.Load)}
        for name in sorted(names - _local(case, current)):
            found = own.get(name) or _assigned(case, name)
            if found is not None and found not in seen:
                seen.add(found)
                waiting.append(found)
    return None


def _local(case: Case, node: ast.AST) -> set[str]:
    """The names that a function gives values to itself."""
    if not isinstance(node, ast.FunctionDef):
        return set()
    stored = {one.id for one in case.code.inside(node, ast.Name) if isinstance(one.ctx, ast.Store)}
    return stored | {one.arg for one in case.code.inside(node, ast.arg)}
