"""What a value is called on its way through the source: what it is assigned to, kept under, or handed over as."""

import ast
from collections.abc import Container, Iterable, Iterator

from grader.evidence.code import Code, Function, last_name, targets_of

# What a value can stand in and be given a name with.
HOLDING = ast.Tuple | ast.List | ast.Set | ast.IfExp | ast.Starred


def names_given(code: Code, values: Iterable[ast.expr]) -> set[str]:
    """The names, attributes and keys under which the source may find some values, wherever it hands them on."""
    waiting, names = list(values), set[str]()
    while waiting:
        new = set(_given(code, waiting.pop())) - names - {""}
        names |= new
        waiting += [
            node
            for node in code.all(ast.Name, ast.Attribute)
            if isinstance(node, ast.expr) and last_name(node) in new and is_read(node)
        ]
    return names


def uncalled(code: Code, names: Container[str]) -> Iterator[ast.expr]:
    """Where the source names a function or class, by its last name, and does not call it there."""
    for node in code.all(ast.expr):
        outer = code.parent(node)
        if last_name(node) in names and not (isinstance(outer, ast.Call) and outer.func is node):
            yield node


def spoken(node: ast.expr) -> str:
    """The last name of an expression, or the key it is found under: `criterion` of `self.criterion`, `kit["criterion"]`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return last_name(node)


def is_read(node: ast.expr) -> bool:
    """Whether a name or attribute is read, not written to."""
    return isinstance(getattr(node, "ctx", None), ast.Load)


def _given(code: Code, value: ast.AST) -> Iterator[str]:
    """The names that a value is given right where it stands."""
    outer = code.parent(value)
    while isinstance(outer, HOLDING | ast.Dict | ast.NamedExpr):
        if isinstance(outer, ast.Dict):
            keys = zip(outer.keys, outer.values, strict=True)
            yield from (
                str(key.value) for key, held in keys if held is value and isinstance(key, ast.Constant)
            )
        elif isinstance(outer, ast.NamedExpr):
            yield last_name(outer.target)
        value, outer = outer, code.parent(outer)
    if isinstance(outer, ast.Assign | ast.AnnAssign) and outer.value is value:
        targets = targets_of(outer)
        yield from map(last_name, targets)
    elif isinstance(outer, ast.For | ast.comprehension) and outer.iter is value:
        yield from _names_in(outer.target)
    elif isinstance(outer, ast.keyword):
        yield outer.arg or ""
    elif isinstance(outer, ast.arguments):
        yield from _with_default(outer, value)
    elif isinstance(outer, ast.Call) and value in outer.args:
        yield from _parameter(code, outer, outer.args.index(value))
        yield from _item(code, outer, outer.args.index(value))


def _names_in(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _item(code: Code, call: ast.Call, place: int) -> Iterator[str]:
    """What a loop calls the items of what `zip`, `enumerate` or `list` goes over."""
    loop, name = code.parent(call), last_name(call.func)
    if not isinstance(loop, ast.For | ast.comprehension) or loop.iter is not call:
        return
    shift = {"zip": 0, "enumerate": 1}.get(name)
    if shift is None:
        yield from _names_in(loop.target) if name in ("list", "tuple", "reversed", "iter") else ()
    elif isinstance(loop.target, ast.Tuple) and place + shift < len(loop.target.elts):
        yield from _names_in(loop.target.elts[place + shift])


def _with_default(given: ast.arguments, value: ast.AST) -> Iterator[str]:
    named = [*given.posonlyargs, *given.args]
    defaults = [*zip(named[len(named) - len(given.defaults) :], given.defaults, strict=True)]
    yield from (one.arg for one, default in defaults if default is value)
    only = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    yield from (one.arg for one, default in only if default is value)


def _parameter(code: Code, call: ast.Call, place: int) -> Iterator[str]:
    """What the function or class of the source that is called calls its argument at a place."""
    name = last_name(call.func)
    for function in code.all(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(function, Function)
        owner = code.parent(function)
        made = isinstance(owner, ast.ClassDef) and function.name == "__init__" and owner.name == name
        if not made and function.name != name:
            continue
        named = [one.arg for one in [*function.args.posonlyargs, *function.args.args]]
        named = named[1:] if isinstance(owner, ast.ClassDef) and named[:1] in (["self"], ["cls"]) else named
        if place < len(named):
            yield named[place]
        elif function.args.vararg is not None:
            yield function.args.vararg.arg
    for owner in code.all(ast.ClassDef):
        fields = [one for one in owner.body if isinstance(one, ast.AnnAssign)]  # of a dataclass
        if owner.name == name and place < len(fields):
            yield last_name(fields[place].target)
