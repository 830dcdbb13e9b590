"""Results of steps that go to a name of their own, while the parameter stays what it was."""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.gradients import gradient_names, gradients_in, plain_name, reads_gradient


def stepped_into_others(case: Case) -> Iterator[tuple[ast.Assign | ast.AugAssign, str]]:
    """`new_w = w - lr * w.grad`, where new_w is used for nothing after."""
    named = gradient_names(case.code)
    for loop in case.training_loops:
        for statement in case.code.inside(loop, ast.Assign):
            value, target = statement.value, statement.targets[0]
            if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Sub):
                continue
            old = plain_name(value.left)
            if (
                old
                and isinstance(target, ast.Name)
                and target.id != old
                and reads_gradient(value.right, named)
            ):
                yield statement, old
        yield from _stepped_numbers(case, loop)


def _stepped_numbers(case: Case, loop: ast.AST) -> Iterator[tuple[ast.AugAssign, str]]:
    """`number -= lr * w.grad.item()`, where the number is no tensor, and w another name."""
    numbers = {name for event in case.gradient_events for name in event.plain}
    for statement in case.code.inside(loop, ast.AugAssign):
        owners = gradients_in(statement.value)
        target = statement.target
        number = isinstance(target, ast.Name) and target.id in numbers - owners
        if isinstance(statement.op, ast.Sub) and number and len(owners) == 1:
            yield statement, owners.pop()


def written_back(case: Case) -> list[Edit]:
    """Write such results into the tensors, where nothing else does."""
    edits: dict[ast.stmt, Edit] = {}
    for statement, name in stepped_into_others(case):
        if isinstance(statement, ast.AugAssign):
            line = f"{name}.data.fill_({ast.unparse(statement.target)})"
            edits[statement] = case.code.insert_after(statement, line)
        elif not _given_on(case, target := statement.targets[0]):
            edits[statement] = case.code.insert_after(statement, f"{name}.data = {ast.unparse(target)}.data")
    return list(edits.values())


def _given_on(case: Case, target: ast.expr) -> bool:
    name = ast.unparse(target)
    return any(
        isinstance(one.value, ast.Name) and one.value.id == name and one.targets[0] is not target
        for one in case.code.all(ast.Assign)
    )
