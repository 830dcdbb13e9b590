"""The gradients of the step before are never cleared, so that each backward() adds to all earlier ones.

## What it is

`backward()` does not write into `.grad`, it adds to it. A training loop has to clear the gradients once per step:
before `backward()`, or after the update. Here they are kept, so that the parameters move along the sum of the
gradients of all steps so far.

## Why it matters

The old gradients go on pushing after the minimum was passed. The parameters swing back and forth around it, the loss
goes up and down for ever, and where training ends depends on the step at which the loop happens to stop.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()  # ←
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
```

## Fix

Clear the gradients after each update: `w.grad.zero_()` and `b.grad.zero_()`, or `w.grad = None`; with an optimizer,
`optimizer.zero_grad()`.
"""

from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.kept import Kept, before_backward, clear, doubled_gradients, kept_gradients, suspicion_of
from grader.evidence.planting import taken_away
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings

TEXT = {
    "en": Words(
        title="the gradients are not cleared between steps",
        message="{name}.grad still held {before} from earlier when `{line_text}` ran, and was {after} afterwards: backward() adds "
        "the new gradient to what is there.",
        why="The step then follows the sum of old and new gradients, so the parameters swing past the minimum again and again.",
        fix="Clear the gradients once per step, for example `{name}.grad.zero_()` after the update, or "
        "`optimizer.zero_grad()` where there is an optimizer.",
    ),
    "zh": Words(
        title="两步之间没有清空梯度",
        message="运行 `{line_text}` 时，{name}.grad 里还留着之前的 {before}，运行之后变成 {after}：backward() 会把新的梯度加到已有的梯度上。",
        why="这样每一步走的是新旧梯度之和的方向，参数会一次又一次冲过最低点。",
        fix="每一步清空一次梯度，例如更新之后写 `{name}.grad.zero_()`；使用优化器时写 `optimizer.zero_grad()`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Gradient calls that found the gradients of the call before in all the parameters that moved."""
    found = _found(case)
    if found:
        first = max(found, key=lambda kept: kept.sureness)
        yield suspicion_of(case, first, first.sureness)
    elif (doubled := doubled_gradients(case)) is not None and not doubled.cleared:
        # where a check found them doubled, a factor in the loss could make up for it: that is not what happened
        yield suspicion_of(case, doubled, 0.92 if case.failed("grad-doubled", "grad-scaled") else 0.75)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Clear them by the optimizer, after the updates, or before backward."""
    found = _found(case)
    doubled = None if found else doubled_gradients(case)
    if doubled is not None:
        yield before_backward(case, [doubled])
    else:
        yield from clear(case, found)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out what clears the gradients."""
    for training in trainings(case):
        yield taken_away(case, training.clearing)


def _found(case: Case) -> list[Kept]:
    return [kept for kept in kept_gradients(case) if not kept.cleared]
