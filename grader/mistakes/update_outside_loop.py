"""The update happens once instead of in every round: it stands behind the loop, or a `return` ends the first round.

## What it is

Indentation decides what belongs to a loop. An update that is not indented as deep as `backward()` runs once, after all
rounds; a `return` that is indented too deep ends the loop in its first round.

## Why it matters

There is no error, but only one step is made where hundreds were meant.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([w, b], lr=0.05)
for step in range(2000):
    loss = ((w * x + b - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
optimizer.step()  # ←
```

## Fix

Indent the update as deep as `loss.backward()`; indent a `return` only as deep as the `for` it comes after.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import Loop, called
from grader.evidence.edits import Edit
from grader.evidence.exits import early_exits, kept_on
from grader.evidence.knobs import bound_of
from grader.evidence.optimizers import is_step, optimizer_names
from grader.evidence.planting import moved
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import moved_into, updates

TEXT = {
    "en": Words(
        title="the update does not happen in every round",
        message="`{line_text}` stands at the wrong depth: because of its indentation the parameters are not updated in every "
        "round of the loop in line {loop_line}.",
        why="Of all the steps that were meant, only few are made.",
        fix="Indent the update as deep as backward(), and a `return` only as deep as the loop that comes before it.",
    ),
    "zh": Words(
        title="不是每一轮都更新",
        message="`{line_text}` 的缩进不对：因此第 {loop_line} 行的循环并不是每一轮都更新参数。",
        why="本该走很多步，实际只走了很少几步。",
        fix="更新语句要与 backward() 缩进相同；`return` 只应与它前面的循环对齐。",
    ),
}


def detect(case: Case) -> Iterator[Suspicion]:
    """A `return` at the end of a training loop's block; updates behind a loop that has none inside."""
    for loop in case.training_loops:
        ending = _ends_first_round(case, loop)
        if ending is not None:
            yield _suspicion(
                case, ending, loop, 0.95 if isinstance(ending, ast.Return) and not case.full else 0.7
            )
            return
    for one in early_exits(case):
        if one.at_once and not case.full:
            yield _suspicion(case, one.statement, one.loop, 0.85)
            return
    for loop in case.training_loops:
        behind = _behind(case, loop)
        if behind:
            once = case.code.loop(loop) is None and case.code.function(loop) is None
            sure = once or _throws_away(case, loop)
            yield _suspicion(case, behind[0], loop, 0.92 if sure else 0.75)
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Move the statement to where it belongs."""
    node = suspicion.node
    for one in early_exits(case):
        if one.statement is node:
            yield kept_on(case, one)
            return
    for loop in case.training_loops:
        if node is _ends_first_round(case, loop) and isinstance(node, ast.Return | ast.Break):
            yield _out(case, loop)
            return
        behind = _behind(case, loop)
        if behind and behind[0] is node:
            yield moved_into(case.code, behind, _last_before_clearing(loop))
            yield moved_into(case.code, behind, next(one for one in loop.body if _asks(one)))
            return


def plant(case: Case) -> Iterator[list[Edit]]:
    """Update behind the loop."""
    for training in trainings(case):
        if training.loop is not None:
            inside = [*(one.statement for one in training.updates), *training.steps]
            yield moved(case, training.lifted(inside), after=training.loop)


def _suspicion(case: Case, node: ast.stmt, loop: Loop, sureness: float) -> Suspicion:
    return case.suspicion(node, sureness, loop_line=float(loop.lineno))


def _ends_first_round(case: Case, loop: Loop) -> ast.stmt | None:
    """The `return` or `break` that ends each first round, of a loop that asks for gradients, itself or in what it calls."""
    last = loop.body[-1]
    if not isinstance(last, ast.Return | ast.Break) or any(
        isinstance(node, ast.Continue) for node in ast.walk(loop)
    ):
        return None
    if isinstance(loop, ast.While) and bound_of(loop) is None:
        return None  # `while True:` is left so on purpose
    trains = any(_asks(one) or any(case.code.calls("step", inside=one)) for one in loop.body)
    return last if trains or case.events_in(loop, "backward", "grad", "step") else None


def _out(case: Case, loop: Loop) -> list[Edit]:
    """Every `return` of this kind, behind its loop; not where the function returns there already."""
    edits = []
    for one in case.training_loops:
        last = _ends_first_round(case, one)
        if last is None or (one is not loop and not isinstance(last, ast.Return)):
            continue
        block = case.code.block(one)
        following = block[block.index(one) + 1 :]
        if any(isinstance(other, ast.Return) for other in following) or not isinstance(last, ast.Return):
            edits.append(case.code.delete(last))
        else:
            edits.append(_put_out(case, last, one))
    return edits


def _put_out(case: Case, last: ast.stmt, loop: Loop) -> Edit:
    """The same lines, only as deep as the loop."""
    cell, own, depth = case.code.cell_of(last), case.code.indent(last), case.code.indent(loop)
    start, end = case.code.span(last)
    lines = [depth + line.removeprefix(own) for line in case.code.text(last).split("\n")]
    before = case.code.line(cell, start[0])[: start[1]].rstrip()
    if before:
        place = (start[0], len(before.rstrip(";").rstrip()))
        return Edit(cell, place, end, "\n" + "\n".join(lines))
    return Edit(cell, (start[0], 0), end, "\n".join(lines))


def _behind(case: Case, loop: Loop) -> list[ast.stmt]:
    """The updates right behind a loop that asks for gradients, and the clearing with them."""
    if not any(
        isinstance(call.func, ast.Attribute) and case.code.loop(call) is loop
        for call in case.code.calls("backward", inside=loop)
    ):
        return []
    names = optimizer_names(case)
    changing = {update.statement for update in updates(case)}

    def changes(statement: ast.stmt) -> bool:
        return any(node in changing or is_step(node, names) for node in case.code.inside(statement, ast.stmt))

    if changes(loop):
        return []
    block = case.code.block(loop)
    if loop not in block:
        return []
    following = block[block.index(loop) + 1 :]
    first = next((k for k, one in enumerate(following) if changes(one)), None)
    if first is None or any(_asks(one) for one in following[: first + 1]):
        return []
    taken = 0
    while first + taken < len(following):
        one = following[first + taken]
        if isinstance(one, Loop) and not changes(one):
            break
        if not changes(one) and not _clears(one):
            break
        taken += 1
    return following[first : first + taken]


def _last_before_clearing(loop: Loop) -> ast.stmt:
    """The last statement of a loop's block, but for those at its end that clear gradients."""
    return next((one for one in reversed(loop.body) if not _clears(one)), loop.body[-1])


def _asks(statement: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Call) and called(node) in ("backward", "grad") for node in ast.walk(statement)
    )


def _throws_away(case: Case, loop: Loop) -> bool:
    """Whether each round clears the gradients of the one before unread; who does not may mean to step by their sum."""
    read = any(
        node.attr == "grad"
        and isinstance(node.ctx, ast.Load)
        and not isinstance(case.code.parent(node), ast.Attribute | ast.Compare)
        for node in case.code.inside(loop, ast.Attribute)
    )
    return not read and any(_clears(one) for one in loop.body)


def _clears(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return any(
            isinstance(target, ast.Attribute) and target.attr == "grad" for target in statement.targets
        )
    return any(
        isinstance(node, ast.Call) and called(node) in ("zero_", "zero_grad") for node in ast.walk(statement)
    )
