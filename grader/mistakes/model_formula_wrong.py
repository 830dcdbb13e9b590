"""The prediction is another formula than the one asked for: a parameter is missing from it, or stands in the wrong place.

## What it is

The line is `w * x + b`. `w * (x + b)`, `w * x` alone, `b * x + w` or one weight for each point are other models.

## Why it matters

Training finds the best parameters of the model it is given. If the model is another one, so are they; a parameter that
is not in the formula gets no gradient at all.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.ones(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    y_pred = w * (x + b)  # ←
    loss = ((y_pred - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.01 * w.grad
        b -= 0.01 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Write the formula as it is asked for: `y_pred = w * x + b`.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import called, last_name
from grader.evidence.creation import makes_leaf, with_keyword
from grader.evidence.edits import Edit
from grader.evidence.formulas import unread
from grader.evidence.forward import Forward, forward_of, is_parameter, is_product
from grader.evidence.models import is_asked, model_of
from grader.evidence.rewrite import atom, drop_keyword, keep_only
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import offsets, products

TEXT = {
    "en": Words(
        title="the model is another formula",
        message="`{part}` is not the model that the task asks for.",
        why="Training then finds the best numbers for another formula.",
        fix="Compare the formula with the one in the task, term by term.",
    ),
    "zh": Words(
        title="模型的公式不对",
        message="`{part}` 不是题目要求的模型。",
        why="训练找到的是另一个公式的最佳参数。",
        fix="把公式与题目中的逐项对照。",
    ),
}

_MAKERS = ("randn", "zeros", "ones", "rand", "empty", "full")
_BENDS = ("relu", "sigmoid", "tanh", "leaky_relu", "softplus", "exp")


class _Way(NamedTuple):
    node: ast.expr
    edits: list[Edit]


def detect(case: Case) -> Iterator[Suspicion]:
    """Formulas that leave a parameter out or put it elsewhere, in a submission that has lost points."""
    if case.full:
        return
    ways, model = _ways(case, forward_of(case)), model_of(case)
    differs = model is not None and model.differs
    if not ways and not differs:
        return
    first = model.returned if model is not None and differs else ways[0].node
    sure = 0.85 if case.failed("forward-differs", "model-differs", "gradient-reaches-count") else 0.79
    if differs or ways[0] in _too_many(case, forward_of(case)):
        sure = 0.93
    yield case.suspicion(first, sure, part=case.first_line(first))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """The formula with all its parameters in their places."""
    for way in _ways(case, forward_of(case))[:3]:
        yield way.edits
    if (model := model_of(case)) is not None and model.differs:
        yield [case.code.replace(model.returned, model.wanted)]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out the parameter that is added; where none is, add in place of multiplying."""
    added = list(offsets(case))
    for node in added:
        yield keep_only(case.code, node, node.left)
    for product, name, other in products(case) if not added else ():
        yield [case.code.replace(product, f"({name.id} + {case.code.text(other)})")]
    for call in case.code.calls("Linear"):
        yield [with_keyword(case, call, "bias", "False")]


def _ways(case: Case, forward: Forward) -> list[_Way]:
    shaped = [*_one_for_each_point(case), *_biasless(case)]
    if is_asked(case, [one for one in forward.inside(ast.Call) if isinstance(one, ast.Call)]):
        return shaped
    return [
        *shaped,
        *_bent(case, forward),
        *_distributed(case, forward),
        *_missing(case, forward),
        *_swapped(case, forward),
        *_not_squared(case, forward),
        *_too_many(case, forward),
    ]


def _too_many(case: Case, forward: Forward) -> list[_Way]:
    """`w * x + b`, where the task has no b."""
    if case.exercise != "backprop_per_sample" or not case.failed("forward-differs"):
        return []
    return [
        _Way(node, keep_only(case.code, node, node.left))
        for node in forward.inside(ast.BinOp)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add)
        and isinstance(node.left, ast.BinOp)
        and is_product(forward, node.left)
        and is_parameter(forward, node.right)
    ]


def _one_for_each_point(case: Case) -> Iterator[_Way]:
    """`torch.randn(100, requires_grad=True)`, where the data has as many points."""
    large = {
        name: tensor.shape[0]
        for event in case.gradient_events[:1]
        for tensor in event.tensors[: event.leaves]
        if len(tensor.shape) == 1 and tensor.shape[0] > 2  # noqa: PLR2004 - a slope and an intercept in one
        for name in tensor.names
    }
    if not large:
        return
    edits, nodes = [], []
    for call in case.code.calls(*_MAKERS):
        if not any(keyword.arg == "requires_grad" for keyword in call.keywords) or not call.args:
            continue
        if case.number(call.args[0]) in set(large.values()) or not isinstance(call.args[0], ast.Constant):
            nodes.append(call)
            edits.append(case.code.replace(call.args[0], "1"))
    if nodes:
        yield _Way(nodes[0], edits)


def _biasless(case: Case) -> Iterator[_Way]:
    for call in case.code.calls("Linear"):
        for keyword in call.keywords:
            if ast.unparse(keyword) == "bias=False":
                yield _Way(call, [drop_keyword(case.code, call, keyword)])
        for bias in [one for one in call.args[2:] if ast.unparse(one) == "False"]:
            yield _Way(call, [case.code.replace(bias, "True")])


def _bent(case: Case, forward: Forward) -> Iterator[_Way]:
    """A function such as relu around the line."""
    for node in forward.inside(ast.Call):
        assert isinstance(node, ast.Call)
        if called(node) not in _BENDS:
            continue
        of = node.args[0] if node.args else node.func.value if isinstance(node.func, ast.Attribute) else None
        if of is not None and forward.tracked(of):
            yield _Way(node, keep_only(case.code, node, of))


def _distributed(case: Case, forward: Forward) -> Iterator[_Way]:
    """`w * (x + b)`, `w * x - b`, `w + x * b` and the like."""
    code = case.code
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        if isinstance(node.op, ast.Mult):
            for factor, inner in ((node.left, node.right), (node.right, node.left)):
                if not (is_parameter(forward, factor) and isinstance(inner, ast.BinOp)):
                    continue
                if not isinstance(inner.op, ast.Add | ast.Sub):
                    continue
                for data, offset in ((inner.left, inner.right), (inner.right, inner.left)):
                    if is_parameter(forward, offset) and not forward.tracked(data):
                        text = f"{code.text(factor)} * {atom(code, data)} + {code.text(offset)}"
                        yield _Way(node, [code.replace(node, text)])
        elif isinstance(node.op, ast.Sub | ast.Mult | ast.Div) and is_parameter(forward, node.right):
            if (
                isinstance(node.left, ast.BinOp)
                and forward.tracked(node.left)
                and not forward.is_loss_like(node.left)
            ):
                yield _Way(node, [code.replace(node, f"{code.text(node.left)} + {code.text(node.right)}")])
        elif isinstance(node.op, ast.Add | ast.Div) and _is_slope_added(forward, node):
            yield _Way(node, [code.replace(node, f"{atom(code, node.left)} * {atom(code, node.right)}")])


def _is_slope_added(forward: Forward, node: ast.BinOp) -> bool:
    """`w + x` in `w + x + b`, or where w is the only parameter; `x / w`."""
    sides = node.left, node.right
    meet = any(
        is_parameter(forward, one) and isinstance(other, ast.Name) and not forward.tracked(other)
        for one, other in (sides, sides[::-1])
    )
    return meet and (len(forward.parameters) == 1 or isinstance(forward.code.parent(node), ast.BinOp))


def _missing(case: Case, forward: Forward) -> Iterator[_Way]:
    """A parameter that is updated or given to the optimizer, and is not in the formula."""
    for value, name in unread(case.code, forward.parts):
        yield _Way(value, [case.code.replace(value, f"{case.code.text(value)} + {name}")])
    read = {node.id for node in forward.inside(ast.Name) if isinstance(node, ast.Name)}
    made = [
        target.id
        for statement in case.code.all(ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name) and target.id in forward.parameters and makes_leaf(statement.value)
    ]
    missing = [name for name in dict.fromkeys(made) if name not in read]
    if len(missing) != 1 or not read & forward.parameters:
        return
    for node in forward.inside(ast.BinOp, ast.Call):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
            if is_product(forward, node):
                yield _Way(node, [case.code.replace(node, f"{_bracketed(case, node, missing[0])}")])
        elif (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and is_parameter(forward, node.right)
        ) and not forward.tracked(node.left):
            yield _Way(
                node.left, [case.code.replace(node.left, f"{missing[0]} * {atom(case.code, node.left)}")]
            )


def _bracketed(case: Case, node: ast.expr, name: str) -> str:
    text = f"{case.code.text(node)} + {name}"
    return f"({text})" if isinstance(case.code.parent(node), ast.BinOp | ast.Attribute) else text


def _swapped(case: Case, forward: Forward) -> Iterator[_Way]:
    """`b * x + w`: the places of the two exchanged."""
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        if not isinstance(node.op, ast.Add) or not is_parameter(forward, node.right):
            continue
        product = node.left
        if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult):
            continue
        for slope in (product.left, product.right):
            weight = last_name(node.right)
            if is_parameter(forward, slope) and last_name(slope)[0] == "b" and weight[0] == "w":
                edits = [case.code.replace(slope, weight), case.code.replace(node.right, last_name(slope))]
                yield _Way(node, edits)


def _not_squared(case: Case, forward: Forward) -> Iterator[_Way]:
    """`w * x * 2 + w2 * x`: a square that became a product, a third power, or no power at all."""
    weights = [name for name in forward.parameters if name.startswith("w") or name.startswith("a")]
    if len(weights) < 2:  # noqa: PLR2004 - a parabola has two
        return
    code = case.code
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        if (
            isinstance(node.op, ast.Mult)
            and isinstance(node.right, ast.Constant)
            and isinstance(node.left, ast.BinOp)
        ):
            yield _Way(node, [code.replace(node, f"{code.text(node.left)} ** 2")])
        elif (
            isinstance(node.op, ast.Pow)
            and not forward.tracked(node.left)
            and isinstance(node.right, ast.Constant)
        ):
            if node.right.value != 2:  # noqa: PLR2004
                yield _Way(node, [code.replace(node.right, "2")])
        elif (
            isinstance(node.op, ast.Pow)
            and isinstance(node.left, ast.BinOp)
            and is_product(forward, node.left)
        ):
            yield _Way(node, [code.replace(node, f"{code.text(node.left)} ** 2")])
    products = [
        node
        for node in forward.inside(ast.BinOp)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and is_product(forward, node)
    ]
    for product in products[:2]:
        if not any(code.inside(product, ast.Pow)):
            yield _Way(product, [code.replace(product, f"{code.text(product)} ** 2")])
