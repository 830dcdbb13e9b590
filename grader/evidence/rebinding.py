"""Where a parameter's name is given to something else instead of the parameter being changed, and how to mend it."""

import ast
import re
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.clearings import clearings
from grader.evidence.code import called, targets_of
from grader.evidence.creation import makes_leaf
from grader.evidence.edits import Edit
from grader.evidence.gradients import bare, gradients_in
from grader.evidence.leaves import fell, lost, stays_leaf, was_leaf
from grader.evidence.rebound_loops import (
    Rebinding,
    iterates,
    loop_variables,
    rebound_lists,
    requires_again,
    texts,
)
from grader.evidence.scopes import argument_names, declares, in_no_grad, repeats, scope
from grader.evidence.updates import Update, own_updates


def rebindings(case: Case) -> list[Rebinding]:
    """All of them, in the order of the source."""
    found: dict[tuple[int, int, int, str], Rebinding] = {}
    each = [
        *_local_names(case),
        *_updates(case),
        *rebound_lists(case),
        *_returned(case),
        *_stepped_elsewhere(case),
        *loop_variables(case),
    ]
    for one in each:
        key = case.code.cell_of(one.node), one.node.lineno, one.node.col_offset, one.name
        found.setdefault(key, one)
    return [found[key] for key in sorted(found)]


def mends(case: Case, found: list[Rebinding]) -> Iterator[list[Edit]]:
    """All of them in place; and, where their gradients are never cleared, clearing them too, without which it may not help."""
    edits = list(dict.fromkeys(edit for one in found for edit in one.edits))
    yield edits
    cleared = set(clearings(case))
    if edits and cleared <= {update.owner for update in own_updates(case)}:
        last = {
            one.name: one.node
            for one in found
            if not (isinstance(one.node, ast.For) or one.clearing or one.name in cleared)
        }
        after = [case.code.insert_after(node, f"{name}.grad.zero_()") for name, node in last.items()]
        yield [*dict.fromkeys(edit for one in found for edit in one.clearing or one.edits), *after]


def _updates(case: Case) -> Iterator[Rebinding]:
    """`w = w - lr * w.grad` and its kin."""
    backward = any(case.code.calls("backward"))
    for update in own_updates(case):
        statement = update.statement
        if not update.rebinds or isinstance(statement, ast.AugAssign):
            continue
        value = getattr(statement, "value", None)
        if value is None or makes_leaf(value) or isinstance(value, ast.ListComp | ast.DictComp):
            continue
        if stays_leaf(case, update.owner):
            continue
        if _made_leaf_again(case, update) and not was_leaf(case, update.owner):
            continue
        sureness = _sureness(case, update, backward)
        if sureness:
            yield Rebinding(statement, update.owner, sureness, tuple(_in_place(case, update)))


def _sureness(case: Case, update: Update, backward: bool) -> float:
    how = lost(case, update.owner)
    if _is_dropped(case, update):
        return 0.95
    if not backward:
        return 0.93 if how == "gradient" else 0.0
    if how:
        return 0.97
    if not repeats(case, update.statement):
        return 0.7 if case.errors else 0.0
    return 0.95 if case.code.loop(update.statement) is not None else 0.85


def _is_dropped(case: Case, update: Update) -> bool:
    """Whether the name is that of a loop over tensors, and what it is given is never read: `for p in params: p = p - …`."""
    loop = case.code.loop(update.statement)
    if not isinstance(loop, ast.For) or update.owner not in [ast.unparse(one) for one in targets_of(loop)]:
        return False
    later = [node for node in case.code.inside(loop, ast.Name) if node.lineno > update.statement.lineno]
    return not any(
        node.id == update.owner and getattr(case.code.parent(node), "attr", "") != "grad" for node in later
    )


def _in_place(case: Case, update: Update) -> Iterator[Edit]:
    """The statement written so that it changes the tensor."""
    statement, value = update.statement, getattr(update.statement, "value", None)
    single = isinstance(statement, ast.Assign) and statement.targets == [update.target]
    number = isinstance(value, ast.AST) and _is_number(value)
    if (
        single
        and isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Sub | ast.Add)
        and ast.unparse(_inner(value.left)) == update.owner
    ):
        sign = "-=" if isinstance(value.op, ast.Sub) else "+="
        target = case.code.text(update.target)
        if not (in_no_grad(case, statement) and _may_assign(case, update)):
            target += ".data"
        yield case.code.replace(statement, f"{target} {sign} {_of_tensors(case, value.right)}")
    elif single and number and isinstance(value, ast.expr):
        yield case.code.replace(statement, f"{update.owner}.data.fill_({case.code.text(value)})")
    elif not number:
        yield case.code.replace(update.target, f"{case.code.text(update.target)}.data")


def _of_tensors(case: Case, node: ast.expr) -> str:
    """An expression's text without the steps from tensors to arrays."""
    return re.sub(r"(\.(detach|cpu)\(\))*\.numpy\(\)", "", case.code.text(node))


def _may_assign(case: Case, update: Update) -> bool:
    """Whether `w -= …` finds the tensor: not where that makes w a local name that was given nothing before."""
    function = case.code.function(update.statement)
    if function is None or not isinstance(update.target, ast.Name):
        return True
    name = update.target.id
    return name in argument_names(function) or declares(case, function, name)


def _inner(node: ast.expr) -> ast.expr:
    """`w` of `w.item()`, `float(w)`, `w.data`."""
    node = bare(node)
    if isinstance(node, ast.Call) and called(node) in ("item", "clone", "detach", "cpu", "numpy"):
        return _inner(node.func.value) if isinstance(node.func, ast.Attribute) else node
    if isinstance(node, ast.Call) and called(node) == "float" and len(node.args) == 1:
        return _inner(node.args[0])
    return node


def _is_number(value: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call) and called(node) in ("item", "float", "tolist") for node in ast.walk(value)
    )


# ---- other spellings ------------------------------------------------------------------------


def _local_names(case: Case) -> Iterator[Rebinding]:
    """`w -= …` in a function, which makes w a local name."""
    for error in case.errors:
        match = re.search(r"local variable '(\w+)'", error.message)
        statement = case.code.at(error.cell or 0, error.line)
        function = None if match is None or statement is None else case.code.function(statement)
        if match is None or function is None:
            continue
        inside = [one for one in own_updates(case) if case.code.function(one.statement) is function]
        if match[1] not in {one.owner for one in inside}:
            continue
        for update in inside:
            if not isinstance(update.target, ast.Name) or update.owner in argument_names(function):
                continue
            edits = (
                [case.code.replace(update.target, f"{update.owner}.data")]
                if isinstance(update.statement, ast.AugAssign)
                else list(_in_place(case, update))
            )
            yield Rebinding(update.statement, update.owner, 0.97, tuple(edits))


def _returned(case: Case) -> Iterator[Rebinding]:
    """`w = update(w)`, where the function returns `w - lr * w.grad`."""
    values = [
        (function.name, one.value)
        for function in case.code.all(ast.FunctionDef)
        for one in case.code.inside(function, ast.Return)
        if one.value is not None
    ]
    for statement in case.code.all(ast.Assign):
        if isinstance(statement.value, ast.Lambda):
            values.append((ast.unparse(statement.targets[0]), statement.value.body))
    makers = {
        name
        for name, value in values
        if gradients_in(value)
        and not makes_leaf(value)
        and any(isinstance(node, ast.BinOp) for node in ast.walk(value))
    }
    for loop in case.training_loops if makers else ():
        for statement in case.code.inside(loop, ast.Assign):
            if isinstance(statement.value, ast.Call) and called(statement.value) in makers:
                targets = [one for one in targets_of(statement) if ast.unparse(one) in texts(statement.value)]
                for target in targets:
                    name = ast.unparse(target)
                    if not stays_leaf(case, name):
                        sureness = 0.93 if lost(case, name) else 0.8
                        edit = case.code.replace(target, f"{case.code.text(target)}.data")
                        yield Rebinding(statement, name, sureness, (edit,))


def _stepped_elsewhere(case: Case) -> Iterator[Rebinding]:
    """`params = sgd(params, gradients)`, where the run shows that what the function gives back are no leaves any more."""
    if not any(case.code.calls("backward")):
        return
    own = {function.name for function in case.code.all(ast.FunctionDef)}
    for loop in case.training_loops:
        for statement in case.code.inside(loop, ast.Assign):
            call = statement.value
            if not isinstance(call, ast.Call) or called(call) not in own:
                continue
            for target in targets_of(statement):
                name = ast.unparse(target)
                if name not in texts(call):
                    continue
                if fell(case, name) and not stays_leaf(case, name):
                    yield Rebinding(
                        statement, name, 0.93, (case.code.replace(target, f"{case.code.text(target)}.data"),)
                    )
                elif fell(case, f"{name}[0]") and not stays_leaf(case, f"{name}[0]"):
                    yield Rebinding(statement, name, 0.93, *_item_by_item(case, statement, name))


def _item_by_item(case: Case, statement: ast.Assign, name: str) -> tuple[tuple[Edit, ...], tuple[Edit, ...]]:
    """The edits that give each tensor of a list its new numbers; and those that clear its gradient too."""
    if len(statement.targets) != 1 or not isinstance(statement.targets[0], ast.Name):
        return (), ()
    text = f"for old, new in zip({name}, {case.code.text(statement.value)}): old.data = new"
    plain, cleared = (
        case.code.replace(statement, text + ending) for ending in (".detach()", ".detach(); old.grad = None")
    )
    return (plain,), (cleared,)


# ---- whether it is one ----------------------------------------------------------------------


def _made_leaf_again(case: Case, update: Update) -> bool:
    """Whether the same loop or function makes the name a leaf again: `w.requires_grad_()`, `w = Variable(w, …)`."""
    root = case.code.loop(update.statement) or scope(case, update.statement)
    while isinstance(root, ast.stmt) and (outer := case.code.loop(root)) is not None:
        root = outer
    for node in case.code.inside(root, ast.Attribute):
        if requires_again(case, node):
            owner = ast.unparse(bare(node.value))
            if owner == update.owner or iterates(case, node, update.owner.split("[")[0]):
                return True
    return any(
        makes_leaf(statement.value) and update.owner in texts(statement.value)
        for statement in case.code.inside(root, ast.Assign)
        if update.owner in [ast.unparse(target) for target in targets_of(statement)]
    )
