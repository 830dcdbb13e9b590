"""Every step looks at the same single sample.

## What it is

One sample can stand for all only if another one is drawn in every step. With an index that is fixed, or drawn once in
front of the loop, the training sees one point for ever.

## Why it matters

Infinitely many lines go through one point. The loss falls to 0, and the line is still not that of the data.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
i = 42
for step in range(2000):
    loss = (w * x[i] + b - y[i]) ** 2  # ←
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Use all samples and the mean over them, or draw a new index in every step.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Loop, called, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import errors_taken, inputs, reductions, trainings

# As many gradient calls tell nothing of what stays.
FEW = 5

TEXT = {
    "en": Words(
        title="always the same single sample",
        message="`{line_text}` takes {sample}, the same one in every step: the training never sees the others.",
        why="Infinitely many lines go through one point, so the loss becomes 0 and the line is still not that of the data.",
        fix="Use all samples and take the mean, or choose another sample in every step.",
    ),
    "zh": Words(
        title="始终只用同一个样本",
        message="`{line_text}` 每一步取的都是 {sample}，训练从未见过其他样本。",
        why="过一个点有无数条直线，所以损失会变成 0，但直线仍不是数据的直线。",
        fix="使用全部样本并取平均，或者每一步换一个样本。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Items of data whose index does not change in the training loop."""
    drawn = _drawn_once(case)
    if drawn is not None:
        yield case.suspicion(drawn, 0.92, sample=case.code.text(drawn.value))
    found = [] if drawn is not None else _items(case)
    if found:
        statement = case.code.statement(found[0])
        yield case.suspicion(
            found[0], 0.72, sample=case.code.text(found[0]), line_text=case.first_line(statement)
        )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """All samples, with their mean; or another index in each round."""
    del suspicion
    drawn = _drawn_once(case)
    sets = list(case.code.calls("TensorDataset"))
    if drawn is not None:
        if len(sets) == 1 and len(sets[0].args) == len(targets_of(drawn)):
            given = ", ".join(case.code.text(one) for one in sets[0].args)
            yield [case.code.replace(drawn.value, given)]
        return
    items = _items(case)
    counted = [
        case.code.replace(item.slice, text) for item in items if (text := _counter(case, item)) is not None
    ]
    if counted and len(counted) == len(items):
        yield counted
    if counters := _counted_once(case, items):
        yield counters
    if renamed := _renamed(case, items):
        yield renamed
    whole = [case.code.replace(item, case.code.text(item.value)) for item in items]
    if any(isinstance(item.slice, ast.Slice) for item in items):
        yield whole
    yield [*whole, *_means(case)]
    if whole:
        yield whole


def plant(case: Case) -> Iterator[list[Edit]]:
    """Take the first sample alone: of the data in the loss, or of what the loop goes over."""
    for training in trainings(case):
        loop = training.loop
        if isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and called(loop.iter) == "zip":
            first = ", ".join(f"{case.code.text(one)}[:1]" for one in loop.iter.args)
            yield [case.code.replace(loop.iter, f"zip({first})")]
    names = inputs(case) if any(reductions(case)) else []
    for whole, prediction, target in errors_taken(case):
        used = [node for node in case.code.inside(prediction, ast.Name) if node.id in names]
        if used and isinstance(target, ast.Name) and case.code.loop(whole) is not None:
            yield [case.code.replace(node, f"{node.id}[0]") for node in (*used, target)]


def _drawn_once(case: Case) -> ast.Assign | None:
    """`xb, yb = next(iter(loader))` in front of the training loop, where the losses were of single numbers."""
    for statement in case.code.all(ast.Assign):
        value = statement.value
        drawn = (
            isinstance(value, ast.Call)
            and called(value) == "next"
            and any(case.code.calls("iter", inside=value))
        )
        names = {ast.unparse(target) for target in targets_of(statement)}
        if drawn and case.code.loop(statement) is None and _single(case):
            bound = [
                one
                for loop in case.training_loops
                for one in case.code.inside(loop, ast.stmt)
                if names & {ast.unparse(t) for t in targets_of(one)}
            ]
            read = {node.id for loop in case.training_loops for node in case.code.inside(loop, ast.Name)}
            if names <= read and not bound:
                return statement
    return None


def _items(case: Case) -> list[ast.Subscript]:
    """`x[i]`, in the loop or bound in front of it, of data, with an index that stays."""
    data = {
        name
        for event in case.gradient_events[:2]
        for tensor in event.tensors[event.leaves :]
        if not tensor.requires_grad and tensor.shape and tensor.shape[0] > 1
        for name in tensor.names
    } | {
        name
        for event in case.gradient_events[:2]
        for name, kind in event.types.items()
        if kind in ("list", "ndarray", "tuple")
    }
    if not data or not case.training_loops or not _single(case):
        return []
    changing = _changing(case) - _constant(case)
    found = []
    for item in case.code.all(ast.Subscript):
        if not isinstance(item.ctx, ast.Load) or ast.unparse(item.value) not in data:
            continue
        index = item.slice
        fixed = (
            (isinstance(index, ast.Constant) and isinstance(index.value, int))
            or (isinstance(index, ast.Name) and index.id not in changing)
            or _of_one(index)
            or (_from_one(index) and not names_in(index) & changing)
        )
        if fixed and _used(case, item):
            found.append(item)
    return found if len({ast.unparse(item.value) for item in found}) > 1 else []


def _of_one(index: ast.expr) -> bool:
    """Whether a slice takes one item: `[:1]`, `[2:3]`."""
    if not isinstance(index, ast.Slice) or index.step is not None:
        return False
    ends = [0 if end is None else getattr(end, "value", None) for end in (index.lower, index.upper)]
    return index.upper is not None and all(isinstance(end, int) for end in ends) and ends[1] - ends[0] == 1  # type: ignore[operator]


def _from_one(index: ast.expr) -> bool:
    """Whether a slice takes the one item at an index: `[i:i + 1]`."""
    if not isinstance(index, ast.Slice) or index.step is not None or not isinstance(index.lower, ast.Name):
        return False
    return index.upper is not None and ast.unparse(index.upper) in (
        f"{index.lower.id} + 1",
        f"1 + {index.lower.id}",
    )


def _constant(case: Case) -> set[str]:
    """The names that held the same number at every gradient call that was seen, of some."""
    seen: dict[str, list[float]] = {}
    for event in case.gradient_events:
        for name, number in event.plain.items():
            seen.setdefault(name, []).append(number)
    count = len(case.gradient_events)
    return {name for name, each in seen.items() if count > FEW and len(each) == count and len(set(each)) == 1}


def _single(case: Case) -> bool:
    """Whether the losses were computed of single numbers only, as far as was seen."""
    seen = [event for event in case.gradient_events if event.operations]
    return bool(seen) and all(
        all(size == 1 for size in operation.shape) for event in seen for operation in event.operations
    )


def _changing(case: Case) -> set[str]:
    """The names that are bound inside loops, also by the loops; not those that are only ever given the same number."""
    bound = [
        (target.id, statement)
        for statement in case.code.all(ast.Assign, ast.AugAssign, ast.For, ast.NamedExpr)
        if isinstance(statement, ast.stmt)
        and (isinstance(statement, ast.For) or case.code.loop(statement) is not None)
        for target in targets_of(statement)
        if isinstance(target, ast.Name)
    ]
    values: dict[str, set[str]] = {}
    for name, statement in bound:
        constant = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        values.setdefault(name, set()).add(ast.unparse(statement.value) if constant else "")  # type: ignore[attr-defined]
    return {name for name, given in values.items() if len(given) > 1 or "" in given}


def _used(case: Case, item: ast.Subscript) -> bool:
    """Whether an item is read in a training loop, or bound to a name that is."""
    loop = case.code.loop(item)
    if loop is not None:
        return loop in case.training_loops
    statement = case.code.statement(item)
    if not isinstance(statement, ast.Assign):
        return False
    names = {one.id for one in targets_of(statement) if isinstance(one, ast.Name)}
    return any(
        isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
        for one in case.training_loops
        for node in ast.walk(one)
    )


def _counter(case: Case, item: ast.Subscript) -> str | None:
    """The index that goes through all samples, made of the count of the loop around."""
    loop: Loop | None = case.code.loop(item)
    if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name):
        return None
    if not (isinstance(loop.iter, ast.Call) and ast.unparse(loop.iter.func) == "range"):
        return None
    return None if loop.target.id == "_" else f"{loop.target.id} % len({case.code.text(item.value)})"


def _renamed(case: Case, items: list[ast.Subscript]) -> list[Edit]:
    """The counter of the loop around, `_` so far, under the name that is the index of all the items."""
    names = {item.slice.id for item in items if isinstance(item.slice, ast.Name)}
    loops = {case.code.loop(item) for item in items}
    loop = loops.pop() if len(loops) == 1 else None
    if len(names) != 1 or not isinstance(loop, ast.For) or ast.unparse(loop.target) != "_":
        return []
    return [case.code.replace(loop.target, names.pop())]


def _counted_once(case: Case, items: list[ast.Subscript]) -> list[Edit]:
    """The rounds of `for i in range(1)`, which takes the first sample alone: as many as there are samples."""
    edits = []
    for item in items[:1]:
        loop = case.code.loop(item)
        index = ast.unparse(item.slice)
        if (
            isinstance(loop, ast.For)
            and ast.unparse(loop.target) == index
            and isinstance(loop.iter, ast.Call)
        ):
            edits.append(case.code.replace(loop.iter, f"range(len({case.code.text(item.value)}))"))
    return edits


def _means(case: Case) -> list[Edit]:
    """The mean of a loss that was a single number, where nothing takes one yet."""
    roots = {name for event in case.gradient_events for name in (event.root.names if event.root else ())}
    edits = []
    for loop in case.training_loops:
        for statement in case.code.inside(loop, ast.Assign):
            if ast.unparse(statement.targets[0]) in roots and not any(
                case.code.calls("mean", inside=statement)
            ):
                text = f"({case.code.text(statement.value)}).mean()"
                edits.append(case.code.replace(statement.value, text))
    return list(dict.fromkeys(edits))
