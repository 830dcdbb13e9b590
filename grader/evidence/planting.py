"""How mistakes are planted: the edits that spoil a right solution in a small way.

A plant is the reverse of a repair: it turns a right source into one with a single known mistake, for `grader selftest`.
What there is to spoil is in `grader.evidence.trainings`.
"""

import ast
from collections.abc import Iterable

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.rewrite import atom
from grader.evidence.trainings import Training

LOSS_NAMES = ("loss", "cost", "value")


def taken_away(case: Case, statements: Iterable[ast.stmt]) -> list[Edit]:
    """Delete statements; `pass` stays where a block would lose all of its own."""
    gone = list(dict.fromkeys(statements))
    edits = []
    for one in gone:
        block = case.code.block(one)
        emptied = all(other in gone for other in block) and not isinstance(case.code.parent(one), ast.Module)
        edits.append(case.code.replace(one, "pass") if emptied else case.code.delete(one))
    return edits


def lines_of(case: Case, statements: Iterable[ast.stmt]) -> list[str]:
    """The lines of whole statements, as deep as a block at the margin."""
    found: list[str] = []
    for one in statements:
        own = case.code.indent(one)
        found += [line.removeprefix(own) for line in case.code.text(one).split("\n")]
    return found


def moved(
    case: Case, statements: list[ast.stmt], *, before: ast.stmt | None = None, after: ast.stmt | None = None
) -> list[Edit]:
    """Take whole statements away and put them before or behind another one, as deep as that stands."""
    if not statements:
        return []
    lines = lines_of(case, statements)
    gone = taken_away(case, statements)
    if before is not None:
        return [*gone, case.code.insert_before(before, *lines)]
    assert after is not None
    return [*gone, behind(case, after, *lines)]


def behind(case: Case, statement: ast.stmt, *lines: str) -> Edit:
    """Put lines behind a statement, as deep as it stands, whose own last lines may be taken away."""
    code = case.code
    cell, end = code.cell_of(statement), code.span(statement)[1][0]
    if end > code.sources[cell].count("\n"):
        return code.insert_after(statement, *lines)
    text = "".join(f"{code.indent(statement)}{line}\n" for line in lines)
    return Edit(cell, (end + 1, 0), (end + 1, 0), text)


def unwrapped(case: Case, block: ast.With, head: str = "") -> list[Edit]:
    """Take the head of a `with` away and its lines out of it; `head` may stand in its place, as a statement."""
    code = case.code
    cell, outer = code.cell_of(block), code.indent(block)
    start, (first, column) = code.span(block)[0], code.span(block.body[0])[0]
    deeper = column - len(outer)
    edits = [Edit(cell, start, (first, column), f"{head}\n{outer}" if head else "")]
    for line in range(first + 1, code.span(block.body[-1])[1][0] + 1):
        if code.line(cell, line).strip():
            edits.append(Edit(cell, (line, 0), (line, deeper), ""))
    return edits


def read_instead(training: Training, held: dict[str, str]) -> list[Edit]:
    """In the updates, read something else in the place of the gradients of some parameters."""
    code = training.case.code
    return [
        code.replace(node, held[ast.unparse(node.value)])
        for one in training.updates
        for node in code.inside(one.statement, ast.Attribute)
        if node.attr == "grad" and ast.unparse(node.value) in held
    ]


def suffixed(case: Case, node: ast.expr, suffix: str) -> Edit:
    """Call a method on an expression, or read an attribute of it: `.detach()`."""
    return case.code.replace(node, f"{atom(case.code, node)}{suffix}")


def named_root(training: Training) -> tuple[str, list[str]]:
    """The name of what backward is called on; and the lines that give it one, where it has none."""
    code = training.case.code
    if isinstance(training.root, ast.Name):
        return training.root.id, []
    taken = {node.id for node in code.all(ast.Name)} | {node.name for node in code.all(ast.FunctionDef)}
    name = next(one for one in (*LOSS_NAMES, "loss_") if one not in taken)
    return name, [f"{name} = {code.text(training.root)}"]
