"""Formulas in a learner's source: derivatives by hand, found in a walk and worked out for numbers."""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from grader.evidence.code import Code, Function, names_in, targets_of

DEEPEST = 40
LARGEST_BASE = 1e3


class Formula(NamedTuple):
    """A derivative as it is written, and the name it depends on; `rate` where the node is a whole step, with the rate in it."""

    node: ast.expr
    name: str
    factor: float = 1.0
    rate: str = ""


def value_of(node: ast.AST, values: dict[str, float], depth: int = 0) -> float | None:  # noqa: PLR0911 - one per kind
    """The number that a formula of +, −, ·, / and powers has; None for anything else."""
    if depth > DEEPEST:
        return None
    if isinstance(node, ast.Constant):
        return float(node.value) if isinstance(node.value, int | float) else None
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = value_of(node.operand, values, depth + 1)
        return None if inner is None else -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.func, ast.Name):
        return value_of(node.args[0], values, depth + 1) if node.func.id == "float" else None
    if not isinstance(node, ast.BinOp):
        return None
    left, right = value_of(node.left, values, depth + 1), value_of(node.right, values, depth + 1)
    if left is None or right is None:
        return None
    return _combined(node.op, left, right)


def _combined(kind: ast.operator, left: float, right: float) -> float | None:
    if isinstance(kind, ast.Add):
        return left + right
    if isinstance(kind, ast.Sub):
        return left - right
    if isinstance(kind, ast.Mult):
        return left * right
    if isinstance(kind, ast.Div):
        return left / right if right else None
    if isinstance(kind, ast.Pow) and abs(left) < LARGEST_BASE and right in (0, 1, 2, 3, 4):
        return float(left**right)
    return None


def derivative_in(code: Code, function: Function) -> Formula | None:
    """The derivative that a walk `x = x - lr * …` uses: there, under a name, or in a function that it calls."""
    arguments = [argument.arg for argument in function.args.args]
    if len(arguments) != 3:  # noqa: PLR2004 - start, rate, steps
        return None
    rate = arguments[1]
    for statement in code.inside(function, ast.Assign, ast.AugAssign):
        assert isinstance(statement, ast.Assign | ast.AugAssign)
        if code.loop(statement) is None or len(targets_of(statement)) != 1:
            continue
        target = targets_of(statement)[0]
        step = _step(statement)
        if not isinstance(target, ast.Name) or step is None or rate not in names_in(step):
            continue
        gradient = _without(step, rate)
        if gradient is not None:
            return _resolved(code, function, gradient, target.id)
        if _takes_away(statement) and names_in(step) == {rate, target.id}:
            return Formula(step, target.id, rate=rate)
    return None


def _step(statement: ast.Assign | ast.AugAssign) -> ast.expr | None:
    if isinstance(statement, ast.AugAssign):
        return statement.value if isinstance(statement.op, ast.Sub | ast.Add) else None
    value = statement.value
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub | ast.Add):
        return value.right
    return None


def _takes_away(statement: ast.Assign | ast.AugAssign) -> bool:
    value = statement.value
    operator = statement.op if isinstance(statement, ast.AugAssign) else getattr(value, "op", None)
    return isinstance(operator, ast.Sub)


def _without(step: ast.expr, rate: str) -> ast.expr | None:
    """The other factor of `lr * …` or `… * lr`."""
    if not isinstance(step, ast.BinOp) or not isinstance(step.op, ast.Mult):
        return None
    if isinstance(step.left, ast.Name) and step.left.id == rate:
        return step.right
    if isinstance(step.right, ast.Name) and step.right.id == rate:
        return step.left
    return None


def _resolved(code: Code, function: Function, node: ast.expr, name: str) -> Formula | None:
    for _ in range(4):
        if isinstance(node, ast.Name) and node.id != name:
            made = [
                one
                for one in code.inside(function, ast.Assign)
                if any(isinstance(target, ast.Name) and target.id == node.id for target in one.targets)
            ]
            if len(made) != 1:
                return None
            node = made[0].value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
            called = [one for one in code.all(ast.FunctionDef) if one.name == node.func.id]
            short = _lambda(code, node.func.id)
            if not called and short is not None and isinstance(node.args[0], ast.Name):
                node, name = short.body, short.args.args[0].arg
                continue
            if (
                not called
                or len(called[-1].args.args) != 1
                or not isinstance(called[-1].body[-1], ast.Return)
            ):
                return None
            returned = called[-1].body[-1].value
            if returned is None or not isinstance(node.args[0], ast.Name):
                return None
            node, name = returned, called[-1].args.args[0].arg
        else:
            return Formula(node, name)
    return None


def _lambda(code: Code, name: str) -> ast.Lambda | None:
    """The function of one argument that a name is given, where that happens once."""
    found = [one.value for one in code.all(ast.Assign) if name in [ast.unparse(t) for t in one.targets]]
    value = found[0] if len(found) == 1 else None
    return value if isinstance(value, ast.Lambda) and len(value.args.args) == 1 else None


def returned_parts(code: Code, function: Function) -> list[ast.expr]:
    """The two expressions whose values a function returns, looked up where it returns names."""
    returns = [one for one in code.inside(function, ast.Return) if code.function(one) is function]
    if not returns or not isinstance(returns[-1].value, ast.Tuple):
        return []
    return list(returns[-1].value.elts)


def unread(code: Code, parts: Sequence[ast.expr]) -> Iterator[tuple[ast.expr, str]]:
    """The formulas, of some that functions return, of functions that never read their last argument, with its name."""
    for part in parts:
        function = code.function(part)
        if function is None or not isinstance(code.parent(part), ast.Return) or not function.args.args:
            continue
        name = function.args.args[-1].arg
        if all(one.id != name for one in code.inside(function, ast.Name)) and isinstance(part, ast.BinOp):
            yield part, name


def residual_bias(code: Code, function: Function, bias: str) -> ast.Name | None:
    """The bias where it stands for the whole prediction, as in `target - b` or `b - target`."""
    for node in code.inside(function, ast.BinOp):
        if isinstance(node.op, ast.Sub):
            for side in (node.left, node.right):
                if isinstance(side, ast.Name) and side.id == bias:
                    return side
    return None
