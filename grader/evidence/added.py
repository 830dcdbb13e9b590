"""Where the run added a gradient, or what it was multiplied into, whatever the source calls that; and how to take it away."""

import ast
import re

from grader.evidence.case import Case
from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.updates import Step, flipped
from grader.trace import Act

# `add`, `add_`, `__iadd__`, `_foreach_add_`.
ADDS = re.compile(r"(.*\.)?_*(foreach_)?i?add_*")
# What makes a gradient smaller or larger, or another form of it, and leaves it one.
SCALES = re.compile(
    r"(.*\.)?_*(foreach_)?(r?mul|r?(true)?div|neg|data|__get__|detach|clone|view|reshape|to|stack|cat)_*"
)


def adding(case: Case) -> ast.stmt | None:
    """The first statement after a gradient call that adds a gradient to something."""
    gradients, known = set[int](), set[int]()
    asked = False
    for act in case.acts:
        asked = asked or act.name.endswith("grad")
        fresh = set(act.inputs) - known if asked else set[int]()  # what `torch.autograd.grad` gave
        if act.name == "Tensor.grad.__get__" and act.output is not None:
            gradients.add(act.output)
        elif (gradients | fresh) & set(act.inputs[1:]) and ADDS.fullmatch(act.name) and not _turned(act):
            return case.code.at(act.cell, act.line)
        elif (gradients | fresh) & set(act.inputs) and act.output is not None and SCALES.fullmatch(act.name):
            gradients.add(act.output)
        known |= {*act.inputs, *([] if act.output is None else [act.output])}
    return None


def _turned(act: Act) -> bool:
    return any(number < 0 for number in act.constants)


def subtracting(case: Case, statement: ast.stmt) -> list[Edit]:
    """The same statement with a minus for each plus, by whatever name."""
    edits: list[Edit | None] = []
    for node in case.code.inside(statement, ast.Call, ast.BinOp, ast.AugAssign):
        if isinstance(node, ast.Call) and ADDS.fullmatch(called(node)):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else called(node)
            (line, end) = case.code.span(node.func)[1]
            text = name.replace("add", "sub")
            edits.append(Edit(case.code.cell_of(node), (line, end - len(name)), (line, end), text))
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Add):
            change = node.right if isinstance(node, ast.BinOp) else node.value
            edits.append(flipped(case.code, Step(1, change, node)))
    return [edit for edit in edits if edit is not None]
