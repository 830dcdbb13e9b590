"""Two parameters are one tensor, or lie in the same memory, so that a change of one is a change of the other.

## What it is

`w = b = torch.zeros(1, requires_grad=True)` makes one tensor with two names. So does `b = w`.

## Why it matters

Slope and intercept have the same number for ever, and the one tensor is updated twice in each step.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = b = torch.zeros(1, requires_grad=True)  # ←
for step in range(1000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Make each parameter by a call of its own.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise

from grader.evidence.case import Case
from grader.evidence.code import Code, called, names_in
from grader.evidence.creation import made, maker, trained_names
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.lines import at_end
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves
from grader.trace import Tensor

TEXT = {
    "en": Words(
        title="two parameters are the same tensor",
        message="`{line_text}`: {name} and {other} are one and the same memory, so each change of one also changes the other.",
        why="Slope and intercept can then never be different numbers.",
        fix="Make {name} and {other} by a call each.",
    ),
    "zh": Words(
        title="两个参数其实是同一个张量",
        message="`{line_text}`：{name} 和 {other} 用的是同一块内存，改变其中一个也就改变了另一个。",
        why="这样斜率和截距永远不可能是不同的数。",
        fix="分别创建 {name} 和 {other}。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Trained names of tensors with one memory, in the run."""
    found = _shared(case)
    if found is not None:
        one, other, statement = found
        trained = {one, other} <= set(trained_names(case)) or case.exercise is not None
        yield case.suspicion(statement, 0.95 if trained else 0.8, name=one, other=other)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Make the second one by a call of its own."""
    found = _shared(case)
    if found is None:
        return
    one, other, statement = found
    repeated = [edit for node in case.code.inside(statement, ast.expr) for edit in _unrepeated(case, node)]
    if repeated:
        yield repeated
        return
    if not isinstance(statement, ast.Assign):
        return
    if len(statement.targets) > 1 and maker(statement.value) is not None:
        value = case.code.text(statement.value)
        names = [case.code.text(target) for target in statement.targets]
        separator = "; " if ";" in case.code.line(case.code.cell_of(statement), statement.lineno) else None
        lines = [f"{name} = {value}" for name in names]
        gap = separator or "\n" + case.code.indent(statement)
        yield [case.code.replace(statement, gap.join(lines))]
        return
    target = ast.unparse(statement.targets[0])
    source = next((value for _, value in made(case, one if target == other else other) if maker(value)), None)
    yield [
        case.code.replace(
            statement.value, f"{case.code.text(statement.value)}.detach().clone().requires_grad_()"
        )
    ]
    if source is not None:
        yield [case.code.replace(statement.value, case.code.text(source))]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Give a second parameter the tensor of the first."""
    for one, other in pairwise(leaves(case)):
        sizes = [found.size for name in (one.name, other.name) if (found := at_end(case, name)) is not None]
        if case.code.block(one.statement) is case.code.block(other.statement) and sizes[:1] * 2 == sizes:
            yield [case.code.replace(other.call, one.name)]


def _shared(case: Case) -> tuple[str, str, ast.stmt] | None:
    names = trained_names(case)
    for event in case.gradient_events[:2]:
        memories: dict[int, str] = {}
        for tensor in event.tensors:
            for name in tensor.names:
                apart = _apart(case, tensor)
                if not tensor.requires_grad or not (name in (*names, *apart) or _is_alias(case, name, names)):
                    continue
                other = memories.setdefault(tensor.storage, name)
                statement = None if other == name else _tied(case, other, name)
                if statement is not None:
                    return other, name, statement
    return None


def _is_alias(case: Case, name: str, names: list[str]) -> bool:
    """Whether a name is given a trained tensor as it is, `b = w`, and both are read in one expression of the forward pass."""
    for _, value in made(case, name):
        if isinstance(value, ast.Name) and value.id in names:
            for part in forward_of(case).inside(ast.BinOp, ast.Call):
                if {name, value.id} <= names_in(part):
                    return True
    return False


def _apart(case: Case, tensor: Tensor) -> set[str]:
    """The names of a leaf that ought to be two: items of one list or dict, or names that one expression of the forward pass reads."""
    if not tensor.leaf or len(tensor.names) < 2:  # noqa: PLR2004 - one name shares with nobody
        return set()
    holders = [name.rpartition("[")[0] for name in tensor.names]
    found = {
        name for name, held in zip(tensor.names, holders, strict=True) if held and holders.count(held) > 1
    }
    for part in forward_of(case).inside(ast.BinOp, ast.Call):
        if len(read := names_in(part) & set(tensor.names)) > 1:
            found |= read
    return found


def _unrepeated(case: Case, node: ast.expr) -> list[Edit]:
    """Make each item by a call of its own, where an expression holds one tensor several times.

    `[torch.zeros(1)] * 2`, `[w0 for _ in range(2)]`, `dict.fromkeys(names, torch.zeros(1))`.
    """
    code = case.code
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for items, times in ((node.left, node.right), (node.right, node.left)):
            if isinstance(items, ast.List | ast.Tuple) and len(items.elts) == 1 and _is_tensor(items.elts[0]):
                text = f"[{_own(code, items.elts[0])} for _ in range({code.text(times)})]"
                return [code.replace(node, text)]
    if isinstance(node, ast.ListComp) and isinstance(node.elt, ast.Name):
        bound = {
            one.id for made in node.generators for one in ast.walk(made.target) if isinstance(one, ast.Name)
        }
        return [] if node.elt.id in bound else [code.replace(node.elt, _own(code, node.elt))]
    if isinstance(node, ast.Call) and called(node) == "fromkeys":
        for keys, value in zip(node.args, node.args[1:], strict=False):
            text = f"{{key: {_own(code, value)} for key in {code.text(keys)}}}"
            return [code.replace(node, text)] if _is_tensor(value) else []
    return []


def _is_tensor(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or maker(node) is not None


def _own(code: Code, node: ast.expr) -> str:
    """What makes a tensor each time that it is run."""
    text = code.text(node)
    return f"{text}.detach().clone().requires_grad_()" if isinstance(node, ast.Name) else text


def _tied(case: Case, one: str, other: str) -> ast.stmt | None:
    """The statement that gives two names one memory: the last that makes either from the other, or both at once."""
    found = _of_a_third(case, one, other)
    for first, second in ((one, other), (other, one)):
        for statement, value in made(case, first):
            together = isinstance(statement, ast.Assign) and second in [
                ast.unparse(t) for t in statement.targets
            ]
            read = any(isinstance(node, ast.Name) and node.id == second for node in ast.walk(value))
            if (together or read) and not _is_fresh(value) and case.code.loop(statement) is None:
                found = statement
    if found is None:
        repeated = [case.code.statement(node) for node in case.code.all(ast.expr) if _unrepeated(case, node)]
        found = repeated[0] if len(repeated) == 1 else None
    return found


def _of_a_third(case: Case, one: str, other: str) -> ast.stmt | None:
    """The later of two statements that give two names the memory of a third: `w = start.requires_grad_()`, and b likewise."""
    ways = [
        [(statement, names_in(value)) for statement, value in made(case, name) if not _is_fresh(value)]
        for name in (one, other)
    ]
    shared = [
        max(first, second, key=lambda statement: (case.code.cell_of(statement), statement.lineno))
        for first, read in ways[0]
        for second, read_too in ways[1]
        if first is not second and read & read_too - {"torch", "nn", "Variable", "autograd"}
    ]
    return shared[-1] if len(shared) == 1 and case.code.loop(shared[0]) is None else None


def _is_fresh(value: ast.expr) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "clone" for node in ast.walk(value))
