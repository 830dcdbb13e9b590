"""The gradients of some parameters are cleared in each step, those of others are kept and added up.

## What it is

`backward()` adds to `.grad`, so each step has to clear the gradient of every parameter. Here it is cleared for one of
them (often w) and forgotten for another (often b).

## Why it matters

The forgotten parameter moves along the sum of all its gradients and swings around its best value, pulling the other
one with it. It may end near the right numbers by luck, after this many steps, and not after ten more.

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
    w.grad.zero_()
```

## Fix

Clear the gradient of each parameter: `w.grad.zero_()` and `b.grad.zero_()`.
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
        title="some of the gradients are not cleared",
        message="The gradient of {cleared} is cleared in each step, that of {names} is not: {name}.grad still held {before} when "
        "`{line_text}` ran, and was {after} afterwards.",
        why="backward() adds to what is there, so {name} follows the sum of old and new gradients and swings around its best value.",
        fix="Clear it where you clear the others: `{name}.grad.zero_()`.",
    ),
    "zh": Words(
        title="有的参数没有清空梯度",
        message="每一步都清空了 {cleared} 的梯度，却没有清空 {names} 的：运行 `{line_text}` 时，{name}.grad 里还留着 {before}，运行之后变成 {after}。",
        why="backward() 会把新的梯度加到已有的梯度上，所以 {name} 沿着新旧梯度之和移动，在最佳值附近来回摆动。",
        fix="在清空其他梯度的地方也清空它：`{name}.grad.zero_()`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Gradient calls that found some of the gradients cleared, others as the call before had left them."""
    doubled = doubled_gradients(case)
    found = _found(case) or ([doubled] if doubled is not None and doubled.cleared else [])
    if found:
        kept = max(found, key=lambda one: one.sureness)
        yield suspicion_of(case, kept, kept.sureness)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Clear the others too."""
    found = _found(case)
    doubled = None if found else doubled_gradients(case)
    yield from clear(case, found) if doubled is None else [before_backward(case, [doubled])]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out the last of several statements that clear gradients."""
    for training in trainings(case):
        if len(training.clears) > 1:
            yield taken_away(case, training.clearing[-1:])


def _found(case: Case) -> list[Kept]:
    return [kept for kept in kept_gradients(case) if kept.cleared]
