"""A parameter was made without `requires_grad=True`, so autograd computes no gradient for it.

## What it is

Autograd follows only what is computed from tensors that require a gradient. A tensor does so if it was made with
`requires_grad=True`, or after `w.requires_grad_()`. Here that is missing, misspelt, a comparison, or on another tensor.

## Why it matters

`backward()` has nothing to work back to and stops with "element 0 of tensors does not require grad"; or the one
parameter without it has no `.grad`.

## Example

```python
import torch

torch.manual_seed(0)
x = torch.randn(100)
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1)  # ←
b = torch.zeros(1)
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

Write `w = torch.zeros(1, requires_grad=True)`.
"""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import made, maker, trained_names, with_keyword, without_keyword
from grader.evidence.edits import Edit
from grader.evidence.handed import is_read, names_given, spoken
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import leaves
from grader.evidence.updates import own_updates
from grader.trace import Event
from grader.values import Array

TEXT = {
    "en": Words(
        title="a parameter does not require a gradient",
        message="`{line_text}`: {name} was made without requires_grad=True, so backward() computes no gradient for it.",
        why="Autograd follows only what is computed from tensors that require a gradient.",
        fix="Write `requires_grad=True` where {name} is made, or `{name}.requires_grad_()` after it.",
    ),
    "zh": Words(
        title="参数没有设置 requires_grad",
        message="`{line_text}`：创建 {name} 时没有写 requires_grad=True，所以 backward() 不会为它计算梯度。",
        why="autograd 只跟踪由需要梯度的张量算出来的东西。",
        fix="在创建 {name} 的地方写上 `requires_grad=True`，或者之后写 `{name}.requires_grad_()`。",
    ),
}


SPELLINGS = (
    "require_grad",
    "require_grads",
    "requires_grads",
    "required_grad",
    "requiresgrad",
    "requires_gradient",
    "grad",
)
# What parameters are called, where nothing else tells them from data.
USUAL = ("w", "b", "weight", "bias", "theta")


def detect(case: Case) -> Iterator[Suspicion]:
    """Errors at which a parameter is a leaf that requires no gradient, and the misspelt keyword."""
    for keyword in case.code.all(ast.keyword):
        error = (
            case.says(f"'{keyword.arg}'", f"keyword argument {keyword.arg}")
            if keyword.arg in SPELLINGS
            else None
        )
        if error is not None:
            statement = case.code.statement(keyword.value)
            yield _suspicion(case, statement, _target(statement), 0.95)
            return
    if (frozen := _frozen(case)) is not None:
        yield _suspicion(case, frozen, ast.unparse(frozen.targets[0]).rpartition(".")[0], 0.9)
        return
    missing = _missing(case)
    for name in missing:
        for statement, _ in made(case, name):
            seen = set(_in_sight(case))
            all_of_them = set(missing) >= seen or bool(case.says("NoneType"))
            sure = 0.8 if name not in seen else 0.95 if all_of_them else 0.9
            yield _suspicion(case, statement, name, sure)
            return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Write `requires_grad=True` where the parameters are made."""
    edits: list[Edit] = []
    for keyword in case.code.all(ast.keyword):
        call = case.code.parent(keyword)
        if keyword.arg in SPELLINGS and isinstance(call, ast.Call):
            text = case.code.text(keyword)
            edits.append(case.code.replace(keyword, text.replace(keyword.arg or "", "requires_grad", 1)))
    if not edits and (frozen := _frozen(case)) is not None:
        edits.append(case.code.replace(frozen.value, "True"))
    for name in [] if edits else _missing(case):
        edits += _given(case, name)
    yield list(dict.fromkeys(edits))


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave `requires_grad=True` out: for all tensors of one place, and for one of them."""
    by_place: dict[object, list[ast.Call]] = {}
    for leaf in leaves(case):
        by_place.setdefault(case.code.function(leaf.call), []).append(leaf.call)
    for calls in by_place.values():
        bare = [case.code.replace(call, without_keyword(case, call, "requires_grad")) for call in calls]
        yield bare
        yield bare[-1:]


def _given(case: Case, name: str) -> list[Edit]:
    for line in case.code.all(ast.Expr):
        value = line.value
        if isinstance(value, ast.Compare) and ast.unparse(value.left) == f"{name}.requires_grad":
            return [case.code.replace(line, f"{name}.requires_grad = True")]
    for _, value in made(case, name):
        call = maker(value)
        if call is value and not ast.unparse(call.func).endswith(
            ("from_numpy", "as_tensor", "FloatTensor", ".Tensor")
        ):
            return [with_keyword(case, call, "requires_grad", "True")]
        text = case.code.text(value)
        text = f"({text})" if isinstance(value, ast.BinOp | ast.UnaryOp) else text
        return [case.code.replace(value, f"{text}.requires_grad_()")]
    return []


def _missing(case: Case) -> list[str]:
    """The parameters that are leaves without a gradient at an error of the first step."""
    error = case.says(
        "does not require grad", "NoneType", "doesn't require grad", "one of the differentiated tensors"
    )
    if error is None:
        return [name for name in _without_gradient(case) or _left_out(case) if _is_bare(case, name)]
    event = case.at_error(error)
    if event is None or any(not one.raised and one.call > 0 for one in case.gradient_events):
        return []
    bare = {name for one in event.tensors if one.leaf and not one.requires_grad for name in one.names}
    bare |= set() if case.gradient_events else {name for name in event.plain if name in event.plain}
    for one in case.gradient_events:  # what required one then was made with it, and lost it later
        bare -= {name for tensor in one.tensors if tensor.requires_grad for name in tensor.names}
    for wanted in (_in_sight(case), USUAL):
        if missing := [name for name in wanted if name in bare and any(True for _ in made(case, name))]:
            return missing
    return []


def _without_gradient(case: Case) -> list[str]:
    """The parameters that a check found without a gradient."""
    reasons = [check.reason for check in case.checks if check.reason is not None]
    return [str(reason.params["name"]) for reason in reasons if reason.id == "grad-missing"]


def _left_out(case: Case) -> list[str]:
    """The tensors that the source trains, and that stood beside every gradient call as leaves without a gradient."""
    bare = [_bare_leaves(event) for event in case.gradient_events if event.leaves and not event.raised]
    left = (
        {name: value for name, value in bare[0].items() if all(name in names for names in bare)}
        if bare
        else {}
    )
    found = [name for name in _in_sight(case) if name in left]
    if found or case.full:
        return found
    owners = {update.owner.split("[")[0] for update in own_updates(case)}
    owners |= {spoken(call.args[0]) for call in optimizer_calls(case) if call.args}
    still = [name for name, value in left.items() if all(names[name] == value for names in bare)]
    return [name for name in still if owners & names_given(case.code, _reads(case, name))]


def _bare_leaves(event: Event) -> dict[str, Array | None]:
    """The names of the leaves that require no gradient, with their values."""
    return {
        name: one.value for one in event.tensors if one.leaf and not one.requires_grad for name in one.names
    }


def _reads(case: Case, name: str) -> list[ast.expr]:
    return [
        node for node in case.code.all(ast.Name, ast.Attribute) if ast.unparse(node) == name and is_read(node)
    ]


def _is_bare(case: Case, name: str) -> bool:
    """Whether a name is made as no Parameter, and nothing in the source sets its `requires_grad`."""
    values = [ast.unparse(value) for _, value in made(case, name)]
    return (
        bool(values)
        and not any("requires_grad" in value or "Parameter(" in value for value in values)
        and not any(
            ast.unparse(node.value) == name
            and (node.attr == "requires_grad_" or (node.attr, type(node.ctx)) == ("requires_grad", ast.Store))
            for node in case.code.all(ast.Attribute)
        )
    )


def _in_sight(case: Case) -> list[str]:
    return trained_names(case)


def _target(statement: ast.stmt) -> str:
    return ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else "w"


def _suspicion(case: Case, statement: ast.stmt, name: str, sureness: float) -> Suspicion:
    return case.suspicion(statement, sureness, name=name)


def _frozen(case: Case) -> ast.Assign | None:
    """`p.requires_grad = False` of parameters, where nothing was left that requires a gradient."""
    if case.says("does not require grad") is None:
        return None
    for statement in case.code.all(ast.Assign):
        target, value = statement.targets[0], statement.value
        taken = isinstance(value, ast.Constant) and value.value is False
        if taken and isinstance(target, ast.Attribute) and target.attr == "requires_grad":
            loop = case.code.loop(statement)
            if isinstance(loop, ast.For) and any(case.code.calls("parameters", inside=loop.iter)):
                return statement
    return None
