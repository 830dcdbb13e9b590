"""A parameter gets a gradient and is never changed by it.

## What it is

`backward()` fills `.grad` of every parameter, but only those that the update names, or the optimizer was given, move.
An update whose result goes to a new name, or to a copy, changes the parameter just as little.

## Why it matters

There is no error. The forgotten parameter keeps its first value for ever, and the others settle for the best that is
possible with it.

## Example

```python
import torch

x = torch.arange(100) / 100
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(2000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad  # ←
    w.grad.zero_()
    b.grad.zero_()
```

## Fix

Update every parameter: `b -= 0.05 * b.grad` as well.
"""

import ast
import re
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.gradients import gradient_names, plain_name
from grader.evidence.modules import held_in_list, unregistered
from grader.evidence.motion import main_place, motions
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.planting import taken_away
from grader.evidence.results import stepped_into_others, written_back
from grader.evidence.suspicion import Suspicion, Words
from grader.evidence.trainings import trainings
from grader.evidence.updates import updates, whole_lists

TEXT = {
    "en": Words(
        title="a parameter is never updated",
        message="`{line_text}` leaves {name} out: {name} gets a gradient, but nothing changes it.",
        why="{name} keeps its first value, however long the training runs.",
        fix="Update {name} by its own gradient, as the other parameters; or hand it to the optimizer too.",
        terms={"name": {"unnamed": "the tensor"}},
    ),
    "zh": Words(
        title="有参数从未被更新",
        message="`{line_text}` 漏掉了 {name}：{name} 有梯度，但没有任何语句修改它。",
        why="无论训练多久，{name} 都保持最初的值。",
        fix="像其他参数一样，用 {name} 自己的梯度更新它；或者把它也交给优化器。",
        terms={"name": {"unnamed": "这个张量"}},
    ),
}

# Fewer points than these are taken for parameters.
FEWEST_POINTS = 3


def detect(case: Case) -> Iterator[Suspicion]:
    """Parameters that stood still while others moved; results that went elsewhere; an optimizer not given a list."""
    for statement, name, sureness in _found(case):
        yield case.suspicion(statement, sureness, name=name)
        return


def repair(case: Case, suspicion: Suspicion) -> Iterator[list[Edit]]:
    """Name the parameter where the others are named; write results back; change the tensors and not their copies."""
    del suspicion
    still = _standing(case)
    single = _single(case)
    hidden = unregistered(case)
    if hidden is not None:
        made = hidden[1]
        yield [case.code.replace(made.value, f"torch.nn.Parameter({case.code.text(made.value)})")]
    elif (held := held_in_list(case)) is not None:
        text = f"{held.container}({case.code.text(held.made.value)})"
        yield [case.code.replace(held.made.value, text)]
    elif single is not None:
        yield [case.code.replace(single, f"[{', '.join(_leaves(case))}]")]
    elif still:
        yield _joined(case, still)
        yield whole_lists(case)
        yield _written_alike(case, still)
        yield [
            case.code.replace(part, case.code.text(whole))
            for part in _parts(case)
            for whole in _asked(case, part)
        ]
    else:
        yield written_back(case)
        yield _not_copied(case)


def plant(case: Case) -> Iterator[list[Edit]]:
    """Leave out the update of the last parameter, or keep all but the first from the optimizer."""
    for training in trainings(case):
        if len(training.names) > 1:
            last = training.names[-1]
            yield taken_away(case, [one.statement for one in training.updates if one.owner == last])
    for call in optimizer_calls(case):
        if call.args and isinstance(call.args[0], ast.Call):
            yield [case.code.replace(call.args[0], f"list({case.code.text(call.args[0])})[:1]")]


def _found(case: Case) -> Iterator[tuple[ast.stmt, str, float]]:
    single = _single(case)
    still = _standing(case)
    if single is not None:
        names = [name for name in _leaves(case) if name != case.code.text(single)]
        if names:
            yield case.code.statement(single), names[0], 0.9
    elif hidden := unregistered(case):
        given, made = hidden
        yield case.code.statement(given), case.code.text(made.targets[0]), 0.95
    elif (held := held_in_list(case)) is not None:
        yield case.code.statement(held.given), case.code.text(held.made.targets[0]), 0.92
    elif still:
        call = _lists(case)
        taken = updates(case)
        if call:
            yield case.code.statement(call[0]), still[0], 0.95
        elif taken:
            yield taken[0].statement, still[0], 0.95
        elif parts := _parts(case):
            yield case.code.statement(parts[0]), still[0], 0.95
    elif not case.steps and _all_still(case):
        for statement, name in stepped_into_others(case):
            yield statement, name, 0.93
        for call_ in _copies(case):
            yield case.code.statement(call_), plain_name(_receiver(call_)) or "unnamed", 0.85


def _standing(case: Case) -> list[str]:
    """The named parameters that stood still while others moved."""
    moved = motions(case, main_place(case))
    still = [name for name, motion in moved.items() if motion.frozen and name]
    if not still or all(motion.frozen for motion in moved.values()):
        return []
    changed = {update.owner for update in updates(case)}
    return [name for name in still if name not in changed and not _is_data(case, name)]


def _is_data(case: Case, name: str) -> bool:
    """Whether a tensor is as long as one beside it that requires no gradient, as x is as long as y."""
    tensors = main_place(case)[0].tensors
    lengths = {one.shape[0] for one in tensors if one.leaf and not one.requires_grad and one.shape}
    own = next((one.shape[:1] for one in tensors if name in one.names), ())
    return any(length >= FEWEST_POINTS and length in lengths for length in own)


def _all_still(case: Case) -> bool:
    moved = motions(case, main_place(case))
    return bool(moved) and all(motion.frozen for motion in moved.values())


def _lists(case: Case) -> list[ast.Call]:
    """The optimizers that were given parameters one by one."""
    return [
        call for call in optimizer_calls(case) if call.args and isinstance(call.args[0], ast.List | ast.Tuple)
    ]


def _parts(case: Case) -> list[ast.expr]:
    """What optimizers were given that is made of a model's `parameters()`, but not all of it."""
    given = [call.args[0] for call in optimizer_calls(case) if call.args]
    return [one for one in given if any(whole is not one for whole in _asked(case, one))]


def _asked(case: Case, given: ast.expr) -> list[ast.Call]:
    return list(case.code.calls("parameters", inside=given))[:1]


def _single(case: Case) -> ast.expr | None:
    """The one tensor given to an optimizer where a list belongs."""
    if case.says("params argument given to the optimizer should be") is None:
        return None
    names = set(_leaves(case))
    return next(
        (call.args[0] for call in optimizer_calls(case) if call.args and ast.unparse(call.args[0]) in names),
        None,
    )


def _leaves(case: Case) -> list[str]:
    """The names of the tensors that were made with `requires_grad=True`, in the order of the source."""
    names: dict[str, None] = {}
    for statement in case.code.all(ast.Assign):
        asks = any(
            isinstance(node, ast.keyword)
            and node.arg == "requires_grad"
            and isinstance(node.value, ast.Constant)
            and node.value.value is True
            for node in ast.walk(statement.value)
        )
        for target in statement.targets:
            if asks and isinstance(target, ast.Name):
                names[target.id] = None
            elif asks and isinstance(target, ast.Tuple):
                names |= {one.id: None for one in target.elts if isinstance(one, ast.Name)}
    return list(names)


def _joined(case: Case, still: list[str]) -> list[Edit]:
    """The missing names, at the end of the optimizer's list."""
    edits = []
    for call in _lists(case)[:1]:
        given = call.args[0]
        assert isinstance(given, ast.List | ast.Tuple)
        if given.elts and not any(isinstance(one, ast.Dict | ast.Starred) for one in given.elts):
            last = given.elts[-1]
            edits.append(case.code.replace(last, ", ".join([case.code.text(last), *still])))
    return edits


def _written_alike(case: Case, still: list[str]) -> list[Edit]:
    """For each missing parameter, the update of another one, in its own name."""
    named = gradient_names(case.code)
    own = {owner: name for name, owner in named.items() if owner}
    for update in updates(case):
        statement = update.statement
        text = case.code.text(statement)
        if not re.fullmatch(r"[\w.\[\]]+", update.owner) or "\n" in text:
            continue
        lines = []
        for name in still:
            line = _renamed(text, update.owner, name)
            if update.owner in own and name in own:
                line = _renamed(line, own[update.owner], own[name])
            lines.append(line)
        return [case.code.insert_after(statement, *lines)]
    return []


def _renamed(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", lambda _: new, text)


def _copies(case: Case) -> list[ast.Call]:
    """`w.detach().clone()`, of parameters, gathered in a list that the updates go through."""
    leaves = set(_leaves(case))
    return [
        call
        for call in case.code.calls("clone")
        if isinstance(call.func, ast.Attribute) and plain_name(_receiver(call)) in leaves
    ]


def _receiver(call: ast.Call) -> ast.expr:
    assert isinstance(call.func, ast.Attribute)
    return call.func.value


def _not_copied(case: Case) -> list[Edit]:
    edits = []
    for call in _copies(case):
        name = plain_name(_receiver(call))
        edits.append(case.code.replace(call, f"{name}.detach()"))
    return edits
