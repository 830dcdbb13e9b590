"""`parameters()` was used up before the optimizer or the update got it.

## What it is

`net.parameters()` is a generator: it gives each parameter once, and then it is empty. Whoever goes through it first, a
`print(list(params))` or a loop, leaves nothing for the optimizer; and an update by hand, `for p in params:`, finds the
parameters in the first step only.

## Why it matters

The optimizer stops with "optimizer got an empty parameter list". An update by hand says nothing, and nothing moves any more.

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
from grader.evidence.code import called, names_in
from grader.evidence.creation import trained_names
from grader.evidence.edits import Edit
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.suspicion import Suspicion, Words

TEXT = {
    "en": Words(
        title="the parameters were used up",
        message="`{line_text}` gets {name}, which gives each parameter once only and had been gone through before: it was empty.",
        why="Where no parameters are left, none can be changed.",
        fix="Keep the parameters in a list: `{name} = list(…)`.",
    ),
    "zh": Words(
        title="参数已经被取完了",
        message="`{line_text}` 收到的 {name} 只能遍历一次，之前已经遍历过，现在是空的。",
        why="没有剩下的参数，就什么也改不了。",
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
    for name in _gone_through_again(case):
        yield case.suspicion(case.code.statement(name), 0.9, name=name.id, about=name)
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


def _gone_through_again(case: Case) -> Iterator[ast.Name]:
    """The name in `for p in params:` of an update, where `params` is a generator from outside of the loop that trains."""
    heads: list[ast.For | ast.comprehension] = [*case.code.all(ast.For), *case.code.all(ast.comprehension)]
    for node in heads:
        outer = case.code.loop(node)
        if outer is None or outer not in case.training_loops:
            continue
        inside = set(case.code.inside(outer, ast.expr))
        for name in [node.iter, *ast.iter_child_nodes(node.iter)]:
            made = _made(case, name.id) if isinstance(name, ast.Name) else []
            if made and all(_of_parameters(case, one) and one not in inside for one in made):
                assert isinstance(name, ast.Name)
                yield name


def _of_parameters(case: Case, made: ast.expr) -> bool:
    return any(case.code.calls("parameters", "named_parameters", inside=made)) or bool(
        names_in(made) & set(trained_names(case))
    )


def _made(case: Case, name: str) -> list[ast.expr]:
    """What gives a name a generator; nothing where it is given something else too."""
    values = [
        statement.value
        for statement in case.code.all(ast.Assign)
        if any(isinstance(target, ast.Name) and target.id == name for target in statement.targets)
    ]
    return values if all(_is_once(case, value) for value in values) else []


def _is_once(case: Case, value: ast.expr) -> bool:
    """Whether a value can be gone through once only. A module of the learner's own may have `parameters` return a list."""
    if isinstance(value, ast.GeneratorExp):
        return True
    if not isinstance(value, ast.Call) or called(value) not in ONCE:
        return False
    own = [one for one in case.code.all(ast.FunctionDef) if one.name == called(value)]
    return all(any(case.code.inside(one, ast.Yield, ast.YieldFrom)) for one in own)
