"""`backward()` is not called in the training loop, so that there are no gradients to step along.

## What it is

Only `backward()` computes gradients and puts them into `.grad`. Computing the loss alone does not, nor does
`optimizer.step()`. It has to run once in each step, after the loss and before the update.

## Why it matters

`w.grad` is None, and the update by hand stops with an error; an optimizer silently does nothing.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):  # ←
    loss = ((w * x + b - y) ** 2).mean()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Call `loss.backward()` in the loop, after the loss is computed.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import GRADIENT_CALLS, Case
from grader.evidence.code import Loop, called, names_in, targets_of
from grader.evidence.edits import Edit
from grader.evidence.lines import loss_name
from grader.evidence.reach import put_by_hand
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import own_updates

# Calls that ask for no gradient.
HARMLESS = {
    "range",
    "append",
    "item",
    "print",
    "float",
    "no_grad",
    "clone",
    "detach",
    "tolist",
    "numpy",
    "len",
}
TEXT = {
    "en": Words(
        title="backward() is not called in the training loop",
        message="The loop `{line_text}` computes {name} and updates the parameters, but never calls {name}.backward().",
        why="Only backward() computes the gradients; without it .grad is None and nothing can be learnt.",
        fix="Call `{name}.backward()` in the loop, after {name} is computed and before the update.",
    ),
    "zh": Words(
        title="训练循环里没有调用 backward()",
        message="循环 `{line_text}` 计算了 {name} 并更新参数，却从未调用 {name}.backward()。",
        why="只有 backward() 会计算梯度；没有它，.grad 就是 None，什么也学不到。",
        fix="在循环里算出 {name} 之后、更新之前，调用 `{name}.backward()`。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """Loops that update by `.grad` or step an optimizer, and ask for no gradient themselves or in what they call."""
    for loop, _, name in _found(case):
        yield case.suspicion(
            loop,
            0.95
            if _stale(case, loop) or (case.gradient_calls <= 1 and (case.optimizers or case.says("NoneType")))
            else 0.7,
            name=name,
        )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Call it in front of the update; one that stands after the loop moves there."""
    for loop, update, name in _found(case):
        if (case.code.cell_of(loop), loop.lineno) != (suspicion.cell, suspicion.line):
            continue
        after = [
            case.code.delete(case.code.statement(call))
            for call in case.code.calls("backward")
            if case.code.loop(call) is None and case.code.statement(call) in case.code.block(loop)
        ]
        if (stale := _stale(case, loop)) is not None:
            lines = [case.code.text(one) for one in stale]
            yield [
                case.code.delete(stale[-1]),
                case.code.insert_before(update, *_cleared(case, loop), *lines),
            ]
            continue
        yield [*after, case.code.insert_before(update, f"{name}.backward()")]


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave the call out, but not the loss."""
    for training in trainings(case):
        if training.loop is None:
            continue
        if isinstance(training.root, ast.Name):
            yield [case.code.delete(training.statement)]
        else:
            yield [case.code.replace(training.statement, f"loss = {case.code.text(training.root)}")]


def _found(case: Case) -> list[tuple[Loop, ast.stmt, str]]:
    """The loops, the first statement of each that updates, and the name of what to call backward on before it."""
    if any(node.attr in GRADIENT_CALLS[::2] for node in _uncalled(case)):
        return []
    return list(_in_loops(case)) or list(_in_called(case))


def _in_called(case: Case) -> Iterator[tuple[Loop, ast.stmt, str]]:
    """A loop that only calls what updates, in a run that updated again and again and never asked for a gradient."""
    if case.gradient_calls or put_by_hand(case):
        return
    for ways in (_to_step(case), *_to_updates(case)):
        loop = next((outer for one in ways if (outer := case.code.loop(one)) is not None), None)
        if loop is None:
            continue
        for statement in ways:
            name = loss_name(case, case.code.function(statement) or loop)
            if name is not None:
                yield loop, statement, name
                return


def _to_step(case: Case) -> list[ast.stmt]:
    """The statements that led to a step of an optimizer that was not its first, innermost first."""
    stepped = [event for event in case.steps if event.call > 0]
    places = [place for one in stepped[:1] for place in ((one.cell, one.line), *one.within)]
    return [statement for place in places if (statement := case.code.at(*place)) is not None]


def _to_updates(case: Case) -> Iterator[list[ast.stmt]]:
    """The same of updates by hand in functions that loops called, where no error tells of them and nothing asks."""
    if case.errors or any(case.code.calls(*GRADIENT_CALLS)):
        return
    looked = [act for act in case.acts if act.name == "Tensor.grad.__get__"]
    for update in own_updates(case):
        function = case.code.function(update.statement)
        if function is None:
            continue
        ran = {case.code.at(act.cell, act.line) for act in looked} & set(case.code.inside(function, ast.stmt))
        inside = next(one for one in function.body if update.statement in case.code.inside(one, ast.stmt))
        for call in case.code.calls(function.name) if ran else ():
            if case.code.loop(call) is not None:
                yield [inside, case.code.statement(call)]


def _in_loops(case: Case) -> Iterator[tuple[Loop, ast.stmt, str]]:
    asking = {
        function.name
        for function in case.code.all(ast.FunctionDef)
        if any(case.code.calls(*GRADIENT_CALLS, inside=function))
    }
    for loop in case.code.all(ast.stmt):
        if not isinstance(loop, Loop):
            continue
        calls = {called(call) for call in case.code.inside(loop, ast.Call)}
        inner = any(
            one is not loop and isinstance(one, Loop) and _updating(case, one)
            for one in case.code.inside(loop, ast.stmt)
        )
        asks = calls & {*GRADIENT_CALLS, *asking, "minimize"} and not _never_asked(case, loop)
        if asks or inner or not _updating(case, loop) or (case.optimizers and put_by_hand(case)):
            continue
        stale = _stale(case, loop)
        name = loss_name(case, loop) if stale is None else ast.unparse(targets_of(stale[0])[0])
        if name is not None:
            yield loop, _updating(case, loop)[0], name


def _never_asked(case: Case, loop: Loop) -> bool:
    """Whether the run stepped an optimizer again and again in a loop, and never came to a call that asks for gradients."""
    return not (case.gradient_calls or case.errors) and len(case.events_in(loop, "step")) > 1


def _stale(case: Case, loop: Loop) -> tuple[ast.stmt, ast.stmt] | None:
    """A loss and its backward() right before a loop that steps along that one gradient in each of its rounds.

    Not a loop that goes over the parameters, and none that calls what might ask for gradients anew.
    """
    block = case.code.block(loop)
    if case.code.loop(loop) is not None or loop not in block or isinstance(loop, ast.AsyncFor):
        return None
    if {called(call) for call in case.code.inside(loop, ast.Call)} - HARMLESS:
        return None
    counted = (
        {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
        if isinstance(loop, ast.For)
        else set()
    )
    inside = [
        update for update in own_updates(case) if update.statement in set(case.code.inside(loop, ast.stmt))
    ]
    if not inside or any(counted & names_in(update.statement) for update in inside):
        return None
    before = block[: block.index(loop)]
    asked = [
        one for one in before if isinstance(one, ast.Expr) and any(case.code.calls("backward", inside=one))
    ]
    if len(asked) != 1:
        return None
    owner = names_in(asked[0])
    made = [
        one
        for one in before
        if isinstance(one, ast.Assign) and {ast.unparse(t) for t in targets_of(one)} & owner
    ]
    return (made[-1], asked[0]) if made else None


def _cleared(case: Case, loop: Loop) -> list[str]:
    inside = set(case.code.inside(loop, ast.stmt))
    owners = dict.fromkeys(update.owner for update in own_updates(case) if update.statement in inside)
    return [f"{owner}.grad = None" for owner in owners]


def _uncalled(case: Case) -> Iterator[ast.Attribute]:
    functions = {id(call.func) for call in case.code.all(ast.Call)}
    return (node for node in case.code.all(ast.Attribute) if id(node) not in functions)


def _updating(case: Case, loop: Loop) -> list[ast.stmt]:
    """The statements of a loop's own block that change parameters, or hold those that do."""
    inner = [update.statement for update in own_updates(case)]
    inner += [case.code.statement(call) for call in case.code.calls("step", inside=loop)]
    found = []
    for statement in loop.body:
        inside = set(map(id, case.code.inside(statement, ast.stmt)))
        if any(id(one) in inside for one in inner):
            found.append(statement)
    return found
