"""Where a submission reads gradients, changes parameters by them, and clears them: what the source says of a step."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Function, called, last_name
from grader.trace import Event

# Methods that change a tensor in place, as an update does.
IN_PLACE = ("sub_", "add_", "copy_", "mul_", "addcmul_", "addcdiv_", "set_")
LEAF_MAKERS = ("requires_grad_", "Variable", "Parameter")
CLEARS = ("zero_", "fill_", "zero_grad")


class Update(NamedTuple):
    """A statement that gives a tensor new numbers by its gradient. owner: the tensor, as it is written there (`w`, `self.w`).

    target: what is written to. rebinds: whether it gives the name to another object (`w = …`), not new numbers to the tensor.
    """

    statement: ast.stmt
    owner: str
    target: ast.expr
    rebinds: bool

    @property
    def rebinds_name(self) -> bool:
        """Whether a plain assignment does so."""
        return self.rebinds or isinstance(self.statement, ast.Assign | ast.AnnAssign)


def bare(node: ast.expr) -> ast.expr:
    """`w` of `w`, `w.data`, `w.data[:]`, `w.detach()`."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr == "data":
            node = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) == "detach":
            node = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice | ast.Constant):
            if isinstance(node.slice, ast.Constant) and node.slice.value is not Ellipsis:
                return node
            node = node.value
        else:
            return node


def gradients_in(node: ast.AST, known: dict[str, set[str]] | None = None) -> set[str]:
    """The tensors whose `.grad` is read inside a node, as written; `known` tells of names that hold gradients."""
    found: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and inner.attr == "grad" and isinstance(inner.ctx, ast.Load):
            found.add(ast.unparse(bare(inner.value)))
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and known:
            found |= known.get(inner.id, set())
    return found - {"torch.autograd", "autograd"}


def pairs(statement: ast.stmt) -> list[tuple[ast.expr, ast.expr]]:
    """What a statement assigns to what; `w, b = p, q` taken apart."""
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return [(statement.target, statement.value)]
    if not isinstance(statement, ast.Assign):
        return []
    found: list[tuple[ast.expr, ast.expr]] = []
    for target in statement.targets:
        if isinstance(target, ast.Tuple | ast.List):
            value = statement.value
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                found += zip(target.elts, value.elts, strict=True)
            elif _is_autograd(value):
                found += [(element, value) for element in target.elts]
        else:
            found.append((target, statement.value))
    return found


def carriers(case: Case, root: ast.AST) -> dict[str, set[str]]:
    """The names inside a loop or function that hold gradients or what is computed from them, and whose."""
    known: dict[str, set[str]] = {}
    for node in case.code.inside(root, ast.Assign, ast.For, ast.comprehension):
        if not isinstance(node, ast.Assign):
            for name, owners in _side_by_side(node, known):
                known[name] = known.get(name, set()) | owners
            continue
        if _is_autograd(node.value):
            known |= _from_autograd(node)
            continue
        for target, value in pairs(node):
            owners = gradients_in(value, known)
            if isinstance(target, ast.Name) and owners and target.id not in owners:
                known[target.id] = known.get(target.id, set()) | owners
    return known


def _side_by_side(
    loop: ast.For | ast.comprehension, known: dict[str, set[str]]
) -> Iterator[tuple[str, set[str]]]:
    """The gradients in `for p, g in zip(params, grads)`, with what stands beside them there."""
    if not isinstance(loop.target, ast.Tuple) or not isinstance(loop.iter, ast.Call):
        return
    if called(loop.iter) == "zip" and len(loop.iter.args) == len(loop.target.elts):
        names = [ast.unparse(one) for one in loop.target.elts]
        for name, given in zip(names, loop.iter.args, strict=True):
            if gradients_in(given, known) or _is_autograd(given):
                yield name, set(names) - {name}


def _item_names(case: Case, statement: ast.stmt) -> dict[str, str]:
    """What loops around a statement call the items of a list or dict: `p` is `params[i]` in `for i, p in enumerate(params)`."""
    found: dict[str, str] = {}
    loop = case.code.loop(statement)
    while loop is not None:
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Tuple) and isinstance(loop.iter, ast.Call):
            held = loop.iter.args[0] if called(loop.iter) == "enumerate" and loop.iter.args else None
            if called(loop.iter) == "items" and isinstance(loop.iter.func, ast.Attribute):
                held = loop.iter.func.value
            if held is not None:
                index, item = (ast.unparse(one) for one in loop.target.elts[:2])
                found[item] = f"{ast.unparse(held)}[{index}]"
        loop = case.code.loop(loop)
    return found


def updates(case: Case) -> Iterator[Update]:
    """All statements that change a tensor, or give away its name, by its gradient; in the order of the source."""
    roots: dict[ast.AST, dict[str, set[str]]] = {}
    for statement in case.code.all(ast.stmt):
        if not isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            continue
        root = scope(case, statement)
        if root not in roots:
            roots[root] = carriers(case, root)
        items = {name: {item} for name, item in _item_names(case, statement).items()}
        yield from _updates_of(statement, roots[root], items)


def scope(case: Case, node: ast.AST) -> ast.AST:
    """The innermost function around a node; outside of any the outermost loop, or its statement."""
    function = case.code.function(node)
    if function is not None:
        return function
    outermost: ast.AST = case.code.statement(node)
    while (loop := case.code.loop(outermost)) is not None:
        outermost = loop
    return outermost


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


def statement_of(case: Case, event: Event) -> ast.stmt | None:
    """The statement that an event happened in."""
    return case.code.at(event.cell, event.line)


def step_owners(case: Case, numbers: set[int]) -> Iterator[tuple[ast.Call, str]]:
    """The calls of `.step()` of optimizers that hold some tensors (by number), with the optimizer as written there."""
    seen: set[tuple[int, int]] = set()
    for event in case.steps:
        if event.optimizer is None or not numbers & set(event.optimizer.tensors):
            continue
        statement = statement_of(case, event)
        if statement is None or (event.cell, event.line) in seen:
            continue
        seen.add((event.cell, event.line))
        for call in case.code.calls("step", inside=statement):
            if isinstance(call.func, ast.Attribute):
                yield call, ast.unparse(call.func.value)


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


def makes_leaf(value: ast.AST) -> bool:
    """Whether an expression ends in a fresh leaf: `….requires_grad_()`, `torch.tensor(…, requires_grad=True)`."""
    return any(
        (isinstance(node, ast.Call) and called(node) in LEAF_MAKERS)
        or (isinstance(node, ast.keyword) and node.arg == "requires_grad")
        for node in ast.walk(value)
    )  # fmt: skip


def argument_names(function: Function) -> set[str]:
    """The names of a function's arguments."""
    given = function.args
    return {one.arg for one in [*given.posonlyargs, *given.args, *given.kwonlyargs]}


def declares(case: Case, function: Function, name: str) -> bool:
    """Whether a function says `global` or `nonlocal` of a name."""
    declared: list[ast.Global | ast.Nonlocal] = [*case.code.inside(function, ast.Global)]
    declared += case.code.inside(function, ast.Nonlocal)
    return any(name in one.names for one in declared)


def _updates_of(
    statement: ast.stmt, known: dict[str, set[str]], items: dict[str, set[str]]
) -> Iterator[Update]:
    if isinstance(statement, ast.AugAssign):
        owner = ast.unparse(bare(statement.target))
        if owner in gradients_in(statement.value, known):
            yield Update(statement, owner, statement.target, rebinds=False)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        if isinstance(function, ast.Attribute) and function.attr in IN_PLACE:
            owner = ast.unparse(bare(function.value))
            if owner in gradients_in(statement.value, known):
                yield Update(statement, owner, function.value, rebinds=False)
    else:
        for target, value in pairs(statement):
            owner = ast.unparse(bare(target))
            owners = gradients_in(value, known)
            owners |= {item for one in owners for item in items.get(one, ())}
            if owner in owners:
                yield Update(statement, owner, target, rebinds=bare(target) is target)


def _is_autograd(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and called(value) == "grad"


def _from_autograd(statement: ast.Assign) -> dict[str, set[str]]:
    """The names that `gw, gb = torch.autograd.grad(loss, [w, b])` gives to gradients."""
    call, target = statement.value, statement.targets[0]
    if not isinstance(call, ast.Call) or len(call.args) <= 1:
        return {}
    asked = call.args[1]
    owners = [ast.unparse(one) for one in asked.elts] if isinstance(asked, ast.Tuple | ast.List) else []
    if isinstance(target, ast.Tuple | ast.List):
        return {
            name.id: {owner}
            for name, owner in zip(target.elts, owners, strict=False)
            if isinstance(name, ast.Name)
        }
    if isinstance(target, ast.Name):
        return {target.id: set(owners) or {ast.unparse(asked)}}
    return {}


def _is_nothing(value: ast.expr) -> bool:
    return (isinstance(value, ast.Constant) and not value.value) or (
        isinstance(value, ast.Call) and called(value) in ("zeros", "zeros_like")
    )
