"""The derivative that was worked out by hand is not that of the function.

## What it is

A sign, a factor or a term went missing on paper: 2x for 2x + 2, a minus that the inner derivative brings, or the X·w that seems to
vanish because w happens to be zero.

## Why it matters

Each step then goes in a wrong direction, or by a wrong length. With a term that is zero only for the given numbers, the
formula looks right until it is used elsewhere.

## Example

```python
# exercise: minimise_parabola
import torch


def descend_by_hand(x0, lr, steps):
    x, path = float(x0), []
    for _ in range(steps):
        x = x - lr * (2 * x)  # ←
        path.append(x)
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

Derive term by term, and compare with autograd at several points, not only at the given one.
"""

import ast
import math
from collections.abc import Iterator

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case
from grader.evidence.code import Function, called, names_in
from grader.evidence.edits import Edit
from grader.evidence.formulas import derivative_in, residual_bias, returned_parts, value_of
from grader.evidence.lines import at_end, function_called
from grader.evidence.rewrite import keep_only
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import by_hand

TEXT = {
    "en": Words(
        title="the derivative by hand is not right",
        message="The formula `{line_text}` in {name} is not the derivative of the task's function: at some "
        "points it differs from what autograd finds.",
        why="Every step follows this formula, so the walk goes somewhere else, or works only for the given numbers.",
        fix="Derive once more term by term (the inner derivative, too), and compare with autograd at several points.",
    ),
    "zh": Words(
        title="手推的导数不正确",
        message="{name} 中的公式 `{line_text}` 不是题目中函数的导数：在某些点上它与自动求导的结果不同。",
        why="每一步都按这个公式走，于是会走到别处，或者只对给定的数字碰巧成立。",
        fix="请逐项重新求导（别忘了内层函数的导数），并在多个点上与自动求导对照。",
    ),
}

# f = ax² + bx + c of each walk by hand: the function's name, and its derivative as text of x.
WALKS = {
    "minimise_parabola": ("descend_by_hand", "2 * {x} + 2", 2.0, 2.0),
    "manual_gradient": ("descend", "{x} - 2", 1.0, -2.0),
}
MANUAL = "manual_gradient"
FAILED = ("manual-differs", "manual-differs-elsewhere")
# The given X has so many.
ROWS = 3
POINTS = (-3.0, -0.5, 0.0, 1.25, 4.0)


def detect(case: Case) -> Iterator[Suspicion]:
    """Formulas that differ from the derivative in numbers, and derivations whose results a check found wrong."""
    if case.full or case.exercise not in WALKS:
        return
    yield from _wrong_walk(case)
    if case.exercise == "manual_gradient" and case.failed(*FAILED):
        yield from _wrong_derivation(case)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write the derivative in the place of the formula; or mend the sign, the factor, the term that is missing."""
    node = suspicion.node
    if isinstance(node, ast.FunctionDef):
        yield from _mended(case, node)
    elif isinstance(node, ast.expr) and case.exercise in WALKS:
        function = function_called(case.code, WALKS[case.exercise][0])
        formula = None if function is None else derivative_in(case.code, function)
        if formula is not None:
            text = WALKS[case.exercise][1].format(x=formula.name)
            text = f"{formula.rate} * ({text})" if formula.rate else text
            bracketed = isinstance(case.code.parent(node), ast.BinOp)
            start, end = case.code.span(node)
            line = case.code.line(case.code.cell_of(node), start[0])
            within = line[: start[1]].rstrip().endswith("(") and line[end[1] :].lstrip().startswith(")")
            yield [case.code.replace(node, f"({text})" if bracketed and not within else text)]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Forget the last term of the derivative; or double what it is."""
    for hand in by_hand(case):
        value = hand.returned.value
        first = value.elts[0] if isinstance(value, ast.Tuple) else value
        if isinstance(first, ast.BinOp) and isinstance(first.op, ast.Add):
            yield keep_only(case.code, first, first.left)
        elif first is not None:
            yield [case.code.replace(first, f"2 * ({case.code.text(first)})")]


def _wrong_walk(case: Case) -> Iterator[Suspicion]:
    name, _, slope, constant = WALKS[case.exercise or ""]
    function = function_called(case.code, name)
    formula = None if function is None else derivative_in(case.code, function)
    if formula is None or not _walk_failed(case):
        return
    seen = [value_of(formula.node, {formula.name: x, formula.rate: 1.0}) for x in POINTS]
    if any(value is None for value in seen):
        return
    wanted = [slope * x + constant for x in POINTS]
    given = [float(value) for value in seen if value is not None]
    if all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(given, wanted, strict=True)):
        return
    # Half the derivative with twice the rate is the same walk; then no check fails.
    factor = formula.factor
    if factor and all(math.isclose(factor * a, b, abs_tol=1e-9) for a, b in zip(given, wanted, strict=True)):
        return
    ratios = {round(a / b, 6) for a, b in zip(given, wanted, strict=True) if b}
    opposite = ratios == {-1.0}
    text = case.code.text(formula.node)
    yield case.suspicion(formula.node, 0.7 if opposite else 0.93, name=name, line_text=text.split("\n")[0])


def _walk_failed(case: Case) -> bool:
    """Whether a check of the walk by hand failed."""
    return any(
        check.score < check.max_score and ("by_hand" in check.id or "descend" in check.id)
        for check in case.checks
    )


# ---- manual_gradient ----------------------------------------------------------------------------


def _wrong_derivation(case: Case) -> Iterator[Suspicion]:
    function = function_called(case.code, MANUAL)
    if function is None or not returned_parts(case.code, function):
        return
    given = [argument.arg for argument in function.args.args]
    dropped = len(given) == 4 and given[1] not in names_in(function)  # noqa: PLR2004 - X, w, b, target
    ratio = _ratio(case)
    part = returned_parts(case.code, function)[0]
    place: ast.AST = part
    if dropped:
        place = residual_bias(case.code, function, given[2]) or part
    yield case.suspicion(
        place,
        0.95 if dropped or (ratio is not None and ratio != 1) else 0.8,
        name=MANUAL,
        line_text=case.first_line(case.code.statement(place)),
        about=function,
    )


def _ratio(case: Case) -> float | None:
    """By which factor the results for the given data differ from what autograd filled in; None where by none."""
    for check in case.checks:
        if check.reason is not None and check.reason.id == "manual-differs":
            filled = at_end(case, f"{check.reason.params.get('name')}.grad")
            if filled is None:
                filled = _last_gradient(case, str(check.reason.params.get("name")))
            try:
                seen = np.array([float(part) for part in str(check.reason.params.get("seen")).split(",")])
            except ValueError:
                return None
            if filled is None or filled.size != seen.size or not filled.any():
                return None
            ratio = float((seen * filled).sum() / (filled**2).sum())
            if np.allclose(seen, ratio * filled, rtol=1e-3, atol=1e-3) and ratio:
                return float(f"{ratio:.3g}")
    return None


def _last_gradient(case: Case, name: str) -> Numbers | None:
    for moments in (case.moments(case.gradient_events).get(name, []),):
        if moments and moments[-1].after is not None:
            return moments[-1].after
    return None


def _mended(case: Case, function: Function) -> Iterator[list[Edit]]:
    given = [argument.arg for argument in function.args.args]
    parts = returned_parts(case.code, function)
    if len(given) == 4 and given[1] not in names_in(function):  # noqa: PLR2004 - X, w, b, target
        bias = residual_bias(case.code, function, given[2])
        if bias is not None:
            model = f"({given[0]} @ {given[1]} + {given[2]})"
            mended = [case.code.replace(bias, model)]
            yield mended
    ratio = _ratio(case)
    factors = [ratio] if ratio not in (None, 1.0) else []
    for factor in [*factors, *(one for one in (-1.0, 2.0, -2.0) if one not in factors)][:3]:
        assert factor is not None
        yield [case.code.replace(part, _divided(case, part, factor)) for part in parts]
    if len(parts) == 2:  # noqa: PLR2004 - of w and of b
        for part in parts:
            yield [case.code.replace(part, _divided(case, part, -1.0))]
    for part in parts[1:]:
        if isinstance(part, ast.Call) and called(part) == "mean" and isinstance(part.func, ast.Attribute):
            yield [case.code.replace(part, f"{case.code.text(part.func.value)}.sum()")]


def _divided(case: Case, part: ast.expr, factor: float) -> str:
    text = case.code.text(part)
    if factor == -1:
        return text[1:] if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub) else f"-({text})"
    if round(1 / factor, 2) == ROWS and case.exercise == "manual_gradient":
        function = case.code.function(part)
        if function is not None and function.args.args:
            return f"({text}) * len({function.args.args[0].arg})"  # a mean for the sum
    return f"({text}) / {factor:g}" if abs(factor) >= 1 else f"({text}) * {1 / factor:g}"
