"""`parameters()` was used up before the optimizer got it.

## What it is

`net.parameters()` is a generator: it gives each parameter once, and then it is empty. Whoever goes through it first, a
`print(list(params))` or a loop, leaves nothing for the optimizer.

## Why it matters

The optimizer stops with "optimizer got an empty parameter list".

## Example

```python
import torch

x = torch.arange(100).reshape(-1, 1) / 100
y = 10 * x + 4 + torch.randn(100, 1)
net = torch.nn.Linear(1, 1)
params = net.parameters()
print(list(params))
optimizer = torch.optim.SGD(params, lr=0.05)  # ←
for step in range(2000):
    loss = ((net(x) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
w, b = net.weight.item(), net.bias.item()
```

## Fix

Keep a list, `params = list(net.parameters())`, or call `net.parameters()` afresh for the optimizer.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.suspicion import Suspicion, Words

TEXT = {
    "en": Words(
        title="the parameters were used up",
        message="`{line_text}` gets {name}, which gives each parameter once only and had been gone through before: it was empty.",
        why="An optimizer without parameters can change nothing.",
        fix="Keep the parameters in a list: `{name} = list(…)`.",
    ),
    "zh": Words(
        title="参数已经被取完了",
        message="`{line_text}` 收到的 {name} 只能遍历一次，之前已经遍历过，现在是空的。",
        why="没有参数的优化器什么也改不了。",
        fix="把参数存成列表：`{name} = list(…)`。",
    ),
}
ONCE = ("parameters", "named_parameters", "map", "filter", "zip", "iter")


def detect(case: Case) -> Iterator[Suspicion]:
    """Optimizers given a name that holds a generator which is used elsewhere too."""
    empty = case.says("empty parameter list") is not None
    for call in optimizer_calls(case):
        given = call.args[0] if call.args else None
        if not isinstance(given, ast.Name):
            continue
        made = _made(case, given.id)
        uses = [n for n in case.code.all(ast.Name) if n.id == given.id and isinstance(n.ctx, ast.Load)]
        if made and len(uses) > 1:
            statement = case.code.statement(call)
            yield case.suspicion(statement, 0.97 if empty else 0.65, name=given.id, about=given)
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Keep a list."""
    given = suspicion.node
    if isinstance(given, ast.Name):
        yield [
            case.code.replace(value, f"[{case.code.text(value)[1:-1]}]")
            if isinstance(value, ast.GeneratorExp)
            else case.code.replace(value, f"list({case.code.text(value)})")
            for value in _made(case, given.id)
        ]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Count the parameters first, with the generator that the optimizer then gets."""
    for call in optimizer_calls(case):
        if call.args and isinstance(call.args[0], ast.Call) and called(call.args[0]) == "parameters":
            lines = [f"params = {case.code.text(call.args[0])}", "count = sum(p.numel() for p in params)"]
            before = case.code.insert_before(case.code.statement(call), *lines)
            yield [before, case.code.replace(call.args[0], "params")]


def _made(case: Case, name: str) -> list[ast.expr]:
    return [
        statement.value
        for statement in case.code.all(ast.Assign)
        if any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
        and (
            isinstance(statement.value, ast.GeneratorExp)
            or (isinstance(statement.value, ast.Call) and called(statement.value) in ONCE)
        )
    ]
