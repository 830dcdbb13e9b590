"""The learning rate is too large: every step overshoots the minimum, farther each time.

## What it is

A step is the learning rate times the gradient. Where the loss bends with curvature λ, a rate above 2/λ lands farther
from the minimum on the other side than it was before.

## Why it matters

The parameters swing ever wider until they are inf or nan; or they jump to and fro around the minimum and never settle.

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
        w -= 2.0 * w.grad  # ←
        b -= 2.0 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Make the rate ten times smaller, and again if need be, until the loss falls: `w -= 0.1 * w.grad`.
"""

import ast
import re
from collections.abc import Iterator, Sequence

import numpy as np

from grader.evidence.case import Case, numbers_of
from grader.evidence.edits import Edit
from grader.evidence.knobs import number_of, rates, tidy, turned
from grader.evidence.motion import Motion, curvature, exploded, main_place, motions
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.trace import Event

TUNES = True
# Of steps that overshoot by the bend of the loss, and go down all the same: worth a try, and nothing to tell.
UNLIKELY = 0.55
# Words, in prose, comments or names, of those who know that it diverges, show it on purpose, or try several rates.
KNOWN = re.compile(
    r"diverg|explod|blow|overflow|overshoot|stable|stabil|oscillat|bounc|nan|\binf|isfinite|large|big|huge|high"
    r"|wrong|bad|compar|rates\b|lrs\b|发散|發散|爆炸|溢出|震荡|振荡|不收敛|太大|过大|過大|较大|无穷|对比|比较|발산",
    re.IGNORECASE,
)
TEXT = {
    "en": Words(
        title="the learning rate is too large",
        message="With the learning rate {rate} every step overshoots: the parameters swing to the other side of the minimum, "
        "and farther each time.",
        why="The loss grows from step to step, until the numbers are inf or nan.",
        fix="Divide the learning rate by 10, and again if need be, until the loss falls steadily.",
    ),
    "zh": Words(
        title="学习率太大",
        message="学习率 {rate} 让每一步都迈过了头：参数跳到最小点的另一侧，而且一次比一次远。",
        why="损失一步步变大，直到数值成为 inf 或 nan。",
        fix="把学习率除以 10，必要时再除以 10，直到损失稳定下降。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Descent that leaves all bounds, or whose rate is above what the bend of the loss allows."""
    if case.full:
        return
    events = main_place(case)
    found = rates(case)
    if not events or not found:
        return
    moved = motions(case, events)
    if not moved or any(motion.uphill > 0.5 for motion in moved.values()):  # noqa: PLR2004
        return
    burst = exploded(case, events)
    bend = curvature(case, events)
    rate = max((motion.rate for motion in moved.values() if motion.rate is not None), default=None)
    fast = bend is not None and rate is not None and bend * rate > 2  # noqa: PLR2004
    if burst or fast:
        sure = 0.85 if burst and fast else 0.7 if burst else UNLIKELY if _falls(events) else 0.65
        if burst and fast and _unknown(case, events, [*moved.values()]):
            sure = 0.92
        rate_told, bend_told = number_of(found[0]) or 0.0, bend or 0.0
        yield case.suspicion(found[0], sure, rate=rate_told, evidence={"curvature": bend_told})


def _falls(events: Sequence[Event]) -> bool:
    """Whether the loss ended below where it began."""
    losses = [numbers_of(event.root.value) for event in events if event.root is not None]
    known = [float(one[0]) for one in losses if one is not None and one.size == 1 and np.isfinite(one[0])]
    return len(known) > 1 and known[-1] < known[0]


def _unknown(case: Case, events: Sequence[Event], moved: Sequence[Motion]) -> bool:
    """Whether a notebook without an exercise ends in inf or nan with nothing that shows that its author knows.

    Its one training is the only one, from one start; in textbooks such a one is shown on purpose, with others beside it.
    """
    if case.exercise is not None or len(case.run.trace.trainings) != 1:
        return False
    if any(move.replaced for motion in moved for move in motion.moves):
        return False
    last = events[-1].root
    loss = None if last is None else numbers_of(last.value)
    if loss is None or np.all(np.isfinite(loss)):
        return False
    code = [cell.source for cell in case.submission.original]
    prose = [text.source for text in case.submission.prose]
    return not any(map(KNOWN.search, code + prose))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """A rate that the bend of the loss allows; a tenth; a hundredth."""
    found = rates(case)
    if isinstance(suspicion.node, ast.expr) and found:
        number = abs(number_of(found[0]) or 0.0)
        bend = curvature(case, main_place(case))
        if bend and number:
            rate = tidy(1 / bend)
            if 0 < rate < number:
                yield turned(case.code, found, rate / number)
        yield turned(case.code, found, 0.1)
        yield turned(case.code, found, 0.01)


def plant(case: Case) -> Iterator[list[Edit]]:
    """A hundred times the learning rate."""
    if any(trainings(case)):
        yield turned(case.code, rates(case), 100)
