"""The loss is the mean squared error times a factor: a sum in place of a mean, or a mean divided once more.

## What it is

`((y_pred - y) ** 2).sum()` over 100 points is 100 times the mean, and so is its gradient. A mean divided by 100 again is
100 times too small.

## Why it matters

The minimum is the same, but each step is as much too long or too short. With a learning rate that suits the mean, a sum
jumps over the minimum until nan; a small fraction hardly moves.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).sum()  # ←
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Take the mean, once: `((w * x + b - y) ** 2).mean()`.
"""

import ast
import re
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.creation import with_keyword
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.losses import SURE
from grader.evidence.losses import ways as other_losses
from grader.evidence.rewrite import atom, keep_only, rename_call
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import reductions, squares

TEXT = {
    "en": Words(
        title="the loss has the wrong scale",
        message="`{part}` makes the loss, and with it every gradient, a multiple of what was asked.",
        why="Each step is as much too long or too short: the numbers run off, or hardly move.",
        fix="Take the mean (or the sum) of the squared errors, exactly as the task says, without a further factor.",
    ),
    "zh": Words(
        title="损失的大小不对",
        message="`{part}` 使损失以及所有梯度都变成了要求值的若干倍。",
        why="每一步因此相应地太大或太小：数值要么发散，要么几乎不动。",
        fix="按题目的要求对平方误差求平均（或求和），不要再乘除别的因子。",
    ),
}

_REDUCE = ("mean", "sum")
# Of a run that stopped, where nothing was seen of its numbers: too little to tell a learner, enough to try.
UNSEEN = 0.55


def detect(case: Case) -> Iterator[Suspicion]:
    """A sum where a mean would do, and factors around the loss; a rerun has to prove them."""
    forward = forward_of(case)
    ways = _ways(case, forward)
    if not ways or case.full or any(way.what in SURE for way in other_losses(forward)):
        return
    lost = case.failed(
        "not-finite",
        "line-lost-on-other-data",
        "loss-differs",
        "gradient-differs",
        "grad-scaled",
        "grad-doubled",
    )
    node = ways[0][0]
    sureness = 0.87 if lost or _constructed(case) else 0.8 if not _only_mean(ways) else 0.62
    if case.errors and not lost:
        sureness = UNSEEN
    yield case.suspicion(node, sureness, part=case.first_line(node))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """A mean for a sum, and no factor; where there was neither, a sum for the mean."""
    for _, edits in _ways(case, forward_of(case))[:3]:
        yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """A sum for a mean, or a mean for a sum; half of each squared error, or its whole."""
    for call in reductions(case):
        yield [rename_call(case.code, call, "sum" if called(call) == "mean" else "mean")]
    for call in case.code.calls("MSELoss"):
        yield [with_keyword(case, call, "reduction", '"sum"')]
    for square in squares(case):
        parent = case.code.parent(square)
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Mult):
            yield keep_only(case.code, parent, square)
        else:
            yield [case.code.replace(square, f"0.5 * ({case.code.text(square.left)}) ** 2")]


def _only_mean(ways: list[tuple[ast.expr, list[Edit]]]) -> bool:
    return len(ways) == 1 and isinstance(ways[0][0], ast.Call) and called(ways[0][0]) == "mean"


def _ways(case: Case, forward: Forward) -> list[tuple[ast.expr, list[Edit]]]:
    """The mends, each with the expression that it is about: means outside of trainings, factors, sums."""
    factors: list[tuple[ast.expr, list[Edit]]] = []
    sums: list[tuple[ast.expr, list[Edit]]] = []
    means: list[tuple[ast.expr, list[Edit]]] = []
    for node in forward.inside(ast.Call, ast.BinOp):
        if isinstance(node, ast.BinOp):
            kept = _scaled(case, forward, node)
            if kept is not None:
                edits = keep_only(case.code, node, kept)
                if (total := _reduction(forward, kept, "sum")) is not None:
                    edits.append(rename_call(case.code, total, "mean"))
                factors.append((node, edits))
        elif isinstance(node, ast.Call):
            if called(node) in _REDUCE and _of_errors(forward, node):
                edits = [rename_call(case.code, node, "mean" if called(node) == "sum" else "sum")]
                if called(node) == "sum":
                    sums.append((node, edits))
                elif case.code.loop(node) is None and case.code.function(node) is None:
                    means.append((node, edits))  # in a training, a sum would only lengthen the steps
            for keyword in node.keywords:
                if keyword.arg == "reduction" and ast.unparse(keyword.value) == "'sum'":
                    sums.append((node, [case.code.replace(keyword.value, '"mean"')]))
    sums = [one for one in [*sums, *_products(case, forward)] if not _is_divided(case, one[0])]
    sums += _constructed(case)
    factors += _multiples(case, forward)
    if len(factors) > 1:
        together = [edit for _, edits in factors for edit in edits]
        factors.append((factors[0][0], together))
    return [*means, *factors, *sums, *_augmented(case, forward)]


def _products(case: Case, forward: Forward) -> Iterator[tuple[ast.expr, list[Edit]]]:
    """Errors times themselves, which is the sum of their squares: `d.dot(d)`, `d @ d`, `torch.dot(d, d)`."""
    for node in forward.inside(ast.Call, ast.BinOp):
        sides: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            sides = [node.left, node.right]
        elif isinstance(node, ast.Call) and called(node) in ("dot", "inner", "vdot"):
            own = node.func.value if isinstance(node.func, ast.Attribute) else None
            sides = [own, *node.args] if own is not None and len(node.args) == 1 else list(node.args)
        if len(sides) == 2 and isinstance(node, ast.expr) and forward.tracked(sides[0]):  # noqa: PLR2004 - two factors
            first, second = (re.sub(r"\.(T|t\(\)|mT)$", "", case.code.text(side)) for side in sides)
            if first == second:
                text = f"{case.code.text(node)} / {atom(case.code, sides[1])}.numel()"
                tight = isinstance(case.code.parent(node), ast.Attribute | ast.BinOp)
                yield node, [case.code.replace(node, f"({text})" if tight else text)]


def _multiples(case: Case, forward: Forward) -> list[tuple[ast.expr, list[Edit]]]:
    """Squared errors that lack a factor, where a check says by how much the gradient is too large."""
    found: list[tuple[ast.expr, list[Edit]]] = []
    for check in case.checks:
        times = None if check.reason is None else check.reason.params.get("times")
        if isinstance(times, float) and times > 1:
            for node in forward.inside(ast.BinOp):
                if (
                    isinstance(node, ast.BinOp)
                    and isinstance(node.op, ast.Pow)
                    and forward.tracked(node.left)
                ):
                    text = f"{1 / times:.6g} * ({case.code.text(node.left)}) ** {case.code.text(node.right)}"
                    found.append((node, [case.code.replace(node, text)]))
            for root in forward.roots if not found else ():
                for value in forward.values(root) if isinstance(root, ast.Name) else [root]:
                    if isinstance(value, ast.Call) and forward.tracked(value):
                        text = f"{1 / times:.6g} * {case.code.text(value)}"
                        wrapped = f"({text})" if isinstance(case.code.parent(value), ast.Attribute) else text
                        found.append((value, [case.code.replace(value, wrapped)]))
            break
    return found[:1]


def _scaled(case: Case, forward: Forward, node: ast.BinOp) -> ast.expr | None:
    """What is left of a loss or squared error without its factor."""
    if not isinstance(node.op, ast.Div | ast.Mult):
        return None
    sides = [(node.left, node.right)]
    if isinstance(node.op, ast.Mult):
        sides.append((node.right, node.left))
    for kept, factor in sides:
        if forward.tracked(factor) or not forward.tracked(kept) or not _is_number(case, factor):
            continue
        total = _reduction(forward, kept, "sum")
        if total is not None and kept is total and not isinstance(factor, ast.Constant | ast.BinOp):
            continue  # a sum divided by the number of points is the mean
        if forward.is_loss_like(kept) or _reduction(forward, kept, "mean") is not None:
            return kept
    return None


def _reduction(forward: Forward, node: ast.expr, name: str) -> ast.Call | None:
    return next((call for call in forward.code.calls(name, inside=node) if _of_errors(forward, call)), None)


def _of_errors(forward: Forward, call: ast.Call) -> bool:
    """Whether a reduction is taken of squared errors."""
    of = [*call.args[:1]]
    if isinstance(call.func, ast.Attribute):
        of.append(call.func.value)
    return any(forward.tracked(one) for one in of)


def _is_divided(case: Case, node: ast.expr) -> bool:
    parent = case.code.parent(node)
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div) and parent.left is node


def _is_number(case: Case, node: ast.expr) -> bool:
    """Whether an expression is a plain number: a literal, a count such as `len(x)`, a name that held a number."""
    if isinstance(node, ast.BinOp):
        return _is_number(case, node.left) and _is_number(case, node.right)
    if isinstance(node, ast.Call):
        return called(node) in ("len", "numel", "size", "float")
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
    if isinstance(node, ast.Attribute):
        return node.attr in ("size", "shape")
    return case.number(node) is not None or (isinstance(node, ast.Name) and node.id.lower() in ("n", "m"))


def _constructed(case: Case) -> list[tuple[ast.expr, list[Edit]]]:
    """`nn.MSELoss(reduction="sum")`, made outside of the forward pass."""
    return [
        (call, [case.code.replace(keyword.value, '"mean"')])
        for call in case.code.calls("MSELoss")
        for keyword in call.keywords
        if keyword.arg == "reduction"
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value == "sum"
    ]


def _augmented(case: Case, forward: Forward) -> list[tuple[ast.expr, list[Edit]]]:
    """`loss /= n`, `loss *= 0.5`."""
    return [
        (statement.target, [case.code.delete(statement)])
        for statement in case.code.all(ast.AugAssign)
        if isinstance(statement.op, ast.Div | ast.Mult)
        and isinstance(statement.target, ast.Name)
        and statement.target.id in forward.root_names
    ]
