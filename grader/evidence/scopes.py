"""What surrounds a statement: its function and what that declares, its loops, and whether autograd is off there."""

import ast

from grader.evidence.case import Case
from grader.evidence.code import Function, called


def scope(case: Case, node: ast.AST) -> ast.AST:
    """The innermost function around a node; outside of any the outermost loop, or its statement."""
    function = case.code.function(node)
    if function is not None:
        return function
    outermost: ast.AST = case.code.statement(node)
    while (loop := case.code.loop(outermost)) is not None:
        outermost = loop
    return outermost


def repeats(case: Case, node: ast.AST) -> bool:
    """Whether a node stands in a loop, or in a function, which may be called from one."""
    return case.code.loop(node) is not None or case.code.function(node) is not None


def in_no_grad(case: Case, node: ast.AST) -> bool:
    """Whether a statement stands in `with torch.no_grad():`, or in a function decorated so."""
    outer = case.code.parent(node)
    while outer is not None:
        if isinstance(outer, ast.With) and any(
            isinstance(item.context_expr, ast.Call)
            and called(item.context_expr) in ("no_grad", "inference_mode", "set_grad_enabled")
            for item in outer.items
        ):
            return True
        if isinstance(outer, ast.FunctionDef):
            return any("no_grad" in ast.unparse(decorator) for decorator in outer.decorator_list)
        outer = case.code.parent(outer)
    return False


def argument_names(function: Function) -> set[str]:
    """The names of a function's arguments."""
    given = function.args
    return {one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs]}


def declares(case: Case, function: Function, name: str) -> bool:
    """Whether a function says `global` or `nonlocal` of a name."""
    declared: list[ast.Global | ast.Nonlocal] = [*case.code.inside(function, ast.Global)]
    declared += case.code.inside(function, ast.Nonlocal)
    return any(name in one.names for one in declared)
