"""Where the source reads gradients, by whatever names it gives them, and of which tensors they are."""

import ast
from collections.abc import Iterator

from grader.evidence.code import Code, called


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


def plain_name(node: ast.expr) -> str:
    """A tensor as it is written, without `.data` and `.detach()`; '' of anything but names, attributes and items."""
    node = bare(node)
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""


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
            elif is_autograd(value):
                found += [(element, value) for element in target.elts]
        else:
            found.append((target, statement.value))
    return found


def gradient_of(node: ast.AST) -> str | None:
    """The tensor whose gradient a node reads, for `w.grad` and `w.grad.data`."""
    if isinstance(node, ast.Attribute) and node.attr == "grad":
        name = plain_name(node.value)
        return name if name and name not in ("torch.autograd", "autograd", "torch.func") else None
    return None


def gradients_in(node: ast.AST, known: dict[str, set[str]] | None = None) -> set[str]:
    """The tensors whose `.grad` is read inside a node, as written; `known` tells of names that hold gradients."""
    found: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute) and inner.attr == "grad" and isinstance(inner.ctx, ast.Load):
            found.add(ast.unparse(bare(inner.value)))
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and known:
            found |= known.get(inner.id, set())
    return found - {"torch.autograd", "autograd"}


def reads_gradient(node: ast.AST, named: dict[str, str | None]) -> bool:
    """Whether an expression reads `.grad`, or a name that was given to a gradient."""
    return any(
        _gives_gradient(inner) or (isinstance(inner, ast.Name) and inner.id in named)
        for inner in ast.walk(node)
    )


def is_autograd(value: ast.expr) -> bool:
    """Whether an expression is `torch.autograd.grad(…)`."""
    return isinstance(value, ast.Call) and called(value) == "grad"


def grad_inputs(value: ast.expr) -> list[str] | None:
    """The tensors that `torch.autograd.grad(loss, [w, b])` is asked for, as they are written."""
    if isinstance(value, ast.Call) and called(value) == "grad":
        keyword = next((keyword.value for keyword in value.keywords if keyword.arg == "inputs"), None)
        wanted = value.args[1] if len(value.args) > 1 else keyword
        if isinstance(wanted, ast.Tuple | ast.List):
            return [plain_name(one) for one in wanted.elts]
        if wanted is not None and plain_name(wanted):
            return [plain_name(wanted)]
    return None


# ---- names given to gradients --------------------------------------------------------------------


def gradient_names(code: Code) -> dict[str, str | None]:
    """The names given to gradients anywhere, with the tensor each is the gradient of (None: of several, or not known)."""
    found: dict[str, str | None] = {}
    for statement in code.all(ast.Assign):
        value = statement.value
        if not any(_gives_gradient(node) for node in ast.walk(value)):
            continue
        owner = next((one for node in ast.walk(value) if (one := gradient_of(node))), None)
        for target in statement.targets:
            if isinstance(target, ast.Name):
                wanted = grad_inputs(value)
                one = wanted[0] if wanted is not None and len(wanted) == 1 else owner
                found[target.id] = one if found.get(target.id, one) == one else None
            elif isinstance(target, ast.Tuple | ast.List):
                for name, of in _unpacked(target, value):
                    found[name] = of if found.get(name, of) == of else None
    return found


def _unpacked(target: ast.Tuple | ast.List, value: ast.expr) -> Iterator[tuple[str, str | None]]:
    wanted = grad_inputs(value)
    for index, part in enumerate(target.elts):
        if isinstance(part, ast.Name):
            if wanted is not None and len(wanted) == len(target.elts):
                yield part.id, wanted[index]
            elif isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                yield (
                    part.id,
                    next((one for n in ast.walk(value.elts[index]) if (one := gradient_of(n))), None),
                )
            else:
                yield part.id, None


def carriers(code: Code, root: ast.AST) -> dict[str, set[str]]:
    """The names inside a loop or function that hold gradients or what is computed from them, and whose."""
    known: dict[str, set[str]] = {}
    for node in code.inside(root, ast.Assign, ast.For, ast.comprehension):
        if isinstance(node, ast.For | ast.comprehension):
            for name, owners in _side_by_side(node, known):
                known[name] = known.get(name, set()) | owners
        if not isinstance(node, ast.Assign):
            continue
        if is_autograd(node.value):
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
            if gradients_in(given, known) or is_autograd(given):
                yield name, set(names) - {name}


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


def _gives_gradient(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "grad") or (
        isinstance(node, ast.Call) and called(node) == "grad"
    )
