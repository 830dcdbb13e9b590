"""Where the forward pass drops its history: detach, item, copies made of results; and the edits that take that out."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward
from grader.evidence.rewrite import drop_suffix, keep_only

_ENDINGS = ("detach", "item", "tolist", "detach_")
# What copies the numbers of a tensor. as_tensor hands a tensor on as it is, and copies the items of a list.
_COPIES = ("tensor", "Tensor", "FloatTensor", "new_tensor")
_OF_LISTS = (*_COPIES, "as_tensor")


class Cut(NamedTuple):
    """An expression that drops the history of a part of it."""

    whole: ast.expr
    part: ast.expr


def cuts(forward: Forward) -> list[Cut]:
    """The cuts in what losses are computed from, in the order of the source."""
    found = []
    for node in forward.inside(ast.Call, ast.Attribute):
        part = _cut(forward, node)
        if part is not None and isinstance(node, ast.expr):
            found.append(Cut(node, part))
    return found


def without_cuts(forward: Forward) -> list[Edit]:
    """Take all of them out; of a list of results, make a tensor that knows where they came from."""
    code, edits = forward.code, list[Edit]()
    for cut in cuts(forward):
        if not isinstance(cut.whole, ast.Call) or called(cut.whole) not in _OF_LISTS:
            edits.append(drop_suffix(code, cut.whole, cut.part))
        elif _is_list(cut.part):
            before, behind = keep_only(code, cut.whole, cut.part)
            edits.append(msgspec.structs.replace(before, text="torch.stack("))
            edits.append(msgspec.structs.replace(behind, text=")"))
        else:
            edits += keep_only(code, cut.whole, cut.part)
    return edits


def unquieted(forward: Forward) -> Iterator[Edit]:
    """Take out the `requires_grad` that was put on what had been cut, to quiet the error."""
    code = forward.code
    for call in code.calls("requires_grad_"):
        if not isinstance(call.func, ast.Attribute):
            continue
        what = call.func.value
        if isinstance(what, ast.Name) and what.id in forward.parameters:
            continue
        if not forward.tracked(what):
            continue
        statement = code.statement(call)
        if isinstance(statement, ast.Expr) and statement.value is call:
            yield code.delete(statement)
        else:
            yield drop_suffix(code, call, what)
    for statement in code.all(ast.Assign):
        target = statement.targets[0]
        if isinstance(target, ast.Attribute) and target.attr == "requires_grad":
            name = target.value
            if isinstance(name, ast.Name) and name.id not in forward.parameters and forward.tracked(name):
                yield code.delete(statement)


def _cut(forward: Forward, node: ast.AST) -> ast.expr | None:
    """What an expression cuts off."""
    if isinstance(node, ast.Attribute):
        is_cut = node.attr == "data" and isinstance(node.ctx, ast.Load) and forward.tracked(node.value)
        return node.value if is_cut else None
    assert isinstance(node, ast.Call)
    name = called(node)
    if isinstance(node.func, ast.Attribute) and name in _ENDINGS:
        is_cut = forward.tracked(node.func.value) and not _for_numpy(forward.code.parent(node))
        return node.func.value if is_cut else None
    if len(node.args) == 1 and name in (_OF_LISTS if _is_list(node.args[0]) else _COPIES):
        return node.args[0] if forward.tracked(node.args[0]) else None
    return None


def _is_list(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple | ast.ListComp)


def _for_numpy(parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.Attribute) and parent.attr == "numpy"
