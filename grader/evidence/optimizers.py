"""The optimizers of a submission: where they are made, what they are called, where they step."""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.code import last_name

KINDS = {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS", "Adadelta", "NAdam", "Adamax", "ASGD"}


def optimizer_calls(case: Case) -> list[ast.Call]:
    """The calls in the source that make optimizers: those that were seen to, and those of known classes."""
    kinds = KINDS | {event.optimizer.kind for event in case.optimizers if event.optimizer is not None}
    return [call for call in case.code.all(ast.Call) if last_name(call.func) in kinds]


def optimizer_names(case: Case) -> set[str]:
    """The names that optimizers are bound to."""
    names = set()
    for call in optimizer_calls(case):
        statement = case.code.statement(call)
        if isinstance(statement, ast.Assign):
            names |= {ast.unparse(target) for target in statement.targets}
    return names


def is_step(node: ast.AST, optimizers: set[str]) -> bool:
    """Whether a statement is `optimizer.step(…)` of one of some names."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "step"
        and (ast.unparse(node.value.func.value) in optimizers)
    )


def step_owners(case: Case, numbers: set[int]) -> Iterator[tuple[ast.Call, str]]:
    """The calls of `.step()` of optimizers that hold some tensors (by number), with the optimizer as written there."""
    seen: set[tuple[int, int]] = set()
    for event in case.steps:
        if event.optimizer is None or not numbers & set(event.optimizer.tensors):
            continue
        statement = case.code.at(event.cell, event.line)
        if statement is None or (event.cell, event.line) in seen:
            continue
        seen.add((event.cell, event.line))
        for call in case.code.calls("step", inside=statement):
            if isinstance(call.func, ast.Attribute):
                yield call, ast.unparse(call.func.value)
