"""The data are drawn anew in every step: each step fits other points.

## What it is

The data are drawn once, and then the line is fitted to them. Drawn inside the loop, they change under the training: no
two steps see the same loss.

## Why it matters

The loss jumps and never settles, and the line belongs to none of the data sets, least of all to the one at the end.

## Example

```python
import torch

x = torch.arange(100) / 100
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(2000):
    y = 10 * x + 4 + torch.randn(100)  # ←
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Draw the data once, in front of the loop.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Function, called, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.noise import NOISE, drawn_each_step
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import inputs, made_at_top, trainings

TEXT = {
    "en": Words(
        title="new data in every step",
        message="`{line_text}` is run again for every step of the training: each step draws new data and fits another set of points.",
        why="The loss jumps and never settles, and the line belongs to none of these data.",
        fix="Draw the data once, in front of the loop.",
    ),
    "zh": Words(
        title="每一步都重新生成数据",
        message="`{line_text}` 在训练的每一步都会再运行一次：每一步都重新抽取数据，拟合的是另一批点。",
        why="损失来回跳动，得到的直线不属于其中任何一批数据。",
        fix="在循环之前只生成一次数据。",
    ),
}
FEW = 3


def detect(case: Case) -> Iterator[Suspicion]:
    """Assignments in a training loop that draw random data of many numbers, which the loss then uses; elsewhere, what the run saw."""
    found = _drawn(case)
    if found:
        statement = next((one for one in reversed(found) if _changes(case, one)), found[-1])
        # Without a task nobody says that the data are to stay: noise of a GAN, samples of a game.
        sure = case.exercise is not None and _changes(case, statement)
        yield case.suspicion(statement, 0.93 if sure else 0.7)
    elif not case.full and (place := drawn_each_step(case, FEW)) is not None:
        drawing = case.code.at(*place)
        if drawing is not None:
            yield case.suspicion(drawing, 0.93 if case.exercise is not None else 0.7)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Draw them once: leave the second drawing out where there is a first one; else do it in front of the loop."""
    found = _drawn(case)
    if not found and isinstance(suspicion.node, ast.stmt):
        yield _once(case, suspicion.node)
        return
    edits = []
    for statement in found:
        loop = _outermost(case, statement)
        if loop is None:
            return
        if all(_bound_before(case, target, loop) for target in targets_of(statement)):
            edits.append(case.code.delete(statement))
        else:
            edits += case.code.move(statement, before=loop)
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make random data anew in each step."""
    random = {
        function.name
        for function in case.code.all(ast.FunctionDef)
        if any(case.code.calls(*NOISE, inside=function))
    }
    for training in trainings(case):
        for made in made_at_top(case, inputs(case)) if training.loop is not None else ():
            if any(case.code.calls(*NOISE, *random, inside=made)):
                yield [case.code.insert_before(training.block[0], case.code.text(made))]


def _drawn(case: Case) -> list[ast.Assign]:
    """The assignments, in loops that train, whose values are random data, with what is computed from them."""
    drawing = {
        function.name
        for function in case.code.all(ast.FunctionDef)
        if any(case.code.calls(*NOISE, inside=function))
        and not any(case.code.calls("backward", "grad", "step", inside=function))
    }
    parameters = {
        name.split(".")[0] for event in case.gradient_events[:3] for tensor in event.tensors[: event.leaves]
        for name in tensor.names
    }  # fmt: skip
    for loop in case.training_loops:
        if not any(case.code.calls("backward", "grad", inside=loop)):
            continue
        found: list[ast.Assign] = []
        random: set[str] = set()
        for statement in loop.body:
            if not isinstance(statement, ast.Assign):
                continue
            names = {one.id for one in targets_of(statement) if isinstance(one, ast.Name)}
            calls = [node for node in ast.walk(statement.value) if isinstance(node, ast.Call)]
            draws = any(called(call) in (*NOISE, *drawing) for call in calls)
            reads = names_in(statement.value)
            if reads & parameters or names & parameters:
                parameters |= names
                continue
            if len(names) != len(targets_of(statement)):
                continue
            if draws or reads & random:
                random |= names
                found.append(statement)
        if random and any(_changes(case, one) for one in found):
            return found
    return []


def _changes(case: Case, statement: ast.Assign) -> bool:
    """Whether a name held another tensor of data at each of the first gradient calls, of the same size, in place of an older one."""
    names = {one.id for one in targets_of(statement) if isinstance(one, ast.Name)}
    for name in names:
        seen = {
            (tensor.number, tensor.shape)
            for event in case.gradient_events[:10]
            for tensor in event.tensors
            if name in tensor.names and not tensor.requires_grad
        }
        if len({number for number, _ in seen}) >= FEW and len({shape for _, shape in seen}) == 1:
            shape = next(iter(seen))[1]
            if any(size >= FEW for size in shape):
                return True
    return False


def _once(case: Case, drawing: ast.stmt) -> list[Edit]:
    """Let a function that draws remember what it drew; in the training itself, draw in front of the loop."""
    code = case.code
    for call in code.calls(*NOISE, inside=drawing):
        lazy, function = code.around(call, ast.Lambda), code.function(call)
        if lazy is not None:
            return [*_needs_functools(case), code.replace(lazy, f"functools.cache({code.text(lazy)})")]
        loop = _outermost(case, call)
        if loop is not None:
            return [code.insert_before(loop, f"noise = {code.text(call)}"), code.replace(call, "noise")]
        if function is not None:
            return [*_needs_functools(case), _remembering(case, function)]
    return []


def _remembering(case: Case, function: Function) -> Edit:
    """The decorator under which a function or property is run once."""
    for decorator in function.decorator_list:
        if ast.unparse(decorator) == "property":
            return case.code.replace(decorator, "functools.cached_property")
    start, _ = case.code.span(function)
    return Edit(case.code.cell_of(function), start, start, f"@functools.cache\n{case.code.indent(function)}")


def _needs_functools(case: Case) -> list[Edit]:
    if any(
        alias.name == "functools" and not alias.asname
        for node in case.code.all(ast.Import)
        for alias in node.names
    ):
        return []
    first = min(case.code.cells)
    return [Edit(first, (1, 0), (1, 0), "import functools\n")]


def _outermost(case: Case, statement: ast.AST) -> ast.stmt | None:
    loop = case.code.loop(statement)
    while loop is not None and (further := case.code.loop(loop)) is not None:
        loop = further
    return loop


def _bound_before(case: Case, target: ast.expr, loop: ast.stmt) -> bool:
    """Whether a name is assigned before the loop too."""
    name, cell = ast.unparse(target), case.code.cell_of(loop)
    return any(
        any(ast.unparse(one) == name for one in targets_of(statement))
        and (case.code.cell_of(statement), statement.lineno) < (cell, loop.lineno)
        and case.code.function(statement) is case.code.function(loop)
        for statement in case.code.all(ast.Assign)
    )
