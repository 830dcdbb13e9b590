"""Edits within expressions that may lie inside each other: what is taken away around a part, not the whole replaced."""

import ast

from grader.evidence.code import Code
from grader.evidence.edits import Edit

_LOOSE = ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.Compare | ast.IfExp | ast.Lambda


def keep_only(code: Code, whole: ast.expr, part: ast.expr) -> list[Edit]:
    """Leave of an expression one part of it, in brackets where it needs them; where they stood, they stay."""
    cell = code.cell_of(whole)
    (start, end), (first, last) = code.span(whole), code.span(part)
    open_, close = brackets(code, whole, part)
    return [Edit(cell, start, first, open_), Edit(cell, last, end, close)]


def brackets(code: Code, whole: ast.expr, part: ast.expr) -> tuple[str, str]:
    """The brackets that a part needs in the place of the whole."""
    parent = code.parent(whole)
    tight = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Subscript | ast.Starred)
    return ("(", ")") if tight and isinstance(part, _LOOSE) else ("", "")


def drop_suffix(code: Code, call: ast.expr, receiver: ast.expr) -> Edit:
    """Take `.detach()` and the like from the end of what it is called on, whose brackets stay."""
    cell = code.cell_of(call)
    (_, end), (_, last) = code.span(call), code.span(receiver)
    text = code.text(call)
    within = code.text(receiver)
    opened = text[: text.find(within)].count("(")
    line = code.line(cell, last[0])
    column = last[1]
    while opened and column < len(line) and line[column] in " )":
        opened -= line[column] == ")"
        column += 1
    return Edit(cell, (last[0], column), end, "")


def atom(code: Code, node: ast.expr) -> str:
    """An expression's text, in brackets where a `.` or `**` after it would bind to its last part alone."""
    text = code.text(node)
    return f"({text})" if isinstance(node, _LOOSE) else text


def rename_call(code: Code, call: ast.Call, name: str) -> Edit:
    """Give a call's function another last name."""
    cell = code.cell_of(call)
    _, end = code.span(call.func)
    old = call.func.attr if isinstance(call.func, ast.Attribute) else code.text(call.func)
    return Edit(cell, (end[0], end[1] - len(old)), end, name)


def drop_keyword(code: Code, call: ast.Call, keyword: ast.keyword) -> Edit:
    """Take a keyword away from a call, with the comma in front of it or behind it."""
    cell = code.cell_of(call)
    start, end = code.span(keyword)
    parts: list[ast.AST] = sorted([*call.args, *call.keywords], key=code.span)
    index = parts.index(keyword)
    if index:
        return Edit(cell, code.span(parts[index - 1])[1], end, "")
    return Edit(cell, start, code.span(parts[1])[0] if len(parts) > 1 else end, "")
