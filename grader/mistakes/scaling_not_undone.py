"""The training ran on scaled data, and w and b are reported in the scaled units.

## What it is

With `z = (x - x.mean()) / x.std()` the training finds the slope per standard deviation of x and the height at the mean of x. Those are
right for z, but they are not the w and b of `y = w·x + b`.

## Why it matters

Scaling is a good idea: descent gets faster and safer. But whoever puts an unscaled x into the line gets wrong predictions.

## Example

```python
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
z = (x - x.mean()) / x.std()  # ←
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * z + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

After training, go back to the units of the data: `w = w / x.std()`, then `b = b - w * x.mean()`.
"""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case
from grader.evidence.code import called, names_in
from grader.evidence.edits import Edit
from grader.evidence.lines import least_squares, number_at_end, own_data, settings_of
from grader.evidence.scales import in_words_of, line_undone
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import inputs, training_statements

TEXT = {
    "en": Words(
        title="w and b are still in the scaled units",
        message="Your training worked on scaled data (`{line_text}`), and w = {w}, b = {b} belong to these. "
        "For x and y as they are, the same line has w = {w_undone} and b = {b_undone}.",
        why="The line is asked for x and y; with the scaled w and b its predictions are off.",
        fix="After the loop turn w and b back into the units of the data.",
    ),
    "zh": Words(
        title="w 和 b 仍处于缩放后的单位",
        message="训练是在缩放后的数据上进行的（`{line_text}`），w = {w}、b = {b} 属于缩放后的数据。"
        "换回原来的 x 和 y，同一条直线是 w = {w_undone}、b = {b_undone}。",
        why="题目要的是关于 x 和 y 的直线；直接用缩放后的 w 和 b 预测会有偏差。",
        fix="循环结束后，把 w 和 b 换算回数据原来的单位。",
    ),
}


class _Way(NamedTuple):
    """A scaling in the source: scaled = (name − shift) / divisor, as text; the statement or expression it is in."""

    node: ast.AST
    name: str
    shift: str
    divisor: str


FAILED = ("slope-off", "intercept-off", "loss-not-smaller", "line-not-from-training", "line-does-not-follow")


def detect(case: Case) -> Iterator[Suspicion]:
    """w and b that are the best line of the data in another scale."""
    if case.exercise != "linear_regression" or not case.failed(*FAILED):
        return
    pair, w, b = own_data(case), number_at_end(case, "w"), number_at_end(case, "b")
    if pair is None or w is None or b is None or not np.isfinite(w + b):
        return
    slope, intercept, noise = least_squares(pair)
    if _loss(pair.x, pair.y, w, b) <= 2 * noise**2:
        return
    ways = [way for name in ("x", "y") for way in _ways(case, name)]
    found = line_undone(case, w, b, (slope, intercept))
    of_x = [way.node for way in ways if way.name in ("x", *_sources(case, "x"))]
    places = [*of_x, *(way.node for way in ways), *(_scalings(case) if found is not None else ())]
    if not places:
        return
    statement = case.code.statement(places[0])
    undone = found or (slope, intercept)
    yield case.suspicion(
        statement,
        0.95 if found is not None else 0.65,
        w=round(w, 4),
        b=round(b, 4),
        w_undone=round(undone[0], 4),
        b_undone=round(undone[1], 4),
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Behind the training, turn w and b back."""
    del suspicion
    place = _behind_training(case)
    if place is None:
        return
    of_x, of_y = next(iter(_ways(case, "x")), None), next(iter(_ways(case, "y")), None)
    if of_x is None and of_y is None:
        of_x, of_y = _ways_by_numbers(case, place)
    lines = []
    if of_y is not None or of_x is not None:
        lines.append(f"w = w{_times(of_y)}{_over(of_x)}")
    if of_y is not None and (of_y.shift or of_y.divisor):
        lines.append(f"b = b{_times(of_y)}" + (f" + {of_y.shift}" if of_y.shift else ""))
    if of_x is not None and of_x.shift:
        lines.append(f"b = b - w * {of_x.shift}")
    if lines:
        yield [case.code.insert_after(place, *lines)]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Train on the input with its mean taken away, divided by its spread."""
    for statement in training_statements(case):
        used = [node for node in case.code.inside(statement, ast.Name) if node.id in inputs(case)]
        if case.exercise == "linear_regression" and used:
            name = f"{used[0].id}_scaled"
            line = f"{name} = ({used[0].id} - {used[0].id}.mean()) / {used[0].id}.std()"
            yield [
                case.code.insert_before(statement, line),
                *(case.code.replace(node, name) for node in used),
            ]


def _times(way: _Way | None) -> str:
    return f" * {way.divisor}" if way is not None and way.divisor else ""


def _over(way: _Way | None) -> str:
    return f" / {way.divisor}" if way is not None and way.divisor else ""


def _loss(x: Numbers, y: Numbers, w: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.mean((w * x + b - y) ** 2))


def _sources(case: Case, name: str) -> list[str]:
    """Names that are the same data: `x_np` of `x = torch.from_numpy(x_np)`."""
    found = []
    for statement in settings_of(case.code, name):
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call):
            found += [arg.id for arg in value.args if isinstance(arg, ast.Name)]
    return found


def _scalings(case: Case) -> list[ast.BinOp]:
    """What scales something, whatever it is called: `(a - m) / s`, and a quotient or difference with a mean, a spread or an extreme."""
    found = []
    for node in case.code.all(ast.BinOp):
        by = {called(one) for one in ast.walk(node.right) if isinstance(one, ast.Call)}
        shifted = isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Sub)
        divided = isinstance(node.op, ast.Div) and bool(shifted or by & {"std", "max", "min"})
        if divided or (isinstance(node.op, ast.Sub) and by & {"mean", "min"}):
            found.append(node)
    return found


def _ways_by_numbers(case: Case, node: ast.AST) -> tuple[_Way | None, _Way | None]:
    """The scalings of x and y under which the line that was found is the best one, written in terms of x and y."""
    pair, w, b = own_data(case), number_at_end(case, "w"), number_at_end(case, "b")
    if pair is None or w is None or b is None:
        return None, None
    found = line_undone(case, w, b, least_squares(pair)[:2])
    if found is None:
        return None, None
    ways = [
        _Way(node, name, *in_words_of(name, values, scale))
        for name, values, scale in (("x", pair.x, found.of_x), ("y", pair.y, found.of_y))
    ]
    of_x, of_y = (way if way.shift or way.divisor else None for way in ways)
    return of_x, of_y


def _ways(case: Case, name: str) -> list[_Way]:
    """The places where data are scaled: `(x - m) / d`, `x / d`, `x - m`, `x * k`."""
    names = (name, *_sources(case, name))
    found: list[_Way] = []
    for node in case.code.all(ast.BinOp):
        way = _way(case, node, names)
        if way is not None and not any(node in ast.walk(other.node) for other in found):
            statement = case.code.statement(node)
            if isinstance(statement, ast.Assign) and statement.value is node:
                found.append(way)
    return found or [
        way for call in case.code.all(ast.Call) if (way := _called_way(case, call, names)) is not None
    ]


def _called_way(case: Case, call: ast.Call, names: tuple[str, ...]) -> _Way | None:
    """The scaling that a function of the learner's own does: `norm(x)`, where it returns `(t - t.mean()) / t.std()`."""
    given = call.args[0] if len(call.args) == 1 else None
    function = next((one for one in case.code.all(ast.FunctionDef) if one.name == called(call)), None)
    last = None if function is None else function.body[-1]
    if not isinstance(given, ast.Name) or given.id not in names or not isinstance(last, ast.Return):
        return None
    assert function is not None
    arguments = [one.arg for one in function.args.args]
    if len(arguments) != 1 or not isinstance(last.value, ast.BinOp):
        return None
    way = _way(case, last.value, (arguments[0],))
    locals_ = {
        ast.unparse(one.targets[0]): case.code.text(one.value)
        for one in case.code.inside(function, ast.Assign)
    }
    if way is None:
        return None
    shift, divisor = (
        _in_terms_of(given.id, arguments[0], locals_.get(text, text)) for text in (way.shift, way.divisor)
    )
    return _Way(call, given.id, shift, divisor)


def _in_terms_of(name: str, argument: str, text: str) -> str:
    return re.sub(rf"(?<![\w.]){argument}(?!\w)", name, text)


def _way(case: Case, node: ast.BinOp, names: tuple[str, ...]) -> _Way | None:
    left, right = node.left, node.right
    text = case.code.text
    if isinstance(node.op, ast.Div):
        if isinstance(left, ast.Name) and left.id in names:
            return _Way(node, left.id, "", _bracketed(case, right))
        if (
            isinstance(left, ast.BinOp)
            and isinstance(left.op, ast.Sub)
            and isinstance(left.left, ast.Name)
            and left.left.id in names
        ):
            return _Way(node, left.left.id, _bracketed(case, left.right), _bracketed(case, right))
    if (
        isinstance(node.op, ast.Sub)
        and isinstance(left, ast.Name)
        and left.id in names
        and (names_in(right) <= {left.id, "torch", "np"} or isinstance(right, ast.Name | ast.Constant))
    ):
        return _Way(node, left.id, _bracketed(case, right), "")
    if isinstance(node.op, ast.Mult):
        for one, other in ((left, right), (right, left)):
            if isinstance(one, ast.Name) and one.id in names and isinstance(other, ast.Constant):
                return _Way(node, one.id, "", f"(1 / {text(other)})")
    return None


def _bracketed(case: Case, node: ast.expr) -> str:
    text = case.code.text(node)
    return f"({text})" if isinstance(node, ast.BinOp) else text


def _behind_training(case: Case) -> ast.stmt | None:
    """The last statement at the top level that trains, or that gives w or b a value."""
    last: ast.stmt | None = None
    for loop in case.training_loops:
        outer: ast.AST = loop
        while not isinstance(case.code.parent(outer), ast.Module) and case.code.parent(outer) is not None:
            outer = case.code.parent(outer) or outer
        if isinstance(outer, ast.For | ast.While):
            last = outer if last is None or _later(case, outer, last) else last
    for statement in training_statements(case):
        last = statement if last is None or _later(case, statement, last) else last
    for name in ("w", "b"):
        for statement in settings_of(case.code, name)[-1:]:
            if isinstance(case.code.parent(statement), ast.Module) and (
                last is None or _later(case, statement, last)
            ):
                last = statement
    return last


def _later(case: Case, one: ast.stmt, other: ast.stmt) -> bool:
    return (case.code.cell_of(one), one.lineno) > (case.code.cell_of(other), other.lineno)
