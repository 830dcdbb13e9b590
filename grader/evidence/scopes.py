"""What surrounds a statement: its function and what that declares, its loops, and whether autograd is off there."""

import ast

from grader.evidence.case import Case
from grader.evidence.code import Function, called, last_name


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


def in_unused_function(case: Case, cell: int | None, line: int | None) -> bool:
    """Whether a line stands in a function that nothing in the source names and that the run never entered."""
    statement = None if cell is None else case.code.at(cell, line)
    if statement is None:
        return False
    function = statement if isinstance(statement, Function) else case.code.function(statement)
    while function is not None:
        if _is_unused(case, function):
            return True
        function = case.code.function(function)
    return False


def _is_unused(case: Case, function: Function) -> bool:
    if function.decorator_list or isinstance(case.code.parent(function), ast.ClassDef):
        return False  # what a decorator or a base class calls is named nowhere
    own = set(case.code.inside(function, ast.expr))
    for node in case.code.all(ast.expr):
        if node not in own and function.name in (last_name(node), getattr(node, "value", None)):
            return False
    cell, first, last = case.code.cell_of(function), function.lineno, function.end_lineno or function.lineno
    ran = any(act.cell == cell and first <= act.line <= last for act in case.acts)
    return not ran and not case.events_in(function)
