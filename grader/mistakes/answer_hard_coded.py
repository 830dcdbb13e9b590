"""The answer is typed in: w and b are set to it after training, instead of training, or as its start.

## What it is

`w = torch.tensor([10.0])` at the end replaces what training found. Or the training starts at 10 and 4, so that nothing is left for
it to find.

## Why it matters

The line of the data is not exactly 10 and 4 (noise moves it), and on other data the typed numbers stay where they are. A
training that starts at its goal cannot show whether it works.

## Example

```python
import torch

x = torch.arange(0, 1, 0.01)
y = 10 * x + 4 + torch.randn(100)
w = torch.tensor([10.0], requires_grad=True)  # ←
b = torch.tensor([4.0], requires_grad=True)
for step in range(3):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Start at zero or at random numbers, train until the loss no longer falls, and leave w and b as training left them.
"""

import ast
from collections.abc import Iterator, Sequence

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case, numbers_of
from grader.evidence.code import targets_of
from grader.evidence.creation import MAKERS
from grader.evidence.edits import Edit
from grader.evidence.knobs import number_of
from grader.evidence.lines import (
    at_end,
    constant_in,
    least_squares,
    leave_out,
    needs_torch,
    own_data,
    settings_of,
    train_instead,
)
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves, training_statements

TEXT = {
    "en": Words(
        title="the answer is typed in",
        message="`{line_text}` sets {name} to {value}, which is (almost) the number that training should find.",
        why="Typed numbers do not follow the data: with other points they would stay the same, and a training that starts at its "
        "goal has nothing to show.",
        fix="Start away from the answer (at the start the task gives, at zero, or at random), train long enough, and keep what "
        "training found.",
    ),
    "zh": Words(
        title="答案是直接写进去的",
        message="`{line_text}` 把 {name} 设为 {value}，而这（几乎）就是训练应当找到的数。",
        why="写死的数不会随数据变化：换一批点它们还是老样子；而从终点出发的训练也说明不了什么。",
        fix="请从远离答案的地方开始（题目给定的初值、零或随机数），训练足够多步，并保留训练得到的结果。",
    ),
}

# Several numbers in one tensor: its name, the numbers, how near, where the task starts, and what finds them.
TOGETHER = {
    "temperature": (
        "params",
        (5.367, -17.301),
        0.05,
        "[1.0, 0.0]",
        "params = training_loop(5000, 1e-2, torch.tensor([1.0, 0.0], requires_grad=True), 0.1 * t_u, t_c)",
    ),
}
FEW_STEPS = 500


def detect(case: Case) -> Iterator[Suspicion]:
    """Numbers given to w and b that are the answer, before or behind the training."""
    begun = _begun(case)
    found = [begun] if begun is not None else [] if case.full else _typed(case)
    if not found:
        return
    first = found[0]
    name = _name(first) if begun is None else TOGETHER[case.exercise or ""][0]
    wanted = case.answers or {name}
    whole = begun is not None or all(any(_sets(one, name) for one in found) for name in wanted)
    yield case.suspicion(
        first,
        0.95 if whole else 0.7,
        name=name,
        value=_told(case, first, name),
        rewrites=begun is None and _untrained(case),
    )


def _told(case: Case, statement: ast.stmt, name: str) -> str | float:
    """The number, or the numbers, that a name is set to."""
    if case.exercise in TOGETHER:
        return ", ".join(f"{number:g}" for number in TOGETHER[case.exercise][1])
    return constant_in(_value_for(statement, name)) or 0.0


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Leave the typed numbers out, or start elsewhere and train longer."""
    del suspicion
    if (statement := _begun(case)) is not None:
        for call in case.code.calls(*MAKERS, inside=statement):
            if call.args:
                yield [case.code.replace(call.args[0], TOGETHER[case.exercise or ""][3])]
        return
    found = _typed(case)
    if case.exercise in TOGETHER:
        yield [case.code.replace(found[-1], TOGETHER[case.exercise][4])]
        return
    if _untrained(case):
        if edits := train_instead(case, found):
            yield [*needs_torch(case), *edits]
        return
    after = [one for one in found if _is_after_training(case, one)]
    if after:
        yield leave_out(case.code, after)
        yield [*leave_out(case.code, after), *_longer(case)]
        return
    begun = [
        case.code.replace(node, str(case.answers[name].start))
        for one in found
        for name, node in _constants(case, one)
    ]
    if begun:
        yield begun
        yield [*begun, *_longer(case)]


def _untrained(case: Case) -> bool:
    """Whether there is no training at all that the numbers could be left to."""
    return case.gradient_calls <= 1


def plant(case: Case) -> Iterator[list[Edit]]:
    """Write in the place of the training what it ended with."""
    names = [leaf.name for leaf in leaves(case) if isinstance(case.code.parent(leaf.statement), ast.Module)]
    for statement in training_statements(case):
        if isinstance(statement, ast.Assign):
            names = [ast.unparse(statement.targets[0])]
        found = {name: held for name in names if (held := at_end(case, name)) is not None}
        lines = [
            f"{name} = torch.tensor([{', '.join(f'{value:.4f}' for value in held)}], requires_grad=True)"
            for name, held in found.items()
        ]
        if lines:
            yield [case.code.replace(statement, "\n".join(lines))]


def _typed(case: Case) -> list[ast.stmt]:
    """The statements that give names of the answer the answer; none unless all of its names are given it."""
    if case.exercise in TOGETHER:
        return _typed_together(case, *TOGETHER[case.exercise][:3])
    found: list[ast.stmt] = []
    for name, answer in case.answers.items():
        settings = [
            one for one in settings_of(case.code, name) if isinstance(one, ast.Assign | ast.AnnAssign)
        ]
        close = [
            one
            for one in settings
            if (
                (value := constant_in(_value_for(one, name))) is not None
                and abs(value - _goal(case, name, answer.value)) <= answer.near
            )
            or (value is not None and abs(value - answer.value) <= answer.near)
        ]
        if not close or close[-1] not in (settings[0], settings[-1]):
            return []
        if close[-1] not in found:
            found.append(close[-1])
    return found


def _typed_together(case: Case, name: str, answer: Sequence[float], near: float) -> list[ast.stmt]:
    """The last statement that gives a name its value, where that holds the answer's numbers."""
    for statement in settings_of(case.code, name)[-1:]:
        value = getattr(statement, "value", None)
        lists = [] if value is None else list(case.code.inside(value, ast.List, ast.Tuple))
        typed = [number_of(one) for one in lists[0].elts] if lists else []  # type: ignore[attr-defined]
        numbers = [number for number in typed if number is not None]
        if len(numbers) == len(answer) and np.allclose(numbers, answer, atol=near, rtol=0):
            return [statement]
    return []


def _begun(case: Case) -> ast.stmt | None:
    """The typed numbers that all training of the run began with, where they are the answer that it was to find."""
    if case.exercise not in TOGETHER or not case.gradient_events:
        return None
    _, answer, near, *_ = TOGETHER[case.exercise]
    leaves_seen = [tensor for event in case.gradient_events for tensor in event.tensors[: event.leaves]]
    values = [numbers_of(tensor.value) for tensor in leaves_seen]
    if not all(one is not None and _is_near(one, answer, near) for one in values):
        return None
    first = case.gradient_events[0].order
    typed = (act for act in case.acts if act.order <= first and _is_near(act.constants, answer, near))
    return next((case.code.at(act.cell, act.line) for act in typed), None)


def _is_near(numbers: Sequence[float] | Numbers, answer: Sequence[float], near: float) -> bool:
    return len(numbers) == len(answer) and np.allclose(numbers, answer, atol=near, rtol=0)


def _goal(case: Case, name: str, answer: float) -> float:
    """What the data lead to."""
    pair = own_data(case) if case.exercise == "linear_regression" else None
    if pair is None:
        return answer
    slope, intercept, _ = least_squares(pair)
    return slope if name == "w" else intercept


def _value_for(statement: ast.stmt, name: str) -> ast.expr | None:
    """What a statement gives to a name, also in `w, b = 10.0, 4.0`."""
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if (
                isinstance(target, ast.Tuple)
                and isinstance(value, ast.Tuple)
                and len(target.elts) == len(value.elts)
            ):
                for one, part in zip(target.elts, value.elts, strict=True):
                    if isinstance(one, ast.Name) and one.id == name:
                        return part
    return value if isinstance(value, ast.expr) else None


def _sets(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in targets_of(statement))


def _name(statement: ast.stmt) -> str:
    return next(target.id for target in targets_of(statement) if isinstance(target, ast.Name))


def _is_after_training(case: Case, statement: ast.stmt) -> bool:
    place = (case.code.cell_of(statement), statement.lineno)
    return any((event.cell, event.line) < place for event in case.gradient_events) and not any(
        (event.cell, event.line) > place for event in case.gradient_events
    )


def _constants(case: Case, statement: ast.stmt) -> Iterator[tuple[str, ast.Constant]]:
    """The numbers that a statement gives to names of the answer, by the name."""
    names = [target.id for target in targets_of(statement) if isinstance(target, ast.Name)]
    for name in (name for name in names if name in case.answers):
        value = _value_for(statement, name)
        if value is None:
            continue
        numbers = [
            node
            for node in case.code.inside(value, ast.Constant)
            if isinstance(node.value, int | float) and not isinstance(node.value, bool)
        ]
        yield from ((name, node) for node in numbers[:1])


def _longer(case: Case) -> list[Edit]:
    """More rounds, where a training loop counts few."""
    for loop in case.training_loops[-1:]:
        if isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and loop.iter.args:
            last = loop.iter.args[-1] if len(loop.iter.args) == 1 else loop.iter.args[1]
            count = case.number(last)
            if count is not None and count < FEW_STEPS:
                return [case.code.replace(last, "5000")]
    return []
