"""A parameter's name is bound to a new tensor, which is no leaf: autograd fills the `.grad` of leaves alone.

## What it is

`w = w - lr * w.grad` computes a new tensor and gives it the name `w`. The tensor that was made with
`requires_grad=True` is still there, but nothing calls it `w` any more. Outside of `torch.no_grad()` the new one is a
result of operations, not a leaf; inside it, it does not require a gradient at all.

## Why it matters

After the first step `w.grad` is `None`, or the loss no longer depends on anything that requires a gradient. The loop
stops with an error that names neither the line nor the reason, or w silently stays where it is.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    w = w - 0.05 * w.grad  # ←
    b = b - 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Change the tensor in place, without autograd watching: `with torch.no_grad(): w -= 0.05 * w.grad`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import last_name
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words

TEXT = {
    "en": Words(
        title="a parameter's name is given to a new tensor",
        message="`{line_text}` makes a new tensor and calls it {name}. It is no leaf (no starting point of the computation), and "
        "backward() fills the .grad of leaves only; the {name} you created no longer changes.",
        why="From the second step on there is no gradient to step along.",
        fix="Change {name} in place, while autograd does not watch: `with torch.no_grad(): {name} -= …`.",
    ),
    "zh": Words(
        title="参数名被绑定到一个新张量",
        message="`{line_text}` 算出一个新张量并把它叫做 {name}。它不是叶子张量（不是计算的起点），而 backward() 只给叶子张量填 .grad；"
        "你最初创建的 {name} 不再变化。",
        why="从第二步起就没有可用的梯度了。",
        fix="在不记录梯度的情况下原地修改 {name}：`with torch.no_grad(): {name} -= …`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Assignments in a training loop that give a parameter's name to a tensor computed from it and its gradient."""
    for loop in case.training_loops:
        for statement in case.code.inside(loop, ast.Assign):
            target = statement.targets[0]
            if len(statement.targets) != 1 or not isinstance(target, ast.Name | ast.Attribute):
                continue
            name = case.code.text(target)
            if last_name(target) in ("data", "grad") or not _reads_gradient(statement.value, name):
                continue
            if _makes_leaf(statement.value) or _made_leaf_after(case, statement, name):
                continue
            yield Suspicion(
                mistake="leaf-rebound",
                cell=case.code.cell_of(statement),
                line=statement.lineno,
                sureness=0.95,
                params={"name": name, "line_text": case.code.text(statement).split("\n")[0]},
                node=statement,
            )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write the update into the tensor that is there."""
    statement = suspicion.node
    assert isinstance(statement, ast.Assign)
    name = case.code.text(statement.targets[0])
    yield [case.code.replace(statement, f"{name}.data = {case.code.text(statement.value)}")]


def _reads_gradient(value: ast.expr, name: str) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "grad" and ast.unparse(node.value) == name
        for node in ast.walk(value)
    )


def _makes_leaf(value: ast.expr) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("requires_grad_", "detach", "Variable", "tensor")
        for node in ast.walk(value)
    ) or any(isinstance(node, ast.keyword) and node.arg == "requires_grad" for node in ast.walk(value))


def _made_leaf_after(case: Case, statement: ast.stmt, name: str) -> bool:
    block = case.code.block(statement)
    following = block[block.index(statement) + 1 :]
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("requires_grad_", "requires_grad")
        and ast.unparse(node.value) == name
        for later in following
        for node in ast.walk(later)
    )
