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
from grader.evidence.code import Function
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

# The functions that are to derive by hand, and how many arguments they take.
BY_HAND = {"minimise_parabola": ("descend_by_hand", 3), "manual_gradient": ("manual_gradient", 4)}
GRADIENTS = ("backward", "grad", "jacobian", "vjp", "jacrev", "value_and_grad", "grad_and_value")


def detect(case: Case) -> Iterator[Suspicion]:
    """The gradient call inside a function that is to do without, or in what it calls."""
    if case.exercise not in BY_HAND or not case.failed("autograd-called"):
        return
    name, _ = BY_HAND[case.exercise]
    function = function_called(case.code, name)
    if function is None:
        return
    call = _gradient_call(case, function)
    yield case.suspicion(call or function, 0.97, name=name, about=function)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write the function with the derivative as a formula."""
    function = suspicion.node
    if case.exercise not in BY_HAND or not isinstance(function, ast.FunctionDef):
        return
    name, count = BY_HAND[case.exercise]
    arguments = [argument.arg for argument in function.args.args]
    if len(arguments) != count:
        return
    body = _walk(*arguments) if count == 3 else _derivation(*arguments)  # noqa: PLR2004 - the walk's
    indent = case.code.indent(function)
    if function.name == name:
        first, last = function.body[0], function.body[-1]
        (start, _), (end, column) = case.code.span(first)[0], case.code.span(last)[1]
        cell = case.code.cell_of(function)
        if start == function.lineno:
            return
        text = "\n".join(f"{indent}    {line}" for line in body)
        yield [Edit(cell, (start, 0), (end, column), text)]
        return
    aliases = [
        one for one in settings_of(case.code, name) if isinstance(one, ast.Assign) and len(one.targets) == 1
    ]
    if aliases:
        head = f"def {name}({', '.join(arguments)}):"
        yield [case.code.replace(aliases[-1], "\n".join([head, *(f"    {line}" for line in body)]))]


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


def _gradient_call(case: Case, function: Function) -> ast.Call | None:
    """The first gradient call in a function, or in those of the submission that it calls."""
    own = {one.name: one for one in case.code.all(ast.FunctionDef)}
    waiting, seen = [function], {function}
    while waiting:
        current = waiting.pop(0)
        if (call := next(case.code.calls(*GRADIENTS, inside=current), None)) is not None:
            return call
        for node in case.code.inside(current, ast.Name):
            if node.id in own and own[node.id] not in seen:
                seen.add(own[node.id])
                waiting.append(own[node.id])
    return None
