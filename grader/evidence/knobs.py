"""The numbers a learner can turn: the learning rate and the number of steps, wherever they are written."""

import ast
from collections.abc import Iterator, Sequence

from grader.evidence.case import Case
from grader.evidence.code import Code, Loop, called
from grader.evidence.edits import Edit
from grader.evidence.gradients import gradient_names, reads_gradient
from grader.evidence.optimizers import optimizer_calls
from grader.evidence.updates import updates

DEPTH = 4


def rates(case: Case) -> list[ast.expr]:
    """The numbers in the source that are learning rates: of optimizers, and in updates by hand."""
    found: list[ast.expr] = []
    for call in optimizer_calls(case):
        given = _given_rate(call)
        if given is not None:
            found += constants(case.code, given)
    named = gradient_names(case.code)
    for step in [update.step for update in updates(case) if update.step is not None]:
        for factor in factors_of(step.change, named):
            found += constants(case.code, factor)
        if isinstance(step.operation, ast.Call):
            for keyword in step.operation.keywords:
                if keyword.arg == "alpha":
                    found += constants(case.code, keyword.value)
    return _once(found)


def rate_asked(case: Case) -> float | None:
    """The learning rate that the task wants, where a check that failed says so."""
    for check in case.checks:
        rate = None if check.reason is None else check.reason.params.get("rate")
        if isinstance(rate, float) and rate > 0:
            return rate
    return None


def rate_missing(case: Case) -> list[ast.Call]:
    """The optimizers that were given no learning rate."""
    return [call for call in optimizer_calls(case) if _given_rate(call) is None and call.args]


def _given_rate(call: ast.Call) -> ast.expr | None:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "lr"), None)
    for keyword in call.keywords if given is None else ():
        if keyword.arg is None and isinstance(keyword.value, ast.Dict):  # **{"lr": 0.1}
            given = next(_items(keyword.value, "lr"), None)
    return given if given is not None or len(call.args) < 2 else call.args[1]  # noqa: PLR2004


def factors_of(change: ast.expr, named: dict[str, str | None]) -> Iterator[ast.expr]:
    """The factors of a product that have nothing of the gradient in them."""
    if isinstance(change, ast.UnaryOp):
        yield from factors_of(change.operand, named)
    elif isinstance(change, ast.BinOp) and isinstance(change.op, ast.Mult | ast.Div):
        yield from factors_of(change.left, named)
        if isinstance(change.op, ast.Mult):
            yield from factors_of(change.right, named)
    elif not reads_gradient(change, named):
        yield change


def steps(case: Case) -> list[ast.expr]:
    """The numbers in the source that say how often the outermost training loops go round."""
    found: list[ast.expr] = []
    for loop in case.training_loops:
        if case.code.loop(loop) is None:
            bound = bound_of(loop)
            if bound is not None:
                found += constants(case.code, bound)
    return _once(found)


def bound_of(loop: Loop) -> ast.expr | None:
    """What limits the rounds of a loop: the end of its range, or what a `while` compares a count with."""
    if isinstance(loop, ast.While):
        test = loop.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Lt | ast.LtE):
            return test.comparators[0]
        return None
    for call in ast.walk(loop.iter):
        if isinstance(call, ast.Call) and called(call) in ("range", "trange", "arange") and call.args:
            return call.args[1] if len(call.args) > 1 else call.args[0]
    return None


def number_of(node: ast.expr) -> float | None:  # noqa: PLR0911 - one return for each form
    """A literal number: `1e-2`, `-1`, `10 ** -2`, `1 / 100`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number_of(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp):
        left, right = number_of(node.left), number_of(node.right)
        if left is None or right is None:
            return None
        try:
            if isinstance(node.op, ast.Pow):
                return float(left**right) if abs(right) < 20 else None  # noqa: PLR2004
            if isinstance(node.op, ast.Mult | ast.Div):
                return left * right if isinstance(node.op, ast.Mult) else left / right
            if isinstance(node.op, ast.Add):
                return left + right
        except (ArithmeticError, TypeError):
            return None
    return None


def constants(code: Code, node: ast.expr, depth: int = DEPTH) -> list[ast.expr]:
    """The literal numbers that an expression stands for: itself, or what is assigned or handed to its name."""
    if number_of(node) is not None:
        return [node]
    if depth == 0:
        return []
    if isinstance(node, ast.BinOp | ast.Call):
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else node.args
        named = [part for part in parts if number_of(part) is None]
        return constants(code, named[0], depth - 1) if len(named) == 1 else []
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        held = [one for table in code.all(ast.Dict) for one in _items(table, node.slice.value)]
        others = [one for one in held if one is not node]
        return constants(code, others[0], depth - 1) if len(others) == 1 else []
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
    if name is None:
        return []
    found: list[ast.expr] = []
    for value in [*_handed(code, node, name), *_assigned(code, name)]:
        found += constants(code, value, depth - 1)
    return _once(found)


def _items(table: ast.Dict, key: object) -> Iterator[ast.expr]:
    """What a dict says of a key."""
    for one, value in zip(table.keys, table.values, strict=True):
        if isinstance(one, ast.Constant) and one.value == key:
            yield value


def _assigned(code: Code, name: str) -> Iterator[ast.expr]:
    for statement in code.all(ast.stmt):
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        value = statement.value
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            if value is not None and _is(target, name) and not _is(value, name):
                yield value
            elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = zip(target.elts, value.elts, strict=False)
                yield from (part for one, part in pairs if _is(one, name))


def _is(node: ast.expr, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (
        isinstance(node, ast.Attribute) and node.attr == name
    )


def _handed(code: Code, node: ast.expr, name: str) -> Iterator[ast.expr]:
    """What calls hand over under the name of a function's parameter, and its default."""
    function = code.function(node)
    if function is None:
        return
    arguments = [*function.args.posonlyargs, *function.args.args]
    names = [argument.arg for argument in arguments]
    only = [argument.arg for argument in function.args.kwonlyargs]
    if name not in (*names, *only):
        return
    called_as = function.name
    shift = 1 if names[:1] == ["self"] else 0
    if called_as == "__init__":
        owner = code.around(function, ast.ClassDef)
        called_as = owner.name if owner is not None else called_as
    handed = False
    for call in code.calls(called_as):
        for keyword in call.keywords:
            if keyword.arg == name:
                handed = True
                yield keyword.value
        if name in names and 0 <= names.index(name) - shift < len(call.args):
            handed = True
            yield call.args[names.index(name) - shift]
    if not handed and name in names:
        place = names.index(name) - len(names) + len(function.args.defaults)
        if place >= 0:
            yield function.args.defaults[place]
    elif not handed:
        default = function.args.kw_defaults[only.index(name)]
        if default is not None:
            yield default


def turned(code: Code, nodes: Sequence[ast.expr], factor: float) -> list[Edit]:
    """Multiply literal numbers; whole numbers stay whole where they can."""
    edits = []
    for node in nodes:
        number = number_of(node)
        if number:
            edits.append(code.replace(node, written(number * factor, whole=_whole(node) and factor > 1)))
    return edits


def _whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def written(number: float, *, whole: bool = False) -> str:
    """A number as a person would write it."""
    return str(round(number)) if whole else f"{number:.3g}"


def tidy(number: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above a number."""
    for exponent in range(12, -13, -1):
        for head in (5, 2, 1):
            step = float(f"{head}e{exponent}")
            if step <= number * 1.000001:
                return step
    return 0.0


def _once(nodes: list[ast.expr]) -> list[ast.expr]:
    return list({id(node): node for node in nodes}.values())
