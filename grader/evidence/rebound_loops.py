"""Where loops and comprehensions give away the names of parameters, and how that is mended."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import called, last_name, names_in, targets_of
from grader.evidence.creation import makes_leaf
from grader.evidence.edits import Edit
from grader.evidence.gradients import gradients_in
from grader.evidence.leaves import lost, stays_leaf, was_leaf
from grader.evidence.scopes import repeats

FRESH = ("step", "i", "k", "epoch", "index", "number")


class Rebinding(NamedTuple):
    """A statement that gives away a parameter's name. edits: what would mend it; none where nothing simple would.

    clearing: edits in their place that clear the gradients as well; none where a line after it can do that.
    """

    node: ast.stmt
    name: str
    sureness: float
    edits: tuple[Edit, ...]
    clearing: tuple[Edit, ...] = ()


class _Items(NamedTuple):
    """A list that is made item by item: what of, under which names, over what."""

    made: ast.expr
    named: ast.expr | ast.arguments
    over: ast.expr


def rebound_lists(case: Case) -> Iterator[Rebinding]:
    """`params = [p - lr * p.grad for p in params]`, of lists and of dicts; also by `map`."""
    backward = any(case.code.calls("backward"))
    for statement in case.code.all(ast.Assign):
        target, items = ast.unparse(statement.targets[0]), _items(statement.value)
        if items is None or makes_leaf(statement.value) or not repeats(case, statement):
            continue
        name, how = _stepped_in(items), lost(case, f"{target}[0]")
        if not name or (
            name not in gradients_in(items.made) and how != "gradient" and not (how and backward)
        ):
            continue
        if stays_leaf(case, f"{target}[0]") or _leaves_later(case, statement, target):
            continue
        if not (_takes_over(case, statement, items.over) or was_leaf(case, f"{target}[0]")):
            continue
        edits: list[Edit] = []
        line = case.code.line(case.code.cell_of(statement), statement.lineno).strip()
        if line == case.code.text(statement):
            head = f"for {ast.unparse(items.named)} in {case.code.text(items.over)}:"
            text = f"{head} {name}.data = {case.code.text(items.made)}"
            edits = [case.code.replace(statement, text + ending) for ending in ("", f"; {name}.grad = None")]
        yield Rebinding(statement, target, 0.93, tuple(edits[:1]), tuple(edits[1:]))


def _takes_over(case: Case, statement: ast.Assign, over: ast.expr) -> bool:
    """Whether the new list gets the name of the one it is made of, at once or by a later `params = stepped`; else both are there."""
    old, new = texts(over), {ast.unparse(target) for target in targets_of(statement)}
    if old & new:
        return True
    return any(
        ast.unparse(later.value) in new and any(ast.unparse(target) in old for target in targets_of(later))
        for one in case.code.block(statement)
        for later in case.code.inside(one, ast.Assign)
    )


def _items(value: ast.expr) -> _Items | None:
    if isinstance(value, ast.Call) and called(value) in ("list", "tuple", "dict") and len(value.args) == 1:
        value = value.args[0]
    if isinstance(value, ast.Call) and called(value) == "map" and len(value.args) == 2:  # noqa: PLR2004 - one list
        step, over = value.args
        return _Items(step.body, step.args, over) if isinstance(step, ast.Lambda) else None
    if not isinstance(value, ast.ListComp | ast.GeneratorExp | ast.DictComp) or len(value.generators) != 1:
        return None
    (generator,) = value.generators
    made = value.value if isinstance(value, ast.DictComp) else value.elt
    return None if generator.ifs else _Items(made, generator.target, generator.iter)


def _stepped_in(items: _Items) -> str:
    """The name that stands for an item and is stepped; '' if there is none."""
    if not isinstance(items.made, ast.BinOp | ast.Call):
        return ""
    own = {ast.unparse(node) for node in ast.walk(items.named) if isinstance(node, ast.Name | ast.arg)}
    below = {
        id(node)
        for gradient in ast.walk(items.made)
        if isinstance(gradient, ast.Attribute) and gradient.attr == "grad"
        for node in ast.walk(gradient)
    }
    read = [node.id for node in ast.walk(items.made) if isinstance(node, ast.Name) and id(node) not in below]
    return next((name for name in read if name in own), "")


def _leaves_later(case: Case, statement: ast.stmt, target: str) -> bool:
    """Whether the same block goes on to make leaves of what a list holds: `for p in params: p.requires_grad_()`."""
    return any(
        requires_again(case, node) and iterates(case, node, target)
        for one in case.code.block(statement)
        for node in case.code.inside(one, ast.Attribute)
    )


def loop_variables(case: Case) -> Iterator[Rebinding]:
    """`for b in range(1000):`, where b is a parameter."""
    made = {
        ast.unparse(target)
        for statement in case.code.all(ast.Assign)
        if makes_leaf(statement.value)
        for target in targets_of(statement)
    }
    for loop in case.code.all(ast.For) if made else ():
        for target in targets_of(loop):
            if not isinstance(target, ast.Name) or target.id not in made or made & names_in(loop.iter):
                continue
            uses = [
                node
                for node in case.code.inside(loop, ast.Name)
                if node.id == target.id and node is not target
            ]
            if loop in case.training_loops and uses and not last_name(loop.iter).startswith("param"):
                raised = any(target.id in event.plain for event in case.events_in(loop, "error", "backward"))
                edits = tuple(_renamed(case, loop, target, uses))
                yield Rebinding(loop, target.id, 0.9 if raised else 0.75, edits)


def _renamed(case: Case, loop: ast.For, target: ast.Name, uses: list[ast.Name]) -> Iterator[Edit]:
    taken = {node.id for node in case.code.all(ast.Name)}
    fresh = next((name for name in FRESH if name not in taken), f"{target.id}_")
    yield case.code.replace(target, fresh)
    for use in uses:
        if case.code.around(use, ast.Subscript) is not None and case.code.parent(use) is not loop:
            yield case.code.replace(use, fresh)


def requires_again(case: Case, node: ast.Attribute) -> bool:
    """Whether this is `….requires_grad_()` or `….requires_grad = True`."""
    parent = case.code.parent(node)
    if node.attr == "requires_grad_" and isinstance(parent, ast.Call):
        given = parent.args[0] if parent.args else None
    elif node.attr == "requires_grad" and isinstance(node.ctx, ast.Store) and isinstance(parent, ast.Assign):
        given = parent.value
    else:
        return False
    return not (isinstance(given, ast.Constant) and given.value is False)


def iterates(case: Case, node: ast.AST, owner: str) -> bool:
    """Whether a node stands in a loop over what has a name in it."""
    loop = case.code.loop(node)
    return isinstance(loop, ast.For) and owner in texts(loop.iter)


def texts(node: ast.AST) -> set[str]:
    """The names and attributes inside a node, as written."""
    return {ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, ast.Name | ast.Attribute)}
