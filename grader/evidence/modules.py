"""What modules keep, and which of them are trained: `self.b = …` in a class, `model` of `SGD(model.parameters())`."""

import ast
from collections.abc import Iterator

from grader.evidence.case import Case
from grader.evidence.creation import makes_leaf
from grader.evidence.motion import main_place, motions
from grader.evidence.optimizers import optimizer_calls


def is_module(one: ast.ClassDef | None) -> bool:
    """Whether a class is derived from torch's Module."""
    return one is not None and any(ast.unparse(base).endswith("Module") for base in one.bases)


def trained_modules(case: Case) -> Iterator[str]:
    """The modules whose parameters optimizers were given, as they are written there."""
    for call in optimizer_calls(case):
        for given in case.code.calls("parameters", inside=call):
            if isinstance(given.func, ast.Attribute):
                yield ast.unparse(given.func.value)


def unregistered(case: Case) -> tuple[ast.Call, ast.Assign] | None:
    """A tensor that a module keeps without making a Parameter of it, which `parameters()` of the optimizer leaves out.

    Only where the run shows one leaf more than optimizers were given, which stood still while others moved.
    """
    given = [call for call in optimizer_calls(case) if any(case.code.calls("parameters", inside=call))]
    moved = motions(case, main_place(case))
    if not given or not any(motion.frozen for motion in moved.values()):
        return None
    if all(motion.frozen for motion in moved.values()):
        return None
    for statement in case.code.all(ast.Assign):
        target = statement.targets[0]
        if (
            isinstance(target, ast.Attribute)
            and ast.unparse(target.value) == "self"
            and makes_leaf(statement.value)
            and "requires_grad=False" not in ast.unparse(statement.value)
            and not any(case.code.calls("Parameter", inside=statement))
            and is_module(case.code.around(statement, ast.ClassDef))
        ):
            return given[0], statement
    return None
