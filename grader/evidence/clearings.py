"""The statements that clear gradients, and those that only look so."""

import ast

from grader.evidence.case import Case
from grader.evidence.code import called, last_name
from grader.evidence.gradients import bare, pairs

CLEARS = ("zero_", "fill_", "zero_grad")


def clearings(case: Case) -> dict[str, list[ast.stmt]]:
    """The statements that clear gradients, by whose (`w`, `optimizer`); calls of `.grad.zero_()`, `.zero_grad()`, `.grad = None`."""
    found: dict[str, list[ast.stmt]] = {}
    for call in case.code.calls(*CLEARS):
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if owner is None:
            continue
        if called(call) == "zero_grad":
            found.setdefault(ast.unparse(owner), []).append(case.code.statement(call))
        elif last_name(base := bare(owner)) == "grad" and isinstance(base, ast.Attribute):
            found.setdefault(ast.unparse(bare(base.value)), []).append(case.code.statement(call))
    for statement in case.code.all(ast.Assign):
        for target, value in pairs(statement):
            base = bare(target)
            if isinstance(base, ast.Attribute) and base.attr == "grad" and _is_nothing(value):
                found.setdefault(ast.unparse(bare(base.value)), []).append(statement)
    return found


def unfinished_clearing(case: Case) -> bool:
    """Whether somebody wrote the name of what clears gradients but did not call it, or misspelt it."""
    called_ = {id(call.func) for call in case.code.all(ast.Call)}
    return any(
        (node.attr in CLEARS and node.attr != "fill_" and id(node) not in called_)
        or node.attr in ("zeros_", "zero", "zero_grads", "zeros_grad", "zerograd")
        for node in case.code.all(ast.Attribute)
        if node.attr != "zero" or last_name(node.value) in ("grad", "data")
    )


def _is_nothing(value: ast.expr) -> bool:
    return (isinstance(value, ast.Constant) and not value.value) or (
        isinstance(value, ast.Call) and called(value) in ("zeros", "zeros_like")
    )
