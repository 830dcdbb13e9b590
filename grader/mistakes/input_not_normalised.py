"""The inputs are so large that one learning rate cannot serve w and b.

## What it is

The gradient of w carries a factor x, that of b does not. With x up to 100 the loss is thousands of times steeper along w than along b: at
an ordinary rate w overshoots farther at every step until everything is inf or nan; at a rate small enough for w, b hardly moves.

## Why it matters

Neither a larger nor a smaller rate helps. In the temperature exercise it is why t_un = 0.1·t_u is used instead of t_u.

## Example

```python
import torch

x = torch.arange(0, 100, 0.5)  # ←
y = 10 * x + 4 + torch.randn(x.shape)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(3000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Bring x to the size of 1, as with x from 0 to 1 or with `x / x.max()`.
"""

import ast
from collections.abc import Iterator

import numpy as np

from grader.arrays import Numbers
from grader.evidence.arguments import argument_of
from grader.evidence.case import Case, numbers_of
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.knobs import number_of
from grader.evidence.lines import (
    RATES,
    at_end,
    least_squares,
    made_from,
    number_at_end,
    own_data,
    settings_of,
)
from grader.evidence.rewrite import keep_only
from grader.evidence.suspicion import Suspicion, Words

TEXT = {
    "en": Words(
        title="the inputs are too large for one learning rate",
        message="{name} goes up to {largest}. That makes the loss about {ratio} times steeper in one direction than in the other, so "
        "that w runs away, or b hardly moves, whatever the rate.",
        why="w's gradient grows with the size of the inputs; b's does not.",
        fix="Train on inputs of about the size of 1.",
    ),
    "zh": Words(
        title="输入太大，一个学习率无法兼顾",
        message="{name} 最大到 {largest}。这使得损失在一个方向上比另一个方向陡约 {ratio} 倍：无论学习率取多少，不是 w 发散，就是 b 几乎不动。",
        why="w 的梯度随输入的大小增长，而 b 的梯度不会。",
        fix="请用大小约为 1 的输入来训练。",
    ),
}

# Mean of x² from which the rates apart are hopeless, and the ratio of curvatures.
LARGE, STEEP = 20.0, 200.0
TRAINING = "training_loop"
FAILED = (
    "slope-off",
    "intercept-off",
    "loss-not-smaller",
    "not-finite",
    "trained-elsewhere",
    "line-lost-on-other-data",
)


def detect(case: Case) -> Iterator[Suspicion]:
    """Large inputs of a training that ran away, or that left b behind."""
    if case.full:
        return
    if case.exercise == "temperature":
        yield from _raw_readings(case)
    elif case.exercise == "linear_regression":
        yield from _large_x(case)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Train on the scaled readings; or bring x to the size of 1 before y is made from it."""
    node = suspicion.node
    if isinstance(node, ast.Call):
        argument = _readings_argument(case, node)
        alias = _alias(case, argument) if isinstance(argument, ast.Name) else None
        if alias is not None:
            yield [case.code.replace(alias, "0.1 * t_u")]
        elif argument is not None:
            text = "t_un" if settings_of(case.code, "t_un") else f"0.1 * {case.code.text(argument)}"
            yield [case.code.replace(argument, text)]
            given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "learning_rate")]
            if given and _tiny(given[0]):
                yield [case.code.replace(argument, text), case.code.replace(given[0], "1e-2")]
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        pair = own_data(case)
        largest = 100.0 if pair is None else float(np.abs(pair.x).max())
        ceiling = 10 ** int(np.ceil(np.log10(largest)))
        scaled = case.code.insert_after(node, f"{name} = {name} / {ceiling}")
        yield [scaled]
        if rates := _faster(case):
            yield [scaled, *rates]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out the factor that makes the input small."""
    for statement in case.code.all(ast.Assign):
        value = statement.value
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
            for factor, kept in ((value.left, value.right), (value.right, value.left)):
                if 0 < abs(number_of(factor) or 0) < 1:
                    yield keep_only(case.code, value, kept)


def _large_x(case: Case) -> Iterator[Suspicion]:
    pair = own_data(case)
    if pair is None or not case.failed(*FAILED) or not (case.gradient_calls or case.training_loops):
        return
    ratio = _ratio(pair.x)
    statement = _first_x(case)
    if float(np.mean(pair.x**2)) < LARGE or ratio < STEEP or statement is None:
        return
    w, b = number_at_end(case, "w"), number_at_end(case, "b")
    lost = w is None or b is None or not np.isfinite(w + b)
    slope, intercept, _ = least_squares(pair)
    left = not lost and abs((w or 0) - slope) < 0.1 * abs(slope) < abs((b or 0) - intercept) + 0.1 * abs(
        slope
    )
    yield case.suspicion(
        statement,
        0.85 if lost or left else 0.65,
        name="x",
        largest=round(float(np.abs(pair.x).max()), 2),
        ratio=float(f"{ratio:.2g}"),
    )


def _ratio(x: Numbers) -> float:
    """How much steeper the squared error is along its steepest direction than along the flattest."""
    low, high = np.linalg.eigvalsh([[float(np.mean(x**2)), float(x.mean())], [float(x.mean()), 1.0]])
    return float(high / max(low, 1e-12))


def _first_x(case: Case) -> ast.stmt | None:
    """Where x is first made, before y comes of it."""
    chain = [one for one in _with_functions(case, made_from(case.code, "x")) if isinstance(one, ast.Assign)]
    makers = [
        one
        for one in chain
        if isinstance(one.value, ast.Call | ast.BinOp)
        and isinstance(one.targets[0], ast.Name)
        and any(
            True
            for _ in case.code.calls(
                "arange", "linspace", "rand", "uniform", "range", "random", inside=one.value
            )
        )
    ]
    return makers[0] if makers else None


def _with_functions(case: Case, statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements, each behind those of the functions that it calls."""
    for statement in statements:
        for call in case.code.inside(statement, ast.Call):
            for function in (one for one in case.code.all(ast.FunctionDef) if one.name == called(call)):
                yield from function.body
        yield statement


def _faster(case: Case) -> list[Edit]:
    """A rate that suits inputs of the size of 1, where the learner had to choose a tiny one."""
    for keyword in case.code.all(ast.keyword):
        if keyword.arg in RATES and isinstance(keyword.value, ast.Constant) and _tiny(keyword.value):
            return [case.code.replace(keyword.value, "0.1")]
    for name in RATES:
        for one in settings_of(case.code, name):
            if isinstance(one, ast.Assign) and _tiny(one.value):
                return [case.code.replace(one.value, "0.1")]
    edits = []
    for loop in case.training_loops:
        for node in case.code.inside(loop, ast.Constant):
            if _tiny(node) and isinstance(case.code.parent(node), ast.BinOp):
                edits.append(case.code.replace(node, "0.1"))
    return edits


def _tiny(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 0.01  # noqa: PLR2004


# ---- temperature --------------------------------------------------------------------------------


def _raw_readings(case: Case) -> Iterator[Suspicion]:
    """The call that trains on readings as they were, where what came of it is not the line asked for."""
    raw = at_end(case, "t_u")
    if not case.failed(*FAILED):
        return
    calls = [call for call in case.code.calls(TRAINING) if _readings_argument(case, call) is not None]
    if not calls:
        return
    call = calls[-1]
    largest = 0.0 if raw is None or not raw.size else float(np.abs(raw).max())
    ratio = 1.0 if raw is None or raw.size < 2 else _ratio(raw)  # noqa: PLR2004
    if largest and largest < LARGE:
        return
    yield case.suspicion(
        call,
        0.93 if case.failed("not-finite", "trained-elsewhere") and largest else 0.8,
        name="t_u",
        largest=round(largest, 2),
        ratio=float(f"{ratio:.2g}"),
    )


def _readings_argument(case: Case, call: ast.Call) -> ast.expr | None:
    """The argument of a training call that is t_u itself, outside of functions: by the source, or by what the run saw inside."""
    if called(call) != TRAINING or case.code.function(call) is not None:
        return None
    given = argument_of(case.code, call, "t_u", 3)  # (n_epochs, learning_rate, params, t_u, t_c)
    if isinstance(given, ast.Name) and (given.id == "t_u" or _alias(case, given)):
        return given
    return given if _trained_raw(case, call) else None


def _trained_raw(case: Case, call: ast.Call) -> bool:
    """Whether the training that a call began saw under the name t_u what that is outside of it."""
    raw = at_end(case, "t_u")
    for event in case.events_in(case.code.statement(call), "backward", "grad"):
        for tensor in event.tensors if event.function == TRAINING else ():
            if "t_u" in tensor.names and raw is not None:
                seen = numbers_of(tensor.value)
                return seen is not None and np.array_equal(seen, raw)
    return False


def _alias(case: Case, given: ast.Name) -> ast.Name | None:
    """The `t_u` in `t_un = t_u`."""
    for statement in settings_of(case.code, given.id):
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Name) and value.id == "t_u":
            return value
    return None
