"""Tells a hook of every binding: of each assignment target in any scope, and between statements.

An AST transformer for IPython. The learner's source and its line numbers stay as they are: each inserted
statement takes the location of the one it follows.

    y = 10 * x + 4 + noise        y = __grader_bound__(10 * x + 4 + noise, 'y')
    x, y = make_data()      →     x, y = make_data()
                                  x = __grader_bound__(x, 'x')
                                  y = __grader_bound__(y, 'y')

What the hook returns is bound in the place of the value, so that an immutable value can be exchanged.
"""

import ast
import builtins
from collections.abc import Callable, Iterator

BOUND = "__grader_bound__"
BETWEEN = "__grader_between__"
# The name under which the hook is told of what a function returned.
RETURNED = "{name}()"
# Methods that make a list longer; those that change a tensor in place end with an underscore.
GROWING = frozenset({"append", "extend", "insert"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While


def install_hooks(bound: Callable[[object, str], object], between: Callable[[], None]) -> None:
    """Make the two hooks reachable from any scope of the learner's code."""
    setattr(builtins, BOUND, bound)
    setattr(builtins, BETWEEN, between)


class Bindings(ast.NodeTransformer):
    """Inserts the calls. `names` limits them to bindings of these names; None means all.

    `returned` are functions whose return values are told of, as bindings of `name()`.
    """

    def __init__(self, names: frozenset[str] | None, returned: frozenset[str] = frozenset()) -> None:
        self._names = names
        self._returned = returned
        # What the innermost loop around a statement binds anew in each round; None outside of loops.
        self._each_round: frozenset[str] | None = None

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Visit a cell: transform its statements, and put a call between each two of them."""
        for expression in ast.walk(node):
            if isinstance(expression, ast.NamedExpr):
                expression.value = self._through(expression.target, expression.value)
        body: list[ast.stmt] = []
        for statement in node.body:
            if body:
                body.append(_at(statement, ast.Expr(_call(BETWEEN))))
            body.extend(self._statement(statement))
        node.body = body
        return ast.fix_missing_locations(node)

    def _statement(self, statement: ast.stmt) -> list[ast.stmt]:
        if isinstance(statement, ast.FunctionDef) and statement.name in self._returned:
            _Returns(statement.name).of(statement)
        self._descend(statement)
        return [statement, *self._after(statement)]

    def _descend(self, statement: ast.stmt) -> None:
        """Transform the blocks inside a statement."""
        around = self._each_round
        if isinstance(statement, Loop):
            self._each_round = _names_bound(statement)
        elif isinstance(statement, Function):
            self._each_round = None
        for field in ("body", "orelse", "finalbody"):
            block = getattr(statement, field, None)
            if isinstance(block, list):
                setattr(statement, field, self._block(block))
        for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
            part.body = self._block(part.body)
        opening = self._opening(statement)
        if opening:
            start = 1 if _has_docstring(statement) else 0
            statement.body[start:start] = opening  # type: ignore[attr-defined]
        self._each_round = around

    def _block(self, block: list[ast.stmt]) -> list[ast.stmt]:
        done: list[ast.stmt] = []
        for statement in block:
            done.extend(self._statement(statement))
            if isinstance(statement, ast.Expr):  # of a whole cell, `between` sees what these have changed
                done.extend(_at(statement, call) for call in self._filled(statement))
        return done

    def _after(self, statement: ast.stmt) -> list[ast.stmt]:
        """What to insert behind a statement that binds something; the value of a simple one is passed through."""
        calls: list[ast.stmt] = []
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name | ast.Attribute):
                    statement.value = self._through(target, statement.value)
                else:
                    calls.extend(self._calls(target))
        elif isinstance(statement, ast.AugAssign):
            calls.extend(self._calls(statement.target))
        elif isinstance(statement, Loop):
            calls.extend(self._filled(statement))
        return [_at(statement, call) for call in calls]

    def _through(self, target: ast.expr, value: ast.expr) -> ast.expr:
        """A value on its way to a name or an attribute, passed through the hook."""
        if isinstance(target, ast.Name) and self._wants(target.id):
            return ast.copy_location(_call(BOUND, value, ast.Constant(target.id)), value)
        if isinstance(target, ast.Attribute) and self._names is None:
            return ast.copy_location(_call(BOUND, value, ast.Constant(target.attr)), value)
        return value

    def _filled(self, statement: Loop | ast.Expr) -> Iterator[ast.stmt]:
        """Look at what a statement has filled. A half-filled y is no version of the data, so not in each round."""
        for name in sorted(_names_filled(statement) - _names_bound(statement)):
            if self._wants(name) and self._is_whole(name):
                yield _look(ast.Name(name, ast.Load()), name)

    def _wants(self, name: str) -> bool:
        return self._names is None or name in self._names

    def _is_whole(self, name: str) -> bool:
        return self._each_round is None or name in self._each_round

    def _opening(self, statement: ast.stmt) -> list[ast.stmt]:
        """What to insert at the start of a block whose head binds something."""
        if isinstance(statement, Function):
            arguments = statement.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            return [
                _at(statement, call)
                for argument in every
                for call in self._calls(ast.Name(argument.arg, ast.Store()))
            ]
        if isinstance(statement, ast.For | ast.AsyncFor):
            return [_at(statement, call) for call in self._calls(statement.target)]
        if isinstance(statement, ast.With | ast.AsyncWith):
            targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
            return [_at(statement, call) for target in targets for call in self._calls(target)]
        return []

    def _calls(self, target: ast.expr) -> Iterator[ast.stmt]:
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                yield from self._calls(element)
        elif isinstance(target, ast.Starred):
            yield from self._calls(target.value)
        elif isinstance(target, ast.Name):
            if self._wants(target.id):
                value = _call(BOUND, ast.Name(target.id, ast.Load()), ast.Constant(target.id))
                yield ast.Assign([ast.Name(target.id, ast.Store())], value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            # `y[i] = …` changes what y holds: look at y.
            if self._wants(target.value.id) and self._is_whole(target.value.id):
                yield _look(ast.Name(target.value.id, ast.Load()), target.value.id)
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and self._names is None:
            yield _look(ast.Attribute(target.value, target.attr, ast.Load()), target.attr)


class _Returns(ast.NodeTransformer):
    """Passes the values that one function returns through the hook; functions inside it are left alone."""

    def __init__(self, name: str) -> None:
        self._name = RETURNED.format(name=name)

    def of(self, function: ast.FunctionDef) -> None:
        function.body = [self.visit(statement) for statement in function.body]

    def visit_Return(self, node: ast.Return) -> ast.Return:
        if node.value is not None:
            node.value = ast.copy_location(_call(BOUND, node.value, ast.Constant(self._name)), node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return node


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


def _look(value: ast.expr, name: str) -> ast.stmt:
    """A call whose value is dropped: as an expression at the end of a cell it would be shown as the result.

    After a loop that made no round, the name may be missing.
    """
    missing = ast.ExceptHandler(ast.Name("NameError", ast.Load()), None, [ast.Pass()])
    return ast.Try([ast.Expr(_call(BOUND, value, ast.Constant(name)))], [missing], [], [])


def _at(place: ast.stmt, statement: ast.stmt) -> ast.stmt:
    for node in ast.walk(statement):
        ast.copy_location(node, place)
    return statement


def _has_docstring(statement: ast.stmt) -> bool:
    first = statement.body[0] if getattr(statement, "body", None) else None  # type: ignore[attr-defined]
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _names_bound(statement: ast.stmt) -> frozenset[str]:
    nodes = (node for node in _own_nodes(statement) if isinstance(node, ast.Name))
    return frozenset(node.id for node in nodes if isinstance(node.ctx, ast.Store))


def _names_filled(statement: ast.stmt) -> frozenset[str]:
    """The names of what is changed in place: `y[i] = …`, `y.append(…)`, `y.add_(…)`."""
    holders = (
        node.value
        for node in _own_nodes(statement)
        if (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Attribute) and (node.attr in GROWING or node.attr.endswith("_")))
    )
    return frozenset(holder.id for holder in holders if isinstance(holder, ast.Name))


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What is inside a node, without the functions defined there."""
    around = [node]
    while around:
        for child in ast.iter_child_nodes(around.pop()):
            if not isinstance(child, Function | ast.Lambda):
                yield child
                around.append(child)
