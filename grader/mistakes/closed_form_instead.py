"""w and b are computed by a formula or a library's fit, where a descent is asked for.

## What it is

`np.polyfit`, `torch.linalg.lstsq`, the normal equation or covariance over variance give the best line at once. The numbers are
right, and no gradient was ever followed.

## Why it matters

The exercise is about descending: it practises what also works where no formula exists, as for any network with a hidden layer.

## Example

```python
import numpy as np
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
w, b = np.polyfit(x.numpy(), y.numpy(), 1)  # ←
```

## Fix

Start w and b anywhere, and let a loop of backward() and small updates find the line. The formula is a fine check afterwards.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Function, called, names_in
from grader.evidence.edits import Edit
from grader.evidence.lines import (
    least_squares,
    made_from,
    needs_torch,
    number_at_end,
    own_data,
    settings_of,
    train_instead,
)
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import training_statements

TEXT = {
    "en": Words(
        title="the line is computed by a formula instead of descending to it",
        message="`{line_text}` computes the best line in one go. The numbers are fine (w = {w}, b = {b}), but no gradient led to them.",
        why="Gradient descent is what the exercise is about; it also works where there is no formula.",
        fix="Start with any w and b that require a gradient, and repeat: loss, backward(), a small step against the gradient, "
        "clear the gradient. Keep the formula to compare with.",
    ),
    "zh": Words(
        title="用公式直接算出直线，而不是梯度下降",
        message="`{line_text}` 一步就算出了最佳直线。数值没有问题（w = {w}，b = {b}），但它们不是沿着梯度得到的。",
        why="本练习要练的正是梯度下降；在没有现成公式的地方它同样有效。",
        fix="让 w 和 b 从任意值开始并要求梯度，然后重复：计算损失、backward()、沿梯度反方向走一小步、清零梯度。公式可以留作对照。",
    ),
}

SOLVERS = (
    "polyfit",
    "lstsq",
    "linregress",
    "curve_fit",
    "LinearRegression",
    "pinv",
    "inv",
    "inverse",
    "solve",
    "leastsq",
)
EXACT = 1e-3


def detect(case: Case) -> Iterator[Suspicion]:
    """The call, or the formula, that w comes from, where no descent led to it."""
    if case.full or case.exercise != "linear_regression" or _descends(case):
        return
    w, b, pair = number_at_end(case, "w"), number_at_end(case, "b"), own_data(case)
    if w is None or b is None or pair is None:
        return
    slope, intercept, _ = least_squares(pair)
    exact = abs(w - slope) <= EXACT * max(1, abs(slope)) and abs(b - intercept) <= EXACT * max(
        1, abs(intercept)
    )
    solver = _solver(case)
    last = _last(case)
    if last is None or not (exact or solver is not None):
        return
    statement = solver or last[0]
    yield case.suspicion(
        statement, 0.97 if exact and solver is not None else 0.92, w=round(w, 4), b=round(b, 4), rewrites=True
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Train in the place where w and b were given their values."""
    del suspicion
    if edits := train_instead(case, _last(case) or []):
        yield [*needs_torch(case), *edits]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Solve for the line in the place of the training."""
    for statement in training_statements(case):
        if own_data(case) is not None and {"x", "y"} <= names_in(statement):
            columns = "torch.stack([x, torch.ones_like(x)], dim=1)"
            yield [
                case.code.replace(statement, f"w, b = torch.linalg.lstsq({columns}, y.unsqueeze(1)).solution")
            ]


def _descends(case: Case) -> bool:
    """Whether a loop stepped towards the line: by gradients of the run, or by hand in the source."""
    if case.gradient_calls > 3:  # noqa: PLR2004 - for show, one or two
        return True
    for loop in case.code.all(ast.For, ast.While):
        function = case.code.function(loop)
        if function is not None and not any(case.code.calls(function.name)):
            continue
        for statement in case.code.inside(loop, ast.Assign, ast.AugAssign):
            text = case.code.text(statement).split("=")[0]
            if isinstance(statement, ast.AugAssign) and text.strip(" -+").split(".")[0].split("[")[0] in (
                "w",
                "b",
                "theta",
            ):
                return True
            if isinstance(statement, ast.Assign) and text.strip() in ("w", "b", "w, b", "theta"):
                return True
    return False


def _solver(case: Case) -> ast.stmt | None:
    """The statement in which w, or a function that it was made by, calls a solver."""
    functions: dict[str, Function] = {one.name: one for one in case.code.all(ast.FunctionDef)}
    for statement in made_from(case.code, "w"):
        for call in case.code.inside(statement, ast.Call):
            name = called(call)
            if name in SOLVERS:
                return statement
            if name in functions:
                inner = next(case.code.calls(*SOLVERS, inside=functions[name]), None)
                if inner is not None:
                    return case.code.statement(inner)
    fits = [call for call in case.code.calls("fit") if isinstance(call.func, ast.Attribute)]
    if fits and any(case.code.calls("LinearRegression")):
        return case.code.statement(fits[0])
    return None


def _last(case: Case) -> list[ast.stmt] | None:
    """The statements that gave w and b their values in the end; what comes of w for b is read before."""
    found = []
    for name in ("w", "b"):
        settings = settings_of(case.code, name)
        if not settings:
            return None
        found += [one for one in settings if one not in found]
    return sorted(found, key=lambda one: (case.code.cell_of(one), one.lineno, one.col_offset))
