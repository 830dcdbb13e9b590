"""The trainings of a right solution, as its source has them: what there is to plant a mistake in, or to write in another way."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.clearings import clearings
from grader.evidence.code import Function, Loop, called, names_in, targets_of
from grader.evidence.forward import forward_of, residuals
from grader.evidence.scopes import in_no_grad, scope
from grader.evidence.updates import Update, own_updates


class Trained(NamedTuple):
    """A leaf that the source makes: its name, the statement that makes it, and the call that does."""

    name: str
    statement: ast.stmt
    call: ast.Call


class Training(NamedTuple):
    """A place that asks for gradients, and what the same loop or function does with them.

    call, statement: the backward call. loop: the innermost one around it. clears: by whose gradients they clear.
    steps: the statements that let an optimizer step.
    """

    case: Case
    call: ast.Call
    statement: ast.stmt
    loop: Loop | None
    updates: tuple[Update, ...]
    clears: dict[str, tuple[ast.stmt, ...]]
    steps: tuple[ast.stmt, ...]

    @property
    def root(self) -> ast.expr:
        """What backward is called on."""
        assert isinstance(self.call.func, ast.Attribute)
        return self.call.func.value

    @property
    def block(self) -> list[ast.stmt]:
        """The statements among which backward stands."""
        return self.case.code.block(self.statement)

    @property
    def names(self) -> list[str]:
        """The parameters that it updates by hand."""
        return list(dict.fromkeys(update.owner for update in self.updates))

    @property
    def clearing(self) -> list[ast.stmt]:
        """The statements that clear gradients, each once, in order."""
        found = {id(one): one for each in self.clears.values() for one in each}
        return sorted(found.values(), key=lambda one: one.lineno)

    @property
    def whole(self) -> ast.stmt:
        """The outermost loop around the call, in the same function; without any, its statement."""
        outermost = self.statement
        while (loop := self.case.code.loop(outermost)) is not None:
            outermost = loop
        return outermost

    def lifted(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        """The statements of backward's own block that hold some others (`with torch.no_grad():` around updates)."""
        inner = list(statements)
        return [
            one
            for one in self.block
            if one is not self.statement and any(part in inner for part in ast.walk(one))
        ]


def trainings(case: Case) -> Iterator[Training]:
    """Every place of the source that calls backward as a statement, in order."""
    code = case.code
    for call in code.calls("backward"):
        statement = code.parent(call)
        if not isinstance(statement, ast.Expr) or not isinstance(call.func, ast.Attribute) or call.args:
            continue
        place = scope(case, call)
        clears = {
            owner: inside
            for owner, each in clearings(case).items()
            if (inside := tuple(one for one in each if scope(case, one) is place))
        }
        yield Training(
            case, call, statement, code.loop(call),
            tuple(one for one in own_updates(case) if scope(case, one.statement) is place),
            clears,
            tuple(
                code.statement(step)
                for step in code.calls("step")
                if scope(case, step) is place and isinstance(code.parent(step), ast.Expr)
            ),
        )  # fmt: skip


def leaves(case: Case) -> list[Trained]:
    """The leaves that the source makes with `requires_grad=True`, where they are given a name."""
    found = []
    for call in case.code.all(ast.Call):
        if any(keyword.arg == "requires_grad" for keyword in call.keywords):
            name = _name_given(case, call)
            if name:
                found.append(Trained(name, case.code.statement(call), call))
    return found


def _name_given(case: Case, call: ast.Call) -> str:
    parent = case.code.parent(call)
    if isinstance(parent, ast.keyword):
        return parent.arg or ""
    statement = case.code.statement(call)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if parent is statement:
            return ast.unparse(target)
        if (
            isinstance(parent, ast.Tuple)
            and isinstance(target, ast.Tuple)
            and len(parent.elts) == len(target.elts)
        ):
            return ast.unparse(target.elts[parent.elts.index(call)])
    return ""


def errors_taken(case: Case) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Where a prediction meets a target: the difference or the loss's call, the prediction, the target."""
    forward = forward_of(case)
    for whole, left, right in residuals(forward):
        if isinstance(left, ast.Constant) or isinstance(right, ast.Constant):
            continue
        if forward.tracked(left) != forward.tracked(right):
            yield (whole, left, right) if forward.tracked(left) else (whole, right, left)


def squares(case: Case) -> Iterator[ast.BinOp]:
    """The squared errors of the forward pass: `(prediction − target) ** 2`."""
    forward = forward_of(case)
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        difference = isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Sub)
        if isinstance(node.op, ast.Pow) and difference and forward.tracked(node.left):
            yield node


def reductions(case: Case) -> Iterator[ast.Call]:
    """The calls of `.mean()` and `.sum()` in the forward pass, on what depends on parameters."""
    forward = forward_of(case)
    for node in forward.inside(ast.Call):
        assert isinstance(node, ast.Call)
        of = node.func.value if isinstance(node.func, ast.Attribute) and not node.args else None
        if of is not None and called(node) in ("mean", "sum") and forward.tracked(of):
            yield node


def products(case: Case) -> Iterator[tuple[ast.BinOp, ast.Name, ast.expr]]:
    """The products of a parameter and data in the forward pass: the product, the parameter, the other factor."""
    forward = forward_of(case)
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        if not isinstance(node.op, ast.Mult | ast.MatMult):
            continue
        for one, other in ((node.left, node.right), (node.right, node.left)):
            is_data = not forward.tracked(other) and any(case.code.inside(other, ast.Name))
            if isinstance(one, ast.Name) and forward.tracked(one) and is_data:
                yield node, one, other


def offsets(case: Case) -> Iterator[ast.BinOp]:
    """Where a parameter is added to what depends on others: `w * x + b`."""
    forward = forward_of(case)
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        plus = isinstance(node.op, ast.Add) and isinstance(node.right, ast.Name)
        if plus and forward.tracked(node.left) and forward.tracked(node.right):
            yield node


def inputs(case: Case) -> list[str]:
    """The names of data that the model multiplies parameters with, or is called with."""
    forward = forward_of(case)
    data = [other for _, _, other in products(case)]
    for call in case.code.all(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in forward.parameters:
            data += [argument for argument in call.args if not forward.tracked(argument)]
    return list(dict.fromkeys(one.id for one in data if isinstance(one, ast.Name)))


def training_statements(case: Case) -> Iterator[ast.stmt]:
    """The statements outside of functions that train: outermost loops, and calls of functions with such loops."""
    code = case.code
    inside = {function.name for one in trainings(case) if (function := code.function(one.call))}
    for tree in code.cells.values():
        for statement in tree.body:
            if isinstance(statement, Function | ast.ClassDef):
                continue
            own = any(one.whole is statement and one.loop is not None for one in trainings(case))
            if own or any(code.calls(*inside, inside=statement)):
                yield statement


def root_value(training: Training) -> ast.expr:
    """The expression that backward's root is: what its name was given last before, or itself."""
    root = training.root
    if isinstance(root, ast.Name):
        for statement in reversed(training.block[: training.block.index(training.statement)]):
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == root.id:
                return statement.value
    return root


def made_at_top(case: Case, names: Iterable[str]) -> list[ast.stmt]:
    """The assignments outside of functions and loops that give some names their values, in order."""
    wanted = set(names)
    return [
        statement
        for tree in case.code.cells.values()
        for statement in tree.body
        if wanted & {ast.unparse(target) for target in targets_of(statement)}
    ]


def guards(training: Training) -> list[ast.With]:
    """The `with torch.no_grad():` blocks around its updates."""
    found = []
    for update in training.updates:
        guard = training.case.code.around(update.statement, ast.With)
        if guard is not None and in_no_grad(training.case, update.statement) and guard not in found:
            found.append(guard)
    return found


class ByHand(NamedTuple):
    """A function that derives by hand what backward finds elsewhere: its return; the loss, in its arguments' names.

    parameters: those of its arguments that the loss is differentiated by.
    """

    function: Function
    returned: ast.Return
    loss: str
    parameters: list[str]


def by_hand(case: Case) -> Iterator[ByHand]:
    """The functions that derive the gradient of a loss without autograd, told by arguments that the loss is made of."""
    code, forward = case.code, forward_of(case)
    defined = {function.name for function in code.all(ast.FunctionDef)}
    computing = {called(call) for part in forward.parts for call in code.inside(part, ast.Call)}
    for training in trainings(case):
        value = root_value(training)
        read = names_in(value) - defined
        for function in code.all(ast.FunctionDef):
            arguments = [one.arg for one in function.args.args]
            last = function.body[-1]
            if (
                not read
                or not read <= set(arguments)
                or function.name in computing
                or any(code.calls("backward", "grad", inside=function))
                or not isinstance(last, ast.Return)
            ):
                continue
            parameters = [name for name in arguments if name in read & forward.parameters]
            yield ByHand(function, last, code.text(value), parameters)
