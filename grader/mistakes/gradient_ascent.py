"""The step goes along the gradient instead of against it: uphill, where the loss grows.

## What it is

The gradient points to where the loss grows fastest. To make the loss smaller, a parameter has to go the other way:
`w -= lr * w.grad`. A plus in its place, `maximize=True`, or a minus in front of the loss turns descent into ascent.

## Why it matters

Every step makes the loss larger, and the larger loss has a larger gradient: the numbers soon become inf or nan.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(2000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w += 0.05 * w.grad  # ←
        b += 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Subtract: `w -= 0.05 * w.grad`.
"""

import ast
from collections.abc import Iterator, Sequence

from grader.evidence.added import adding, subtracting
from grader.evidence.case import Case, numbers_of
from grader.evidence.code import Code
from grader.evidence.edits import Edit
from grader.evidence.knobs import number_of, rates
from grader.evidence.motion import main_place, motions
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.rewrite import atom
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import Step, Update, flipped, updates
from grader.trace import Event

TEXT = {
    "en": Words(
        title="a step uphill instead of downhill",
        message="`{line_text}` goes along the gradient. The gradient points to where the loss grows, so each step makes the "
        "loss larger.",
        why="The larger the loss, the larger its gradient: soon the numbers are inf or nan.",
        fix="Go against the gradient: parameter − rate · gradient of the loss, with a minus in exactly one place.",
    ),
    "zh": Words(
        title="沿着梯度上升，而不是下降",
        message="`{line_text}` 顺着梯度走。梯度指向损失增大的方向，所以每一步都让损失更大。",
        why="损失越大，梯度也越大：很快数值就变成 inf 或 nan。",
        fix="逆着梯度走：参数 − 学习率 × 损失的梯度，减号恰好出现一次。",
    ),
}
MOSTLY = 0.8
# What a derivative found by hand is multiplied with.
RATES = ("lr", "alpha", "eta", "learning_rate", "rate", "step_size", "stepsize", "gamma")


def detect(case: Case) -> Iterator[Suspicion]:
    """Parameters that move along their gradient; a minus in front of the loss; a plus in an update by hand."""
    events = main_place(case)
    moved = motions(case, events)
    climbs = any(motion.uphill > MOSTLY for motion in moved.values())
    maximized = [call for call in optimizer_calls(case) if _maximizes(call)]
    turned = _turned_losses(case)
    plus = _adding(updates(case))
    if maximized and turned:
        return
    if maximized and climbs:
        yield _suspicion(case, maximized[0], 0.85)
    elif turned and not plus:
        yield _suspicion(case, turned[0], 0.85)
    elif plus and not turned and not maximized:
        yield _suspicion(case, plus[0][0], 0.95 if climbs and _meant_to_fall(case) else 0.7)
    elif climbs and not (plus or maximized) and (node := _turning(case)) is not None and _rises(events):
        yield _suspicion(case, node, 0.93 if _meant_to_fall(case) else 0.7)
    elif not plus and (by_hand := _by_hand(case)):
        yield _suspicion(case, by_hand[0][0], 0.65)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Turn the sign, where it stands."""
    node = suspicion.node
    if isinstance(node, ast.Call):
        yield [
            case.code.replace(keyword.value, "False")
            for call in optimizer_calls(case)
            for keyword in call.keywords
            if keyword.arg == "maximize"
        ]
    elif isinstance(node, ast.UnaryOp) and node in (turned := _turned_losses(case)):
        yield [_without_minus(case.code, one) for one in turned]
    elif isinstance(node, ast.UnaryOp):
        yield [_without_minus(case.code, node)]
    elif isinstance(node, ast.stmt) and node is adding(case):
        yield subtracting(case, node)
    else:
        plus = _adding(updates(case)) or _by_hand(case)
        yield [edit for _, step in plus if (edit := flipped(case.code, step)) is not None]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Add in the updates what is to be taken away; with an optimizer, call backward on the negative loss."""
    for training in trainings(case):
        by_hand = updates(case, inside=training.whole)
        if by_hand:
            yield [
                edit
                for one in by_hand
                if one.step is not None and (edit := flipped(case.code, one.step)) is not None
            ]
        elif training.steps:
            yield [case.code.replace(training.root, f"(-{atom(case.code, training.root)})")]


def _turning(case: Case) -> ast.AST | None:
    """What turns the steps around where no plus shows: a learning rate below zero, or what the run added a gradient by."""
    below = [one for one in rates(case) if (number_of(one) or 0.0) < 0]
    return next((one for one in below if isinstance(one, ast.UnaryOp)), None) or adding(case)


def _rises(events: Sequence[Event]) -> bool:
    """Whether what backward is called on was above zero and grew, as no score does that is turned to be lowered."""
    values = [numbers_of(event.root.value) for event in events if event.root is not None]
    known = [float(one.sum()) for one in values if one is not None]
    return len(known) > 1 and known[0] > 0 and not known[-1] <= known[0]


def _meant_to_fall(case: Case) -> bool:
    """Whether what grows is a loss: the task says so; or it is called one, and all that it reaches climbs.

    An input that is changed to raise a score, or the loss of a model that stands still, climbs on purpose.
    """
    if case.exercise is not None:
        return True
    events = main_place(case)
    roots = {name.lower() for event in events if event.root is not None for name in event.root.names}
    moved = motions(case, events)
    whole = all(event.leaves == len(moved) for event in events[:1])
    named = whole and any(any(word in name for word in ("loss", "mse", "cost", "error")) for name in roots)
    return named and all(motion.uphill > MOSTLY for motion in moved.values())


def _suspicion(case: Case, node: ast.AST, sureness: float) -> Suspicion:
    return case.suspicion(node, sureness, line_text=case.first_line(case.code.statement(node)))


def _maximizes(call: ast.Call) -> bool:
    return any(
        keyword.arg == "maximize" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in call.keywords
    )


def _turned_losses(case: Case) -> list[ast.UnaryOp]:
    """The minus signs in front of what backward is called on."""
    if not any(
        event.root is not None and event.root.made_by == "NegBackward0" for event in case.gradient_events
    ):
        return []
    roots = {name for event in case.gradient_events if event.root is not None for name in event.root.names}
    found = []
    for node in case.code.all(ast.UnaryOp):
        if not isinstance(node.op, ast.USub) or isinstance(node.operand, ast.Constant):
            continue
        outer = case.code.parent(node)
        if (
            (isinstance(outer, ast.Assign) and any(ast.unparse(one) in roots for one in outer.targets))
            or isinstance(outer, ast.Return)
            or (isinstance(outer, ast.Attribute) and outer.attr == "backward")
        ):
            found.append(node)
    return found


def _without_minus(code: Code, node: ast.UnaryOp) -> Edit:
    start, end = code.span(node)
    return Edit(code.cell_of(node), start, end, code.text(node)[1:].lstrip())


def _adding(found: list[Update]) -> list[tuple[ast.stmt, Step]]:
    return [(one.statement, one.step) for one in found if one.step is not None and one.step.sign > 0]


def _by_hand(case: Case) -> list[tuple[ast.stmt, Step]]:
    """Updates that add a product with a learning rate, in a loop, where no gradient of autograd is read."""
    return [
        (statement, step)
        for statement, step in _adding(updates(case, by_hand=True))
        if isinstance(step.change, ast.BinOp)
        and isinstance(step.change.op, ast.Mult)
        and any(isinstance(side, ast.Name) and side.id.lower() in RATES for side in _sides(step.change))
        and case.code.loop(statement) is not None
    ]


def _sides(product: ast.BinOp) -> tuple[ast.expr, ...]:
    left = _sides(product.left) if isinstance(product.left, ast.BinOp) else (product.left,)
    return (*left, product.right)
