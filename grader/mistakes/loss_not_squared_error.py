"""The loss is something else than the squared error: its absolute value, its root, the square of a mean, no square at all.

## What it is

The mean squared error squares each difference between prediction and target, and then takes the mean. `abs` in place of
the square, a root around it, the square taken after the mean, or a sum in place of the difference is another loss.

## Why it matters

Another loss has another minimum, or gets there by steps of another size. Nothing complains; the line is off.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = (w * x + b - y).mean() ** 2  # ←
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Difference, square, mean, in this order: `((w * x + b - y) ** 2).mean()`.
"""

from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.losses import SURE, Way, ways
from grader.evidence.rewrite import rename_call
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import squares

TEXT = {
    "en": Words(
        title="the loss is not the squared error",
        message="`{part}` is not the squared error: {what}.",
        why="Another loss has another minimum or other steps on the way, so the training ends elsewhere.",
        fix="Take the difference of prediction and target, square it, then take the mean.",
        terms={
            "what": {
                "other loss": "it is another loss",
                "abs": "it takes the absolute value of the difference",
                "root": "it takes a square root",
                "square of the mean": "it takes the mean first and squares that",
                "another power": "it raises the difference to another power than 2",
                "sum": "it adds prediction and target where it should take their difference",
                "no prediction": "the prediction does not occur in it",
                "not the loss": "backward() is called on it, and the loss stands by unused",
                "no square": "the difference is not squared",
            }
        },
    ),
    "zh": Words(
        title="损失不是平方误差",
        message="`{part}` 不是平方误差：{what}。",
        why="不同的损失有不同的最小值或不同的步长，训练因此会停在别处。",
        fix="先求预测值与目标值之差，再平方，最后求平均。",
        terms={
            "what": {
                "other loss": "这是另一种损失",
                "abs": "取的是差的绝对值",
                "root": "多开了一次平方根",
                "square of the mean": "先求了平均、再平方",
                "another power": "差的次数不是 2",
                "sum": "把预测值与目标值相加了，而应当相减",
                "no prediction": "其中没有用到预测值",
                "not the loss": "backward() 作用在它上面，而真正的损失没有用上",
                "no square": "差没有平方",
            }
        },
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Where the formula of the loss leaves the squared error, in a submission that has lost points."""
    if case.full:
        return
    found = ways(forward_of(case))
    if not found:
        return
    first = found[0]
    sureness = 0.93 if _stands_alone(case, found) else 0.86 if first.what in SURE else 0.78
    yield case.suspicion(first.node, sureness, part=case.first_line(first.node), what=first.what)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """The squared error, in the learner's names."""
    found: list[Way] = ways(forward_of(case))
    for way in found[:3]:
        yield list(way.edits)


def _stands_alone(case: Case, found: list[Way]) -> bool:
    """Whether a check found another gradient, and the run went back through no square, by the one loss that the source names."""
    others = [way for way in found if way.what == "other loss"]
    done = {operation.name for event in case.gradient_events[:3] for operation in event.operations}
    squared = bool(done & {"PowBackward0", "MseLossBackward0"})
    return len(others) == 1 and bool(done) and not squared and case.failed("gradient-differs")


def plant(case: Case) -> Iterator[list[Edit]]:
    """The size of the error in place of its square."""
    for square in squares(case):
        yield [case.code.replace(square, f"({case.code.text(square.left)}).abs()")]
    for call in case.code.calls("MSELoss"):
        yield [rename_call(case.code, call, "L1Loss")]
