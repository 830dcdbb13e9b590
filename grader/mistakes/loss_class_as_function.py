"""A loss class is called with the prediction and the target, as if it were the loss function itself.

## What it is

`nn.MSELoss` is a class. `nn.MSELoss(pred, y)` makes no loss of pred and y: it makes a new loss object, and takes pred and
y for its settings.

## Why it matters

PyTorch asks whether the setting pred is true, which no tensor of several numbers can answer ("Boolean value of Tensor
with more than one value is ambiguous"). Where the class itself is kept (`criterion = nn.MSELoss`), the same follows later.

## Example

```python
import torch

x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1000):
    pred = w * x + b
    loss = torch.nn.MSELoss(pred, y)  # ←
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad = None
    b.grad = None
```

## Fix

Make the object first, then call it: `torch.nn.MSELoss()(pred, y)`, or use the function `torch.nn.functional.mse_loss`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import called, last_name
from grader.evidence.edits import Edit
from grader.evidence.handed import names_given, spoken, uncalled
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import errors_taken, reductions

TEXT = {
    "en": Words(
        title="a loss class is called like a function",
        message="`{line_text}` hands the prediction and the target to {name} itself. {name} is a class: its brackets take settings "
        "and give a loss object; that object is what takes prediction and target.",
        why="PyTorch takes your tensors for settings and stops, or no loss is computed.",
        fix="Make the object first: `{name}()(prediction, target)`, or once before the loop `criterion = {name}()`.",
    ),
    "zh": Words(
        title="把损失类当成函数来调用",
        message="`{line_text}` 把预测值和目标值直接交给了 {name}。{name} 是一个类：它的括号里放的是设置，得到的是一个损失对象；"
        "要由这个对象来接收预测值和目标值。",
        why="PyTorch 会把你的张量当成设置而报错，或者根本没有算出损失。",
        fix="先创建对象：`{name}()(预测值, 目标值)`，或者在循环之前写一次 `criterion = {name}()`。",
    ),
}

_LOSSES = {
    "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss",
}  # fmt: skip
# What Python says where a class takes tensors for its settings, and of what it makes where it can take them.
SAID = ("Boolean value of Tensor with more than one value", "'{name}' object has no attribute")


def detect(case: Case) -> Iterator[Suspicion]:
    """Loss classes that are given tensors, or that are called under the name they were kept in."""
    places = _places(case)
    if not places:
        return
    first = places[0]
    statement = _stopped_at(case, first) or case.code.statement(first)
    yield case.suspicion(
        statement if statement is not case.code.statement(first) else first,
        0.97,
        name=case.code.text(first.func if isinstance(first, ast.Call) else first),
        line_text=case.first_line(statement),
    )


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Put the brackets in that make the object."""
    edits = []
    for place in _places(case):
        name = place.func if isinstance(place, ast.Call) else place
        _, end = case.code.span(name)
        edits.append(Edit(case.code.cell_of(name), end, end, "()"))
    yield edits


def plant(case: Case) -> Iterator[list[Edit]]:
    """Hand predictions and targets to the class, not to what it makes."""
    classes = any(case.code.calls("MSELoss"))
    reduced = list(reductions(case))
    for whole, prediction, target in errors_taken(case):
        both = f"({case.code.text(prediction)}, {case.code.text(target)})"
        if isinstance(whole, ast.Call) and classes:
            yield [case.code.replace(whole, f"nn.MSELoss{both}")]
        elif isinstance(whole, ast.BinOp):
            around = [call for call in reduced if any(node is whole for node in ast.walk(call))]
            yield [case.code.replace(call, f"torch.nn.MSELoss{both}") for call in around[:1]]


def _places(case: Case) -> list[ast.expr]:
    own = {node.name for node in case.code.all(ast.ClassDef)}
    names = _LOSSES - own
    places: list[ast.expr] = [
        call
        for call in case.code.calls(*names)
        if len([one for one in call.args if not isinstance(one, ast.Constant)]) >= 2  # noqa: PLR2004
    ]
    used = {called(call) for call in case.code.all(ast.Call) if len(call.args) >= 2}  # noqa: PLR2004
    for assignment in case.code.all(ast.Assign):
        value = assignment.value
        if (
            isinstance(value, ast.Name | ast.Attribute)
            and last_name(value) in names
            and any(last_name(target) in used for target in assignment.targets)
        ):
            places.append(value)
    return places or [one for one in uncalled(case.code, names) if _stopped_at(case, one) is not None]


def _stopped_at(case: Case, value: ast.expr) -> ast.stmt | None:
    """The statement that the run stopped at as it called, with prediction and target, what a loss class is handed on as."""
    if isinstance(value, ast.Call):
        return None
    error = case.says(*(said.format(name=last_name(value)) for said in SAID))
    statement = None if error is None else case.code.at(error.cell or 0, error.line)
    if statement is None:
        return None
    called_as = {spoken(call.func) for call in case.code.inside(statement, ast.Call) if len(call.args) > 1}
    return statement if called_as & names_given(case.code, [value]) else None
