"""The gradient is written out by hand where autograd is to find it.

## What it is

The loop computes the derivative as a formula (`grad = 2 * x * (x * w - y)`) and steps along that. No `backward()` is called, and
nothing requires a gradient.

## Why it matters

For one line the formula is short. A network has thousands of parameters; there autograd is the only practical way, and the
exercise practises how it is asked.

## Example

```python
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1)
b = torch.zeros(1)
for step in range(3000):
    error = w * x + b - y
    w = w - 0.1 * 2 * (error * x).mean()  # ←
    b = b - 0.1 * 2 * error.mean()
```

## Fix

Let w and b require a gradient, compute the loss, call `loss.backward()`, and step along `w.grad` and `b.grad`.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Function, Loop, last_name, names_in, targets_of
from grader.evidence.creation import without_keyword
from grader.evidence.edits import Edit
from grader.evidence.lines import function_called, loss_name, needs_torch, rate_of, updates_by_hand
from grader.evidence.planting import read_instead, taken_away
from grader.evidence.reach import put_by_hand
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import by_hand, leaves, trainings

TEXT = {
    "en": Words(
        title="the gradient is written by hand instead of asked from autograd",
        message="`{line_text}` steps {name} along a derivative that you wrote as a formula; backward() is never called here. "
        "The exercise asks for the gradient from autograd.",
        why="With more than a few parameters nobody writes the derivatives down; autograd finds them from the loss.",
        fix="Make {name} require a gradient, compute the loss, call backward() on it, and use {name}.grad.",
    ),
    "zh": Words(
        title="手写了梯度，而没有用自动求导",
        message="`{line_text}` 让 {name} 沿着你手写的导数公式更新；这里从未调用 backward()。本题要求梯度来自自动求导。",
        why="参数一多就没人会手写导数了；自动求导可以直接由损失得到它们。",
        fix="让 {name} 要求梯度，计算损失并对它调用 backward()，然后使用 {name}.grad。",
    ),
}

ASKED = ("linear_regression", "backprop_per_sample", "backprop_quadratic", "temperature", "minimise_parabola")
FAILED = ("no-autograd", "autograd-too-seldom")
# What asks for a gradient; a flag that is set and never used asks for none.
AUTOGRAD = ("backward", "grad", "autograd", "optim", "step", "backwards")
WITH_AUTOGRAD = "descend_with_autograd"


class _Place(NamedTuple):
    """A loop that steps by hand: its updates, the names that they step, and the function around it."""

    loop: Loop
    updates: list[tuple[ast.stmt, str]]
    function: Function | None

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for _, name in self.updates))


def detect(case: Case) -> Iterator[Suspicion]:
    """A loop of updates without gradients of autograd, where there are none in the source it belongs to."""
    if case.full or case.exercise not in ASKED or not case.failed(*FAILED):
        return
    if given := _given(case):
        yield case.suspicion(given[0], 0.95, name=_owners(case)[0])
        return
    place = _place(case)
    if place is None:
        return
    statement, name = place.updates[0]
    yield case.suspicion(statement, 0.95, name=name)


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Ask autograd in the loop, at the place of the updates; drop the formulas that nothing else uses."""
    del suspicion
    if given := _given(case):
        yield from _asked_instead(case, given)
        return
    place = _place(case)
    if place is None:
        return
    loss = _loss_text(case, place)
    if loss is None:
        return
    last = place.updates[-1][0]
    statements = list(dict.fromkeys(statement for statement, _ in place.updates))
    if any(statement not in case.code.block(last) for statement in statements):
        return
    unused = _only_for(case, place, statements)
    fresh = [
        f"{name} = torch.as_tensor({name}, dtype=torch.float32).detach().clone().requires_grad_()"
        for name in place.names
    ]
    rate = rate_of(case, statements[0])
    variable = "y" if case.exercise == "minimise_parabola" else "loss_now"
    for plain in (False, True):
        after = [
            f"{name} = {name}{'.item()' if plain else '.detach()'} - {rate} * {name}.grad{'.item()' if plain else ''}"
            for name in place.names
        ]
        block = [*fresh, f"{variable} = {loss}", f"{variable}.backward()", *after]
        if case.exercise == "minimise_parabola":
            block[0] = (
                f"{place.names[0]} = torch.as_tensor({place.names[0]}, dtype=torch.float64).detach().clone().requires_grad_()"
            )
        if edits := _rewritten(case, statements, unused, block):
            yield [*needs_torch(case), *edits]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Step along a derivative that another function works out, where backward was called."""
    for hand in by_hand(case):
        for training in trainings(case):
            arguments = [one.arg for one in hand.function.args.args]
            if training.loop is not None and training.names == hand.parameters == arguments:
                derived = {name: f"{hand.function.name}({name})" for name in arguments[:1]}
                gone = [training.statement, *training.lifted(training.clearing)]
                plain = [
                    case.code.replace(leaf.call, without_keyword(case, leaf.call, "requires_grad"))
                    for leaf in leaves(case)
                    if leaf.name in derived
                    and case.code.function(leaf.call) is case.code.function(training.call)
                ]
                yield [*plain, *taken_away(case, gone), *read_instead(training, derived)]


def _rewritten(
    case: Case, updates: Sequence[ast.stmt], unused: Sequence[ast.stmt], block: Sequence[str]
) -> list[Edit]:
    """The updates' place taken by a block of lines, and statements that are not needed left out."""
    code = case.code
    first = min((*updates, *unused), key=lambda one: (one.lineno, one.col_offset))
    gone = [*updates, *unused]
    cell = code.cell_of(first)
    neighbours = code.block(first)
    lines = {line for one in gone for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
    shared = [one for one in neighbours if one not in gone and one.lineno in lines]
    outside = neighbours[0].lineno == getattr(code.parent(first), "lineno", 0)
    if shared or outside:
        return []
    indent = code.indent(first)
    edits = [Edit(cell, (line, 0), (line + 1, 0), "") for line in sorted(lines)]
    place = updates[-1].end_lineno or updates[-1].lineno
    text = "\n".join(f"{indent}{line}" for line in block)
    edits = [edit for edit in edits if edit.start[0] != place]
    edits.append(Edit(cell, (place, 0), (place, len(code.line(cell, place))), text))
    return edits


def _only_for(case: Case, place: _Place, updates: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements of the block in front of the updates whose results nothing but the updates reads."""
    block = case.code.block(updates[-1])
    gone = list(updates)
    for statement in reversed(block[: block.index(updates[-1])]):
        if not isinstance(statement, ast.Assign) or statement in gone:
            continue
        names = {target.id for target in targets_of(statement) if isinstance(target, ast.Name)}
        outer = case.code.function(place.loop) or case.code.cells[case.code.cell_of(place.loop)]
        inside_gone = {node for one in gone for node in ast.walk(one)}
        readers = [
            node
            for node in case.code.inside(outer, ast.Name)
            if node.id in names and isinstance(node.ctx, ast.Load) and node not in inside_gone
        ]
        if names and not readers and len(names) == len(targets_of(statement)):
            gone.append(statement)
    return [one for one in gone if one not in updates]


# ---- finding ------------------------------------------------------------------------------------


def _given(case: Case) -> list[ast.stmt]:
    """The statements that put a formula's numbers into `.grad`, in a run that asked for no gradient."""
    if case.gradient_calls:
        return []
    found = (case.code.at(act.cell, act.line) for act in put_by_hand(case))
    return list(dict.fromkeys(one for one in found if one is not None))


def _owners(case: Case) -> list[str]:
    """What the tensors are called whose `.grad` was put by hand."""
    numbers = {act.inputs[0] for act in put_by_hand(case)}
    seen = (tensor for event in case.events for tensor in event.tensors if tensor.number in numbers)
    return list(dict.fromkeys(tensor.names[0] for tensor in seen if tensor.names)) or ["x"]


def _asked_instead(case: Case, given: Sequence[ast.stmt]) -> Iterator[list[Edit]]:
    """Call backward where the first of the gradients was put, cleared before if need be, and leave the others out."""
    root = case.code.function(given[0]) or case.code.loop(given[0])
    name = None if root is None else loss_name(case, root)
    if name is None:
        return
    others = [case.code.delete(one) for one in given[1:]]
    yield [case.code.replace(given[0], f"{name}.backward()"), *others]
    cleared = (f"{owner}.grad = None; " for owner in _owners(case))
    yield [case.code.replace(given[0], f"{''.join(cleared)}{name}.backward()"), *others]


def _place(case: Case) -> _Place | None:
    root: ast.AST | None = None
    if case.exercise == "minimise_parabola":
        root = function_called(case.code, WITH_AUTOGRAD)
        if root is None:
            return None
    nodes: Iterator[ast.AST] = (
        case.code.all(ast.Attribute, ast.keyword)
        if root is None
        else case.code.inside(root, ast.Attribute, ast.keyword)
    )
    if any((node.arg if isinstance(node, ast.keyword) else last_name(node)) in AUTOGRAD for node in nodes):
        return None
    loops: Iterator[ast.AST] = (
        case.code.all(ast.For, ast.While) if root is None else case.code.inside(root, ast.For, ast.While)
    )
    found: _Place | None = None
    for loop in loops:
        assert isinstance(loop, ast.For | ast.While)
        updates = [
            (statement, name)
            for statement, name in updates_by_hand(case, loop)
            if case.code.loop(statement) is loop and _is_step(statement, name, case.exercise or "")
        ]
        if updates and (found is None or len(updates) >= len(found.updates)):
            found = _Place(loop, updates, case.code.function(loop))
    return found


def _is_step(statement: ast.stmt, name: str, exercise: str) -> bool:
    """Whether a statement steps a parameter along something computed, not a counter or a total."""
    value = getattr(statement, "value", None)
    if value is None or isinstance(value, ast.Constant):
        return False
    if isinstance(statement, ast.AugAssign):
        multiplied = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div)
    else:
        multiplied = any(isinstance(node, ast.Mult) for node in ast.walk(value))
    if exercise in ("linear_regression", "backprop_per_sample", "backprop_quadratic"):
        return multiplied and name in ("w", "b", "w1", "w2", "theta", "params")
    return multiplied and bool(names_in(value) - {name})


def _loss_text(case: Case, place: _Place) -> str | None:  # noqa: PLR0911 - an exercise each
    """The loss in the learner's names."""
    if case.exercise == "linear_regression":
        if set(place.names) != {"w", "b"}:
            return None
        tensors = {name for tensor in case.end.tensors for name in tensor.names} if case.end else set()
        x, y = (name if name in tensors else f"torch.as_tensor({name})" for name in ("x", "y"))
        return f"((w * {x} + b - {y}) ** 2).mean()"
    if case.exercise == "minimise_parabola":
        (name, *more) = place.names
        return None if more else f"({name} ** 2 + 2 * {name} + 1).sum()"
    if case.exercise == "temperature" and place.function is not None:
        arguments = [argument.arg for argument in place.function.args.args]
        if place.names == arguments[2:3]:
            params, readings, wanted = arguments[2:5]
            return f"loss_fn(model({readings}, *{params}), {wanted})"
        return None
    targets = targets_of(place.loop) if isinstance(place.loop, ast.For) else []
    if len(targets) == 2 and all(isinstance(target, ast.Name) for target in targets):  # noqa: PLR2004 - x and y
        first, second = (last_name(target) for target in targets)
        return f"loss({first}, {second})" if function_called(case.code, "loss") else None
    return None
