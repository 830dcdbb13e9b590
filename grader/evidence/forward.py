"""The forward pass in the source: what a loss is computed from, and which of it depends on parameters."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from grader.evidence.case import Case
from grader.evidence.code import Function, called, names_in
from grader.evidence.creation import MAKERS
from grader.evidence.reach import kept_names, leaf_names, made_anew

_MAKERS = ("Parameter", "Variable", "requires_grad_")
_LIBRARIES = {"torch", "np", "numpy", "nn", "F", "math", "plt", "optim"}
_LIMIT = 2000


class Forward:
    """The expressions that losses are computed from, and the parameters among their names."""

    def __init__(self, case: Case) -> None:
        self.code = case.code
        self._functions: dict[str, list[Function]] = defaultdict(list)
        for function in self.code.all(ast.FunctionDef, ast.AsyncFunctionDef):
            assert isinstance(function, Function)
            self._functions[function.name].append(function)
        self._values: dict[tuple[ast.AST | None, str], list[ast.expr]] = defaultdict(list)
        self._define()
        self._sites: dict[str, list[ast.Call]] = defaultdict(list)
        for call in self.code.all(ast.Call):
            self._sites[called(call)].append(call)
        self.roots = list(_roots(case))
        self.root_names = {root.id for root in self.roots if isinstance(root, ast.Name)}
        self.parameters = self._parameters(case)
        self._known: dict[ast.AST, bool] = {}
        self.parts = self._slice()

    def inside(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """The nodes of some kinds in the forward pass, in the order of the source."""
        found = {node: None for part in self.parts for node in self.code.inside(part, *kinds)}
        yield from sorted(found, key=lambda node: (self.code.cell_of(node), self.code.span(node)))

    def values(self, name: ast.Name) -> list[ast.expr]:
        """What a name is assigned, where it is defined nearest."""
        scope: ast.AST | None = self.code.function(name)
        while True:
            if (scope, name.id) in self._values:
                return self._values[scope, name.id]
            if scope is None or name.id in _arguments(scope):
                return []
            scope = self.code.function(scope)

    def tracked(self, node: ast.expr) -> bool:
        """Whether an expression depends on a parameter."""
        if node not in self._known:
            self._known[node] = False
            try:
                self._known[node] = any(
                    self._name_tracked(inner) if isinstance(inner, ast.Name) else self._call_tracked(inner)
                    for inner in self.code.inside(node, ast.Name, ast.Call)
                )
            except RecursionError:
                self._known[node] = False
        return self._known[node]

    def is_loss_like(self, node: ast.expr) -> bool:
        """Whether an expression holds a square or a loss function, its names followed one step."""
        if _squares(node):
            return True
        return any(
            _squares(value)
            for name in self.code.inside(node, ast.Name)
            for value in self.values(name)
            if self.tracked(value)
        )

    def parameters_only(self, node: ast.expr, depth: int = 3) -> bool:
        """Whether an expression reads parameters and numbers, and no data."""
        for name in self.code.inside(node, ast.Name):
            if name.id in self.parameters or name.id in _LIBRARIES | {"sum", "abs", "p"}:
                continue
            values = self.values(name)
            if not values or depth == 0 or any(_makes_data(value) for value in values):
                return False
            if not all(self.parameters_only(value, depth - 1) for value in values):
                return False
        return True

    def reached(self, name: ast.Name) -> bool:
        """Whether a name is read in the forward pass."""
        return any(isinstance(one, ast.Name) and one.id == name.id for one in self.inside(ast.Name))

    # ---- building -----------------------------------------------------------------------------

    def _define(self) -> None:
        for node in self.code.all(
            ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.NamedExpr, ast.comprehension
        ):
            scope = self.code.function(node)
            value = node.iter if isinstance(node, ast.For | ast.comprehension) else node.value  # type: ignore[attr-defined]
            if value is None:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]  # type: ignore[attr-defined]
            for target in targets:
                self._bind(scope, target, value)

    def _bind(self, scope: ast.AST | None, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._values[scope, target.id].append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                for one, its in zip(target.elts, value.elts, strict=True):
                    self._bind(scope, one, its)
            else:
                for one in target.elts:
                    self._bind(scope, one.value if isinstance(one, ast.Starred) else one, value)

    def _parameters(self, case: Case) -> set[str]:
        found = leaf_names(case)
        modules = {node.name for node in self.code.all(ast.ClassDef) if node.bases}
        for (_, name), values in self._values.items():
            if any(_makes_parameter(value, modules) for value in values):
                found.add(name)
        copies = self._copied() if made_anew(case) else set()
        return found - self.root_names - {"self", "", *(self._derived() - kept_names(case)), *copies}

    def _derived(self) -> set[str]:
        """Names that are given something computed from themselves or a loss, as in `loss = torch.tensor(loss, …)`."""
        return {
            name
            for (_, name), values in self._values.items()
            if any(name in names_in(value) and "tensor" in _calls(value) for value in values)
        }

    def _copied(self) -> set[str]:
        """Names that loops or functions give a tensor made of other names' numbers."""
        return {
            name
            for (_, name), values in self._values.items()
            for value in values
            if (self.code.loop(value) or self.code.function(value))
            and any(
                names_in(argument) - _LIBRARIES - {name}
                for call in self.code.inside(value, ast.Call)
                if called(call) in MAKERS
                for argument in call.args
            )
        }

    def _slice(self) -> list[ast.expr]:
        seen: dict[ast.expr, None] = {}
        waiting = list(reversed(self.roots))
        while waiting and len(seen) < _LIMIT:
            part = waiting.pop()
            if part in seen:
                continue
            seen[part] = None
            for node in self.code.inside(part, ast.Name, ast.Call):
                if isinstance(node, ast.Name) and node.id not in self.parameters:
                    waiting += [value for value in self.values(node) if value not in seen]
                elif isinstance(node, ast.Call):
                    waiting += [value for value in self.returned(node) if value not in seen]
        return list(seen)

    def returned(self, call: ast.Call) -> list[ast.expr]:
        """What the learner's functions that a call may mean return."""
        name = called(call)
        functions = self._functions.get("forward" if name in self.parameters else name, [])
        return [
            node.value
            for function in functions
            for node in self.code.inside(function, ast.Return)
            if node.value is not None
        ]

    def _name_tracked(self, name: ast.Name) -> bool:
        if name.id in self.parameters or name.id == "self":
            return True
        values = self.values(name)
        if any(self.tracked(value) for value in values):
            return True
        if values and not any(name.id in names_in(value) for value in values):
            return False  # what it was handed is never read
        function = self.code.function(name)
        if function is None or name.id not in _arguments(function):
            return False
        return self._argument_tracked(function, name.id)

    def _argument_tracked(self, function: Function, name: str) -> bool:
        names = _arguments(function)
        index = names.index(name) - (names[0] == "self")
        sites = list(self._sites[function.name])
        for call in sites:
            given = [keyword.value for keyword in call.keywords if keyword.arg == name]
            if any(isinstance(one, ast.Starred) for one in call.args[: index + 1]):
                given += [one for one in call.args if isinstance(one, ast.Starred)]
            elif 0 <= index < len(call.args):
                given.append(call.args[index])
            if any(self.tracked(one) for one in given):
                return True
        return False

    def _call_tracked(self, call: ast.AST) -> bool:
        assert isinstance(call, ast.Call)
        return any(self.tracked(value) for value in self.returned(call))


@lru_cache(maxsize=4)
def forward_of(case: Case) -> Forward:
    """The forward pass of a case, read once."""
    return Forward(case)


def _roots(case: Case) -> Iterator[ast.expr]:
    for node in case.code.all(ast.Attribute):
        if node.attr in ("backward", "backwards", "backword") and not (
            isinstance(node.value, ast.Name) and node.value.id in ("torch", "autograd")
        ):
            if isinstance(node.value, ast.Attribute) and node.value.attr == "autograd":
                continue
            yield node.value
    for call in case.code.calls("grad", "backward"):
        if call.args and (
            not isinstance(call.func, ast.Attribute)
            or ast.unparse(call.func.value) in ("torch.autograd", "autograd")
        ):
            yield call.args[0]


def _arguments(function: ast.AST) -> list[str]:
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    of = function.args
    return [one.arg for one in (*of.posonlyargs, *of.args, *of.kwonlyargs)]


def _calls(node: ast.expr) -> set[str]:
    return {called(inner) for inner in ast.walk(node) if isinstance(inner, ast.Call)}


def _makes_parameter(value: ast.expr, modules: set[str]) -> bool:
    for node in ast.walk(value):
        if isinstance(node, ast.keyword) and node.arg == "requires_grad":
            return True
        if isinstance(node, ast.Call) and called(node) in (*_MAKERS, "Linear", "Sequential"):
            return True
    return isinstance(value, ast.Call) and called(value) in modules


def _makes_data(value: ast.expr) -> bool:
    """Whether an expression makes a tensor of its own, `torch.arange(100)`; not of one number, `torch.tensor(0.1)`."""
    made = (node for node in ast.walk(value) if isinstance(node, ast.Call) and called(node) in MAKERS)
    return any(
        called(call) != "tensor" or any(not isinstance(one, ast.Constant) for one in call.args)
        for call in made
    )


def _squares(node: ast.expr) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow):
            return True
        if isinstance(inner, ast.Call) and called(inner) in (
            "square", "pow", "mse_loss", "MSELoss", "criterion", "loss_fn", "loss", "mse", "norm",
        ):  # fmt: skip
            return True
    return False


def residuals(forward: Forward) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Where a prediction meets its target: the expression (a difference, or a loss's call), the two that meet."""
    for node in forward.inside(ast.BinOp, ast.Call):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            yield node, node.left, node.right
        elif isinstance(node, ast.Call) and len(node.args) >= 2:  # noqa: PLR2004 - a prediction and a target
            name = called(node).lower()
            if any(word in name for word in ("loss", "criterion", "mse", "subtract")) or name == "sub":
                yield node, node.args[0], node.args[1]


def is_product(forward: Forward, node: ast.BinOp) -> bool:
    """A parameter times data."""
    sides = node.left, node.right
    return any(
        is_parameter(forward, one) and not forward.tracked(other) and not isinstance(other, ast.Constant)
        for one, other in (sides, sides[::-1])
    )


def is_parameter(forward: Forward, node: ast.expr) -> bool:
    """The name of a parameter."""
    return isinstance(node, ast.Name) and node.id in forward.parameters
