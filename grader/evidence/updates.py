"""The statements that change a parameter by its gradient, in the many ways to write them."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Code, called, last_name
from grader.evidence.edits import Edit

IN_PLACE = {"sub_": -1, "add_": 1, "subtract_": -1}


class Update(NamedTuple):
    """One statement `target = target ± change`.

    name: the parameter as it is written, without `.data`. sign: -1 where the change is taken away, 1 where it is added, a
    minus in front of the change counted in. operation: the node whose sign it is.
    """

    statement: ast.stmt
    name: str
    sign: int
    change: ast.expr
    operation: ast.AST


def updates(case: Case, inside: ast.AST | None = None, *, by_hand: bool = False) -> list[Update]:
    """The updates by a gradient; `by_hand`: also those by anything else."""
    code = case.code
    found: Iterator[ast.stmt] = code.all(ast.stmt) if inside is None else code.inside(inside, ast.stmt)
    statements = [one for one in found if isinstance(one, ast.Assign | ast.AugAssign | ast.Expr)]
    named = gradient_names(code)
    taken = [update for one in statements if (update := update_of(one)) is not None]
    return [one for one in taken if by_hand or reads_gradient(one.change, named)]


def update_of(statement: ast.stmt) -> Update | None:
    """A statement as an update, if it is `target ± change` in one of its forms."""
    if isinstance(statement, ast.AugAssign):
        if isinstance(statement.op, ast.Add | ast.Sub):
            sign = 1 if isinstance(statement.op, ast.Add) else -1
            return _update(statement, statement.target, sign, statement.value, statement)
    elif isinstance(statement, ast.Assign):
        if len(statement.targets) == 1:
            return _from_sum(statement, statement.targets[0], statement.value)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return _from_call(statement, statement.value)
    return None


def _from_call(statement: ast.stmt, call: ast.Call) -> Update | None:
    if not isinstance(call.func, ast.Attribute) or not call.args:
        return None
    target, name = call.func.value, call.func.attr
    if name == "copy_":
        return _from_sum(statement, target, call.args[0])
    if name not in IN_PLACE:
        return None
    sign = IN_PLACE[name]
    for keyword in call.keywords:
        if keyword.arg == "alpha" and _negative(keyword.value):
            sign = -sign
    change = call.args[1] if len(call.args) == 2 else call.args[0]  # noqa: PLR2004 - (alpha, tensor) of old
    if len(call.args) == 2 and _negative(call.args[0]):  # noqa: PLR2004
        sign = -sign
    return _update(statement, target, sign, change, call)


def _from_sum(statement: ast.stmt, target: ast.expr, value: ast.expr) -> Update | None:
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        value = value.func.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add | ast.Sub):
        return None
    if plain_name(value.left) != plain_name(target):
        return None
    sign = 1 if isinstance(value.op, ast.Add) else -1
    return _update(statement, target, sign, value.right, value)


def _update(
    statement: ast.stmt, target: ast.expr, sign: int, change: ast.expr, operation: ast.AST
) -> Update | None:
    name = plain_name(target)
    return Update(statement, name, -sign if _negative(change) else sign, change, operation) if name else None


def _negative(node: ast.expr) -> bool:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        node = node.left
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def plain_name(node: ast.AST) -> str:
    """A tensor as it is written, without `.data` and `.detach()`; '' of anything but names, attributes and items."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr == "data":
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) == "detach":
            node = node.func.value
        else:
            break
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""


# ---- gradients -----------------------------------------------------------------------------------


def gradient_of(node: ast.AST) -> str | None:
    """The tensor whose gradient a node reads, for `w.grad` and `w.grad.data`."""
    if isinstance(node, ast.Attribute) and node.attr == "grad":
        name = plain_name(node.value)
        return name if name and name not in ("torch.autograd", "autograd", "torch.func") else None
    return None


def gradient_names(code: Code) -> dict[str, str | None]:
    """The names given to gradients, with the tensor each is the gradient of (None: of several, or not known)."""
    found: dict[str, str | None] = {}
    for statement in code.all(ast.Assign):
        value = statement.value
        if not any(_gives_gradient(node) for node in ast.walk(value)):
            continue
        owner = next((one for node in ast.walk(value) if (one := gradient_of(node))), None)
        for target in statement.targets:
            if isinstance(target, ast.Name):
                wanted = grad_inputs(value)
                one = wanted[0] if wanted is not None and len(wanted) == 1 else owner
                found[target.id] = one if found.get(target.id, one) == one else None
            elif isinstance(target, ast.Tuple | ast.List):
                for name, of in _unpacked(target, value):
                    found[name] = of if found.get(name, of) == of else None
    return found


def _unpacked(target: ast.Tuple | ast.List, value: ast.expr) -> Iterator[tuple[str, str | None]]:
    wanted = grad_inputs(value)
    for index, part in enumerate(target.elts):
        if isinstance(part, ast.Name):
            if wanted is not None and len(wanted) == len(target.elts):
                yield part.id, wanted[index]
            elif isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                yield (
                    part.id,
                    next((one for n in ast.walk(value.elts[index]) if (one := gradient_of(n))), None),
                )
            else:
                yield part.id, None


def grad_inputs(value: ast.expr) -> list[str] | None:
    """The tensors that `torch.autograd.grad(loss, [w, b])` is asked for, as they are written."""
    if isinstance(value, ast.Call) and called(value) == "grad":
        wanted = value.args[1] if len(value.args) > 1 else _keyword(value, "inputs")
        if isinstance(wanted, ast.Tuple | ast.List):
            return [plain_name(one) for one in wanted.elts]
        if wanted is not None and plain_name(wanted):
            return [plain_name(wanted)]
    return None


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _gives_gradient(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "grad") or (
        isinstance(node, ast.Call) and called(node) == "grad"
    )


def reads_gradient(node: ast.AST, named: dict[str, str | None]) -> bool:
    """Whether an expression reads `.grad`, or a name that was given to a gradient."""
    return any(
        _gives_gradient(inner) or (isinstance(inner, ast.Name) and inner.id in named)
        for inner in ast.walk(node)
    )


# ---- edits ---------------------------------------------------------------------------------------


def flipped(code: Code, update: Update) -> Edit | None:
    """The edit that turns `+` into `-`, or the other way round."""
    node = update.operation
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Attribute)
        other = "add_" if node.func.attr.startswith("sub") else "sub_"
        (_, _), (line, end) = code.span(node.func)
        return Edit(code.cell_of(node), (line, end - len(node.func.attr)), (line, end), other)
    if isinstance(node, ast.AugAssign):
        return _swapped(code, node.target, node.value)
    return _swapped(code, node.left, node.right) if isinstance(node, ast.BinOp) else None


def _swapped(code: Code, left: ast.expr, right: ast.expr) -> Edit | None:
    end, start = code.span(left)[1], code.span(right)[0]
    if end[0] != start[0]:
        return None
    cell = code.cell_of(left)
    between = code.line(cell, end[0])[end[1] : start[1]]
    other = between.replace("+", "-") if "+" in between else between.replace("-", "+")
    return Edit(cell, end, start, other) if other != between else None


def moved_into(code: Code, statements: list[ast.stmt], after: ast.stmt) -> list[Edit]:
    """Put whole statements, compound ones too, behind another one, as deep as that stands."""
    lines: list[str] = []
    for one in statements:
        own = code.indent(one)
        lines += [line.removeprefix(own) for line in code.text(one).split("\n")]
    return [*(code.delete(one) for one in statements), code.insert_after(after, *lines)]


def is_step(node: ast.AST, optimizers: set[str]) -> bool:
    """Whether a statement is `optimizer.step(…)` of one of some names."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "step"
        and (ast.unparse(node.value.func.value) in optimizers)
    )


def optimizer_calls(case: Case) -> list[ast.Call]:
    """The calls in the source that make optimizers: those that were seen to, and those of known classes."""
    kinds = {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS", "Adadelta", "NAdam", "Adamax", "ASGD"}
    seen = {(event.cell, event.line): event for event in case.optimizers}
    kinds |= {event.optimizer.kind for event in seen.values() if event.optimizer is not None}
    return [call for call in case.code.all(ast.Call) if last_name(call.func) in kinds]


def optimizer_names(case: Case) -> set[str]:
    """The names that optimizers are bound to."""
    names = set()
    for call in optimizer_calls(case):
        statement = case.code.statement(call)
        if isinstance(statement, ast.Assign):
            names |= {ast.unparse(target) for target in statement.targets}
    return names
