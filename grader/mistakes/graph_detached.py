"""The computation is cut off from the parameters on its way to the loss.

## What it is

`.detach()`, `.item()`, `.data`, or `torch.tensor(…)` around a result give the same numbers without their history. What is
computed from them no longer knows that it came from w and b.

## Why it matters

backward() cannot reach the parameters. Either it stops ("does not require grad"), or, where `requires_grad_()` was put on
the loss to quiet it, it runs and gives w and b no gradient at all: nothing moves.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    y_pred = (w * x + b).detach()  # ←
    loss = ((y_pred - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Leave the cut out: `y_pred = w * x + b`. For printing, cut a copy: `print(loss.item())`.
"""

from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import trained_names
from grader.evidence.cuts import cuts, unquieted, without_cuts
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.planting import suffixed
from grader.evidence.reach import cut_off, unreached
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import root_value, trainings

TEXT = {
    "en": Words(
        title="the loss is cut off from the parameters",
        message="`{cut}` keeps the numbers of `{what}` and drops how they came from the parameters. The loss that is computed "
        "from it knows nothing of them.",
        why="backward() cannot find the parameters, so they get no gradient and stay where they are.",
        fix="Use `{what}` itself on the way to the loss; cut only copies for printing or plotting.",
    ),
    "zh": Words(
        title="损失与参数之间的联系被切断了",
        message="`{cut}` 只保留了 `{what}` 的数值，丢掉了它是怎样由参数算出来的。由它算出的损失与参数不再有联系。",
        why="backward() 找不到参数，参数得不到梯度，也就不会变化。",
        fix="计算损失时直接使用 `{what}`；只在打印或画图时才切断副本。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """The first cut in what the loss is computed from, where the run shows that parameters were not reached."""
    forward = forward_of(case)
    found = cuts(forward)
    if not found:
        return
    first = found[0]
    yield case.suspicion(
        first.whole,
        0.94 if cut_off(case) and _concerns_trained(case) else 0.7,
        cut=_short(case.code.text(first.whole)),
        what=_short(case.code.text(first.part)),
    )


def _concerns_trained(case: Case) -> bool:
    """Whether what was not reached is to be trained: the task says so, nothing was reached, or an optimizer was given it.

    A network that follows another one at a distance is cut off on purpose.
    """
    if case.exercise is not None or not any(event.leaves for event in case.gradient_events):
        return True
    given = {
        number
        for event in case.optimizers
        if event.optimizer is not None
        for number in event.optimizer.tensors
    }
    return any(
        tensor.number in given or set(tensor.names) & set(trained_names(case)) for tensor in unreached(case)
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Take out all cuts, and what was put in to quiet the error."""
    forward = forward_of(case)
    yield [*without_cuts(forward), *unquieted(forward)]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Detach what backward is called on."""
    for training in trainings(case):
        yield [suffixed(case, root_value(training), ".detach()")]


def _short(text: str) -> str:
    line = text.split("\n", maxsplit=1)[0]
    return line if len(line) <= 60 else line[:59] + "…"  # noqa: PLR2004
