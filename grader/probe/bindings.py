"""Tells a hook of every binding: after each assignment target in any scope, and between statements.

An AST transformer for IPython. The learner's source and its line numbers stay as they are: each inserted
statement takes the location of the one it follows.

    y = 10 * x + 4 + noise        y = 10 * x + 4 + noise
                            →     y = __grader_bound__(y, 'y')

What the hook returns is bound in the place of the value, so that an immutable value can be exchanged.
"""

import ast
import builtins
from collections.abc import Callable, Iterator

BOUND = "__grader_bound__"
BETWEEN = "__grader_between__"
# The name under which the hook is told of what a function returned.
RETURNED = "{name}()"


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

    def visit_Module(self, node: ast.Module) -> ast.Module:  # noqa: N802 - ast's naming
        """Visit a cell: transform its statements, and put a call between each two of them."""
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
        """Transform the blocks inside a statement, and the walrus targets of its expressions."""
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

    def _block(self, block: list[ast.stmt]) -> list[ast.stmt]:
        return [done for statement in block for done in self._statement(statement)]

    def _after(self, statement: ast.stmt) -> list[ast.stmt]:
        """What to insert behind a statement that binds something."""
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AugAssign) or (isinstance(statement, ast.AnnAssign) and statement.value):
            targets = [statement.target]
        else:
            walrus = [node.target for node in _expressions(statement) if isinstance(node, ast.NamedExpr)]
            targets = list[ast.expr](walrus)
        return [_at(statement, call) for target in targets for call in self._calls(target)]

    def _opening(self, statement: ast.stmt) -> list[ast.stmt]:
        """What to insert at the start of a block whose head binds something."""
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = statement.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            return [
                _at(statement, call) for argument in every for call in self._calls(ast.Name(argument.arg, ast.Store()))
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
            if self._names is None or target.id in self._names:
                value = _call(BOUND, ast.Name(target.id, ast.Load()), ast.Constant(target.id))
                yield ast.Assign([ast.Name(target.id, ast.Store())], value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            # `y[i] = …` changes what y holds: look at y. A half-filled y is no version of the data.
            yield from self._in_place(target.value.id, ast.Name(target.value.id, ast.Load()))
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            yield from self._in_place(target.attr, ast.Attribute(target.value, target.attr, ast.Load()))

    def _in_place(self, name: str, value: ast.expr) -> Iterator[ast.stmt]:
        if self._names is None:
            yield ast.Expr(_call(BOUND, value, ast.Constant(name)))


class _Returns(ast.NodeTransformer):
    """Passes the values that one function returns through the hook; functions inside it are left alone."""

    def __init__(self, name: str) -> None:
        self._name = RETURNED.format(name=name)

    def of(self, function: ast.FunctionDef) -> None:
        function.body = [self.visit(statement) for statement in function.body]

    def visit_Return(self, node: ast.Return) -> ast.Return:  # noqa: N802 - ast's naming
        if node.value is not None:
            node.value = ast.copy_location(_call(BOUND, node.value, ast.Constant(self._name)), node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:  # noqa: N802 - ast's naming
        return node


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


def _at(place: ast.stmt, statement: ast.stmt) -> ast.stmt:
    for node in ast.walk(statement):
        ast.copy_location(node, place)
    return statement


def _has_docstring(statement: ast.stmt) -> bool:
    first = statement.body[0] if getattr(statement, "body", None) else None  # type: ignore[attr-defined]
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a simple statement; those of blocks inside it belong to their own statements."""
    if not hasattr(statement, "body"):
        yield from ast.walk(statement)
