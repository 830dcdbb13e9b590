"""The data are not those of the task: another line, no noise, or x and y that do not belong together.

## What it is

The task asks for points around y = 10x + 4, each with noise of its own. Typical slips: the intercept is left out, the two
numbers change places, one random number is drawn and added to all points (`torch.randn(1)` for `torch.randn(100)`), or x is
shuffled after y was made from it.

## Why it matters

The training may work perfectly and still end at another line, because the data say so. One noise value for all points is an
offset, no noise: it only moves the intercept.

## Example

```python
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(1)  # ←
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

Draw one number per point: `y = 10 * x + 4 + torch.randn(x.shape)`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.lines import least_squares, made_from, own_data, settings_of
from grader.evidence.rewrite import keep_only
from grader.evidence.suspicion import Suspicion, Words

TEXT = {
    "en": Words(
        title="the data are not those of the task",
        message="The points that `{line_text}` leads to lie around y = {slope}·x + {intercept}, with a scatter of {noise}. "
        "The task asks for points around 10·x + 4, each with its own random noise of size 1.",
        why="Training can only find the line that is in the data.",
        fix="Check the slope, the intercept, and that one noise value is drawn for each point, in the order of x.",
    ),
    "zh": Words(
        title="数据与题目要求不符",
        message="由 `{line_text}` 得到的点分布在 y = {slope}·x + {intercept} 附近，离散程度为 {noise}。"
        "题目要求点分布在 10·x + 4 附近，并且每个点各有一个大小为 1 的随机噪声。",
        why="训练只能找到数据里本来就有的那条直线。",
        fix="请检查斜率、截距，并确认每个点都各抽取一个噪声、且与 x 的次序一致。",
    ),
}

REASONS = ("data-without-noise", "data-noise-too-large", "data-other-line")
SLOPE, INTERCEPT = 10.0, 4.0
DRAWS = ("randn", "normal", "gauss", "random", "rand", "uniform", "standard_normal", "normalvariate")
SHUFFLES = ("randperm", "permutation", "shuffle")
OFF = 0.9


def detect(case: Case) -> Iterator[Suspicion]:
    """The statement that makes y, where the points do not lie around the task's line."""
    pair = own_data(case)
    if case.full or case.exercise != "linear_regression" or pair is None:
        return
    slope, intercept, noise = least_squares(pair)
    shuffle, formula = _shuffle(case), _formula(case)
    if not case.failed(*REASONS) and shuffle is None:
        return
    statement = shuffle or formula or next(iter(reversed(settings_of(case.code, "y"))), None)
    if statement is None:
        return
    settings = settings_of(case.code, "y")
    once = len(settings) == 1 and case.code.loop(settings[0]) is None and case.code.loop(statement) is None
    plain = case.failed(*REASONS) and not names_in(settings[0]) & {"w", "b"} if settings else False
    known = shuffle is not None or (once and plain)
    yield case.suspicion(
        statement,
        0.95 if known else 0.7,
        slope=round(slope, 2),
        intercept=round(intercept, 2),
        noise=round(noise, 2),
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Leave x in its order; put slope, intercept and noise as the task has them."""
    statement = suspicion.node
    assert isinstance(statement, ast.stmt)
    if statement is _shuffle(case):
        yield [case.code.delete(statement)]
    elif statement is _formula(case):
        yield _edits(case, statement)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out the term in front of the noise that is added to a line."""
    for node in case.code.all(ast.BinOp):
        line = node.left
        drawn = isinstance(node.op, ast.Add) and _is_drawn(case, node.right)
        if drawn and isinstance(line, ast.BinOp) and isinstance(line.op, ast.Add):
            yield keep_only(case.code, line, line.left)


def _is_drawn(case: Case, node: ast.expr) -> bool:
    """Whether an expression draws random numbers, or names what does."""
    named = [
        statement.value
        for statement in case.code.all(ast.Assign)
        if {ast.unparse(target) for target in targets_of(statement)} & names_in(node)
    ]
    return any(True for one in (node, *named) for _ in case.code.calls(*DRAWS, inside=one))


def _shuffle(case: Case) -> ast.stmt | None:
    """Where one of x and y is put in another order, alone."""
    changed: dict[str, list[ast.stmt]] = {"x": [], "y": []}
    for name, found in changed.items():
        for statement in settings_of(case.code, name):
            value = getattr(statement, "value", None)
            own = isinstance(value, ast.Subscript) and name in names_in(value.value)
            if own and any(case.code.calls(*SHUFFLES, inside=value)):
                found.append(statement)
    if bool(changed["x"]) == bool(changed["y"]):
        return None
    return (changed["x"] or changed["y"])[0]


def _formula(case: Case) -> ast.stmt | None:
    """The statement that multiplies x, of those that y comes from: `y_np = 10 * x_np + …`."""
    for statement in made_from(case.code, "y"):
        value = getattr(statement, "value", None)
        if case.code.loop(statement) is None and value is not None and _slope_term(value) is not None:
            return statement
    return None


def _edits(case: Case, statement: ast.stmt) -> list[Edit]:
    value: ast.expr = statement.value  # type: ignore[attr-defined]
    term = _slope_term(value)
    if term is None:
        return []
    factor, variable = (
        (term.left, term.right) if isinstance(term.left, ast.Constant) else (term.right, term.left)
    )
    assert isinstance(factor, ast.Constant)
    edits = []
    if _number(factor) != SLOPE:
        edits.append(case.code.replace(factor, f"{SLOPE:g}"))
    later = [one for one in made_from(case.code, "y") if one.lineno >= statement.lineno]
    addends = [part for one in later for part in _addends(one.value)]  # type: ignore[attr-defined]
    constants = [part for part in addends if isinstance(part, ast.Constant) and _number(part) is not None]
    if not constants:
        start, end = case.code.span(term)
        del start
        edits.append(Edit(case.code.cell_of(term), end, end, f" + {INTERCEPT:g}"))
    elif len(constants) == 1 and _number(constants[0]) != INTERCEPT:
        edits.append(case.code.replace(constants[0], f"{INTERCEPT:g}"))
    return edits + _noise_edits(case, addends, variable, term if constants else None)


def _noise_edits(
    case: Case, addends: list[ast.expr], variable: ast.expr, term: ast.BinOp | None
) -> list[Edit]:
    pair = own_data(case)
    noise = 1.0 if pair is None else least_squares(pair)[2]
    if 0.5 < noise < 2 or not isinstance(variable, ast.Name):  # noqa: PLR2004 - of size 1, as is asked
        return []
    shape = f"{variable.id}.shape"
    is_numpy = any(
        (
            case.code.text(one.value.func).startswith(("np.", "numpy."))
            if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call)
            else False
        )
        for one in settings_of(case.code, variable.id)[-1:]
    )
    text = f"np.random.normal(0, 1, {shape})" if is_numpy else f"torch.randn({shape})"
    draws = list(_draws(case, addends))
    if len(draws) == 1:
        return [case.code.replace(draws[0], text)]
    if not draws and term is not None:
        _, end = case.code.span(term)
        return [Edit(case.code.cell_of(term), end, end, f" + {text}")]
    return []


def _draws(case: Case, addends: list[ast.expr]) -> Iterator[ast.expr]:
    """The addends that are random, where written or under a name."""
    for part in addends:
        if isinstance(part, ast.Name):
            makers = [one for one in settings_of(case.code, part.id) if isinstance(one, ast.Assign)]
            if len(makers) == 1 and any(case.code.calls(*DRAWS, inside=makers[0].value)):
                yield makers[0].value
        elif any(called(call) in DRAWS for call in case.code.inside(part, ast.Call)):
            yield part


def _slope_term(value: ast.expr) -> ast.BinOp | None:
    """`10 * x` in a sum, whatever the number."""
    for part in _addends(value):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
            kinds = {type(part.left), type(part.right)}
            if ast.Constant in kinds and len(kinds) == 2:  # noqa: PLR2004 - a number and something else
                other = part.right if isinstance(part.left, ast.Constant) else part.left
                if isinstance(other, ast.Name | ast.Attribute | ast.Subscript):
                    return part
    return None


def _addends(value: ast.expr) -> list[ast.expr]:
    """The parts of a sum."""
    parts, waiting = [], [value]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            waiting = [part.left, part.right, *waiting]
        else:
            parts.append(part)
    return parts


def _number(node: ast.Constant) -> float | None:
    return float(node.value) if isinstance(node.value, int | float) else None
