"""A parameter is made anew in each step, so that all progress is lost.

## What it is

`w = torch.randn(1, requires_grad=True)` stands inside the training loop. Each step begins with a new tensor and forgets
what the steps before have learnt.

## Why it matters

However many steps there are, the parameter ends one step away from where it started.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
for step in range(1000):
    w = torch.zeros(1, requires_grad=True)  # ←
    b = torch.zeros(1, requires_grad=True)
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Make the parameters once, before the loop.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Function, Loop, called, last_name, names_in, targets_of
from grader.evidence.creation import made, maker, makes_leaf, names_of_loop_body, trained_names
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, forward_of
from grader.evidence.modules import is_module, trained_modules
from grader.evidence.scopes import argument_names
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves, trainings

TEXT = {
    "en": Words(
        title="a parameter is made anew in each step",
        message="`{line_text}` is carried out again for every step: each begins with a new {name}, and what was learnt before is lost.",
        why="Training then never gets further than its first step.",
        fix="Make {name} once, before the loop.",
    ),
    "zh": Words(
        title="每一步都重新创建了参数",
        message="`{line_text}` 每走一步都会重新执行一次：每一步都从一个新的 {name} 开始，之前学到的全都丢失了。",
        why="这样训练永远只走了第一步。",
        fix="在循环之前创建一次 {name}。",
    ),
}


class _Round(NamedTuple):
    """What is done again and again: the statements of a loop, or of a function that a loop calls.

    innermost: whether each round asks for gradients once, not in a loop of its own.
    """

    around: Loop | Function
    loop: Loop
    innermost: bool = True


def detect(case: Case) -> Iterator[Suspicion]:
    """Assignments of new leaves in what asks for gradients again and again, made from nothing that it changes or is given."""
    found = _found(case)
    if found:
        statement, round_ = found[0]
        # who begins anew in each round of an outer loop may compare trainings: a rerun has to prove it
        sureness = 0.95 if round_.innermost or case.exercise is None else 0.85
        yield case.suspicion(statement, sureness, name=ast.unparse(targets_of(statement)[0]))


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Make them before the loop, or only there where they are made already; a function then has to say that they are not its own."""
    found = _found(case)
    edits: list[Edit] = []
    moved: dict[ast.stmt, list[str]] = {}
    own: dict[Function, list[ast.Assign]] = {}
    for statement, round_ in found:
        name = ast.unparse(targets_of(statement)[0])
        if isinstance(round_.around, Function):
            own.setdefault(round_.around, []).append(statement)
        else:
            edits.append(case.code.delete(statement))
        if not any(_elsewhere(case, other, round_) for other, _ in made(case, name)):
            moved.setdefault(round_.loop, []).append(case.code.text(statement))
    edits += [case.code.insert_before(outer, *lines) for outer, lines in moved.items()]
    for first, *others in own.values():
        names = [ast.unparse(target) for statement in (first, *others) for target in targets_of(statement)]
        edits.append(case.code.replace(first, f"global {', '.join(names)}"))
        edits += [case.code.delete(statement) for statement in others]
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Make a parameter anew at the top of the loop."""
    made_by = {leaf.name: leaf for leaf in leaves(case)}
    for training in trainings(case):
        for name in training.names if training.loop is not None else ():
            if name in made_by:
                yield [
                    case.code.insert_before(
                        training.block[0], f"{name} = {case.code.text(made_by[name].call)}"
                    )
                ]


def _found(case: Case) -> list[tuple[ast.Assign, _Round]]:
    found = []
    trained = {*trained_names(case), *trained_modules(case)}
    for round_ in [one for call in case.code.calls("backward") for one in _rounds(case, call)]:
        changed: set[str] | None = None
        for statement in case.code.inside(round_.around, ast.Assign):
            if case.code.block(statement) is not round_.around.body or len(statement.targets) != 1:
                continue
            if not _makes_anew(case, statement.value):
                continue
            changed = _changed(case, round_) if changed is None else changed
            known = not trained.isdisjoint(_targets(case, statement))
            if known and not names_in(statement.value) & changed and not _reads_state(statement.value):
                found.append((statement, round_))
    return found if case.gradient_calls > 1 or not case.events else []


def _targets(case: Case, statement: ast.Assign) -> set[str]:
    """What a statement gives new values to; of `model, optimizer = build()` also what `build` calls them."""
    value, targets = statement.value, targets_of(statement)
    names = {ast.unparse(target) for target in targets}
    for returned in _returned_by(case, value):
        parts = _parts(returned)
        if len(parts) == len(targets):
            names |= {ast.unparse(part) for part in parts}
    return names


def _rounds(case: Case, call: ast.Call) -> Iterator[_Round]:
    """The round that a place asking for gradients is in; and in an exercise not solved yet, each loop around that one.

    Only loops whose rounds are all the same: what they count is not read by what makes or trains the parameters. Without an
    exercise rounds may be trials, but where they are called epochs.
    """
    round_ = _round(case, call)
    if round_ is None:
        return
    yield round_
    loop = round_.loop
    while not case.full and (outer := case.code.loop(loop)) is not None:
        counted = {
            node.id for target in targets_of(outer) for node in ast.walk(target) if isinstance(node, ast.Name)
        }
        if case.exercise is None and not any("epoch" in name.lower() for name in counted):
            return
        read = {node.id for node in case.code.inside(loop, ast.Name) if not _is_shown(case, node)}
        if counted & read:
            return
        yield _Round(outer, outer, innermost=False)
        loop = outer


def _is_shown(case: Case, node: ast.AST) -> bool:
    """Whether a name is read for a `print` only, or for the condition of an `if` around one."""
    statement = case.code.statement(node)
    if isinstance(statement, ast.If):
        return all(_prints(one) for one in statement.body)
    return _prints(statement)


def _prints(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and called(statement.value) == "print"
    )


def _round(case: Case, call: ast.Call) -> _Round | None:
    """What a place that asks for gradients is in: a loop, or a function of the learner's that the notebook's own code calls in one.

    A loop that gives the function something else each time may be trying things out.
    """
    if (loop := case.code.loop(call)) is not None:
        return _Round(loop, loop)
    function = case.code.function(call)
    if function is None or case.code.function(function) is not None:
        return None
    for use in case.code.calls(function.name):
        loop = case.code.loop(use)
        if isinstance(use.func, ast.Name) and loop is not None and case.code.function(use) is None:
            given = set[str]().union(*(names_in(one) for one in [*use.args, *use.keywords]))
            varied = names_of_loop_body(case, loop)
            return None if given & varied else _Round(function, loop)
    return None


def _changed(case: Case, round_: _Round) -> set[str]:
    """What may be another one each time."""
    changed = names_of_loop_body(case, round_.loop)
    if isinstance(round_.around, Function):
        changed |= argument_names(round_.around) | names_of_loop_body(case, round_.around)
    return changed


def _elsewhere(case: Case, statement: ast.stmt, round_: _Round) -> bool:
    """Whether a statement is neither in what is done again and again nor in the loop that does it."""
    return (
        statement not in set(case.code.inside(round_.around, ast.stmt))
        and case.code.loop(statement) is not round_.loop
    )


def _makes_anew(case: Case, value: ast.expr) -> bool:
    """Whether an expression makes a leaf, or calls a function of the learner's own that returns such leaves."""
    if makes_leaf(value) and maker(value) is not None:
        return True
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return False
    if any(one.name == value.func.id and is_module(one) for one in case.code.all(ast.ClassDef)):
        return True
    returned = _returned_by(case, value)
    return bool(returned) and all(
        all(_returns_leaf(forward_of(case), one) for one in _parts(whole)) or _returns_module(case, whole)
        for whole in returned
    )


def _returned_by(case: Case, value: ast.expr) -> list[ast.expr]:
    """What a function of the learner's own returns that an expression calls, and that keeps nothing elsewhere."""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return []
    return [
        one.value
        for function in case.code.all(ast.FunctionDef)
        if function.name == value.func.id and not any(case.code.inside(function, ast.Global, ast.Nonlocal))
        for one in case.code.inside(function, ast.Return)
        if one.value is not None
    ]


def _returns_module(case: Case, whole: ast.expr) -> bool:
    """Whether a module that is made there is among what a function returns."""
    forward = forward_of(case)
    modules = {one.name for one in case.code.all(ast.ClassDef) if is_module(one)}
    return any(
        isinstance(value, ast.Call) and called(value) in modules
        for part in _parts(whole)
        for value in (forward.values(part) if isinstance(part, ast.Name) else [part])
    )


def _returns_leaf(forward: Forward, value: ast.expr) -> bool:
    """Whether an expression is a fresh leaf, or a name that is given one and nothing else."""
    values = forward.values(value) if isinstance(value, ast.Name) else [value]
    return bool(values) and all(
        makes_leaf(one) and maker(one) is not None and not _reads_state(one) for one in values
    )


def _parts(value: ast.expr) -> list[ast.expr]:
    return list(value.elts) if isinstance(value, ast.Tuple | ast.List) else [value]


def _reads_state(value: ast.expr) -> bool:
    return any(
        (isinstance(node, ast.Subscript) and last_name(node.value) != "shape")
        or (isinstance(node, ast.Call) and called(node) in ("pop", "detach", "clone", "item"))
        for node in ast.walk(value)
    )
