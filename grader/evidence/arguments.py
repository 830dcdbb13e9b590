"""What a call hands to one parameter of a function: by name or by place, also out of a dict or a tuple that it takes apart."""

import ast

from grader.evidence.code import Code, called
from grader.evidence.lines import settings_of


def argument_of(code: Code, call: ast.Call, name: str, place: int) -> ast.expr | None:
    """The expression that a parameter gets, where that can be read; the last one that its dict or tuple is given."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
        if keyword.arg is None and (found := _item(_made(code, keyword.value), name)) is not None:
            return found
    flat: list[ast.expr | None] = []
    for argument in call.args:
        if not isinstance(argument, ast.Starred):
            flat.append(argument)
        elif isinstance(items := _made(code, argument.value), ast.Tuple | ast.List):
            flat += items.elts
        else:
            return None  # how many there are is not known
    return flat[place] if len(flat) > place else None


def _made(code: Code, node: ast.expr) -> ast.expr:
    """What a name was last given outside of functions; anything else as it is."""
    given = settings_of(code, node.id) if isinstance(node, ast.Name) else []
    value = getattr(given[-1], "value", None) if given else None
    return value if isinstance(value, ast.expr) else node


def _item(table: ast.expr, key: str) -> ast.expr | None:
    """What `{"key": value}` or `dict(key=value)` says of a key."""
    if isinstance(table, ast.Dict):
        pairs = zip(table.keys, table.values, strict=True)
        return next(
            (value for one, value in pairs if isinstance(one, ast.Constant) and one.value == key), None
        )
    if isinstance(table, ast.Call) and called(table) == "dict":
        return next((one.value for one in table.keywords if one.arg == key), None)
    return None
