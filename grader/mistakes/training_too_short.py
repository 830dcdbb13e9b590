"""The training ends on its way: too few steps, or steps too small, for the distance to the minimum.

## What it is

Gradient descent walks down step by step. After all steps the gradient is still clearly not zero: the parameters would
have gone on in the same direction.

## Why it matters

The line is on its way to the data, but not there. Nothing is wrong with the code; it was stopped early.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(100):  # ←
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.02 * w.grad
        b -= 0.02 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Take more steps, `range(2000)`, or larger ones, as long as the loss falls.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.exits import early_exits, kept_on
from grader.evidence.knobs import number_of, rate_asked, rate_missing, rates, steps, tidy, turned, written
from grader.evidence.motion import curvature, exploded, main_place, motions
from grader.evidence.optimizers import is_step
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TUNES = True
TEXT = {
    "en": Words(
        title="the training ends before it has arrived",
        message="After {calls} steps the loss was still falling: the parameters were on their way, but had not arrived.",
        why="The result lies between the start and the minimum.",
        fix="Take more steps, or larger ones (a larger learning rate), as long as the loss falls steadily.",
    ),
    "zh": Words(
        title="训练还没到达就结束了",
        message="走完 {calls} 步时损失仍在下降：参数还在路上，没有到达。",
        why="得到的结果介于起点和最小点之间。",
        fix="多走几步，或者迈大一点（更大的学习率），只要损失稳定下降即可。",
    ),
}
SLOW = 0.02
MANY = 10


def detect(case: Case) -> Iterator[Suspicion]:
    """Steady descent that does not get the points."""
    if case.full or case.error is not None:
        return
    events = main_place(case)
    moved = motions(case, events)
    walking = [motion for motion in moved.values() if motion.rate is not None and motion.rate > 0]
    if not walking or any(motion.frozen or motion.uphill > 0.3 for motion in moved.values()):  # noqa: PLR2004
        return
    if exploded(case, events):
        return
    bounds, found = steps(case), rates(case)
    missing = rate_missing(case)
    nodes = [*bounds, *found, *missing]
    if exits := list(early_exits(case)):
        yield case.suspicion(exits[0].statement, 0.8, calls=float(case.gradient_calls))
    elif nodes:
        place = found[0] if found and _slow(case) else missing[0] if missing else nodes[0]
        yield case.suspicion(place, 0.62, calls=float(case.gradient_calls))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Ten times the steps; where these are small for the bend of the loss, larger ones first."""
    for one in early_exits(case):
        if one.statement is suspicion.node:
            yield kept_on(case, one)
            return
    more, larger, largest = turned(case.code, steps(case), MANY), _larger(case, 0.5), _larger(case, 1.0)
    ordered = [larger, largest, more] if _slow(case) or rate_asked(case) else [more, larger, largest]
    if decay := _decays(case):
        yield decay
    yield from ordered
    if more and larger:
        yield [*more, *larger]


def plant(case: Case) -> Iterator[list[Edit]]:
    """A tenth of the steps, and a hundredth of the learning rate."""
    if any(trainings(case)):
        yield [
            case.code.replace(node, str(max(1, round((number_of(node) or 0) / MANY)))) for node in steps(case)
        ]
        yield turned(case.code, rates(case), 1e-2)


def _slow(case: Case) -> bool:
    """Whether the steps are far smaller than the bend of the loss allows."""
    events = main_place(case)
    bend = curvature(case, events)
    known = [motion.rate for motion in motions(case, events).values() if motion.rate is not None]
    return bool(bend and known and max(known) * bend < SLOW)


def _decays(case: Case) -> list[Edit]:
    """The steps of schedulers of the learning rate, taken out."""
    names = {
        ast.unparse(target)
        for statement in case.code.all(ast.Assign)
        if isinstance(statement.value, ast.Call) and called(statement.value).endswith("LR")
        for target in statement.targets
    }
    return [case.code.delete(statement) for statement in case.code.all(ast.Expr) if is_step(statement, names)]


def _larger(case: Case, share: float) -> list[Edit]:
    """A learning rate that is this share of what the bend of the loss suits, or the task's."""
    found, missing = rates(case), rate_missing(case)
    bend = curvature(case, main_place(case))
    wanted = rate_asked(case) or (tidy(share / bend) if bend else 0.0)
    if found:
        number = abs(number_of(found[0]) or 0.0)
        factor = wanted / number if wanted and number and wanted / number >= 2 else MANY  # noqa: PLR2004
        return turned(case.code, found, min(factor, 1000.0))
    edits = []
    for call in missing:
        last = call.args[-1] if not call.keywords else call.keywords[-1].value
        edits.append(case.code.replace(last, f"{case.code.text(last)}, lr={written(wanted or 0.1)}"))
    return edits
