"""The statements that change a tensor by a gradient, or give away its name, in the many ways to write them."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Code, called
from grader.evidence.edits import Edit
from grader.evidence.gradients import (
    bare,
    carriers,
    gradient_names,
    gradients_in,
    pairs,
    plain_name,
    reads_gradient,
)
from grader.evidence.scopes import scope

# Methods that change a tensor in place, as an update does.
IN_PLACE = ("sub_", "add_", "subtract_", "copy_", "mul_", "addcmul_", "addcdiv_", "set_")
SIGNS = {"sub": -1, "subtract": -1, "add": 1}


class Step(NamedTuple):
    """What `target ± change` takes away (sign −1) or adds, a minus in front of the change counted in.

    operation: the node whose sign it is.
    """

    sign: int
    change: ast.expr
    operation: ast.AST


class Update(NamedTuple):
    """One of them. owner: the tensor, as it is written there without `.data` (`w`, `self.w`); target: what is written to.

    rebinds: whether it gives the name to another object (`w = …`), not new numbers to the tensor. own: whether it goes by
    the tensor's own gradient. step: of `target ± change` in one of its forms; None of other formulas.
    """

    statement: ast.stmt
    owner: str
    target: ast.expr
    rebinds: bool
    own: bool
    step: Step | None


def updates(case: Case, inside: ast.AST | None = None, *, by_hand: bool = False) -> list[Update]:
    """The updates by a gradient, in the order of the source; `by_hand`: also the steps by anything else."""
    found = [one for one in _all(case) if by_hand or one.own or _by_gradient(case, one)]
    if inside is None:
        return found
    within = set(case.code.inside(inside, ast.stmt))
    return [one for one in found if one.statement in within]


def own_updates(case: Case) -> list[Update]:
    """The updates of tensors by their own gradients."""
    return [one for one in _all(case) if one.own]


def _by_gradient(case: Case, update: Update) -> bool:
    return update.step is not None and reads_gradient(update.step.change, _named(case))


@lru_cache(maxsize=4)
def _named(case: Case) -> dict[str, str | None]:
    return gradient_names(case.code)


@lru_cache(maxsize=4)
def _all(case: Case) -> tuple[Update, ...]:
    known: dict[ast.AST, dict[str, set[str]]] = {}
    found = []
    for statement in case.code.all(ast.stmt):
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            root = scope(case, statement)
            if root not in known:
                known[root] = carriers(case.code, root)
            items = _item_names(case, statement)
            for target, value, rebinds in _written(statement):
                owner, step = plain_name(target), _step_of(statement, target, value)
                owners = gradients_in(value, known[root])
                own = owner in owners | {items[one] for one in owners if one in items}
                if owner and (own or step is not None):
                    found.append(Update(statement, owner, target, rebinds, own, step))
    return tuple(found)


def _item_names(case: Case, statement: ast.stmt) -> dict[str, str]:
    """What loops around a statement call the items of a list or dict: `p` is `params[i]` in `for i, p in enumerate(params)`."""
    found: dict[str, str] = {}
    loop = case.code.loop(statement)
    while loop is not None:
        if (
            isinstance(loop, ast.For)
            and isinstance(loop.target, ast.Tuple)
            and isinstance(loop.iter, ast.Call)
        ):
            held = loop.iter.args[0] if called(loop.iter) == "enumerate" and loop.iter.args else None
            if called(loop.iter) == "items" and isinstance(loop.iter.func, ast.Attribute):
                held = loop.iter.func.value
            if held is not None:
                index, item = (ast.unparse(one) for one in loop.target.elts[:2])
                found[item] = f"{ast.unparse(held)}[{index}]"
        loop = case.code.loop(loop)
    return found


def _written(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """What a statement writes to, what it writes, and whether that only gives a name to it."""
    if isinstance(statement, ast.AugAssign):
        yield statement.target, statement.value, False
    elif isinstance(statement, ast.Expr):
        call = statement.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in IN_PLACE:
            yield call.func.value, call, False
    else:
        for target, value in pairs(statement):
            yield target, value, bare(target) is target


# ---- target ± change -----------------------------------------------------------------------------


def _step_of(statement: ast.stmt, target: ast.expr, value: ast.expr) -> Step | None:
    if isinstance(statement, ast.AugAssign):
        if isinstance(statement.op, ast.Add | ast.Sub):
            return _step(1 if isinstance(statement.op, ast.Add) else -1, value, statement)
        return None
    if isinstance(statement, ast.Expr):
        assert isinstance(value, ast.Call)
        return _from_call(target, value)
    return _from_sum(target, value)


def _from_call(target: ast.expr, call: ast.Call) -> Step | None:
    name = called(call)
    if not call.args or name not in ("copy_", *(f"{one}_" for one in SIGNS)):
        return None
    if name == "copy_":
        return _from_sum(target, call.args[0])
    sign = SIGNS[name.removesuffix("_")]
    for keyword in call.keywords:
        if keyword.arg == "alpha" and _negative(keyword.value):
            sign = -sign
    change = call.args[1] if len(call.args) == 2 else call.args[0]  # noqa: PLR2004 - (alpha, tensor) of old
    if len(call.args) == 2 and _negative(call.args[0]):  # noqa: PLR2004
        sign = -sign
    return _step(sign, change, call)


def _from_sum(target: ast.expr, value: ast.expr) -> Step | None:
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        value = value.func.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add | ast.Sub):
        return None
    if plain_name(value.left) != plain_name(target):
        return None
    return _step(1 if isinstance(value.op, ast.Add) else -1, value.right, value)


def _step(sign: int, change: ast.expr, operation: ast.AST) -> Step:
    return Step(-sign if _negative(change) else sign, change, operation)


def _negative(node: ast.expr) -> bool:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        node = node.left
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


# ---- edits ---------------------------------------------------------------------------------------


def flipped(code: Code, step: Step) -> Edit | None:
    """The edit that turns `+` into `-`, or the other way round."""
    node = step.operation
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


def whole_lists(case: Case) -> list[Edit]:
    """Let the loops around updates go over the whole of their lists: `range(len(params) - 1)`, `params[:-1]`."""
    edits: dict[Edit, None] = {}
    for update in own_updates(case):
        loop = case.code.loop(update.statement)
        if not isinstance(loop, ast.For):
            continue
        name = update.owner.split("[")[0]
        for node in case.code.inside(loop.iter, ast.BinOp, ast.Subscript):
            part = node.left if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else None
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
                part = node.value
            counts = (
                isinstance(part, ast.Call) and called(part) == "len" and ast.unparse(part.args[0]) == name
            )
            if part is not None and (counts or isinstance(node, ast.Subscript)):
                edits[case.code.replace(node, case.code.text(part))] = None
    return list(edits)
