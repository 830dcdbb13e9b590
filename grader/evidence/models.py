"""The models that tasks ask for, and whether a learner's function computes the same numbers."""

import ast
import math
from collections.abc import Iterable
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Function, called
from grader.evidence.formulas import value_of
from grader.evidence.lines import function_called

# The function that a task asks for, how many arguments it has, and what it returns, as text of these.
MODELS = {
    "backprop_per_sample": ("forward", 1, "w * {0}"),
    "backprop_quadratic": ("forward", 1, "w * {0} ** 2 + w2 * {0} + b"),
    "temperature": ("model", 3, "{1} * {0} + {2}"),
}
# Numbers without a simple relation, so that no wrong formula has the right values by chance.
POINTS = (0.7, -1.3, 2.9, 4.1)
PARAMETERS = {"w": 1.37, "w2": -0.61, "b": 2.23}


class Model(NamedTuple):
    """What the task's function returns, what it should, and whether these are different numbers."""

    name: str
    returned: ast.expr
    wanted: str
    differs: bool


def model_of(case: Case) -> Model | None:
    """The model that the task's function is; None where that cannot be told."""
    if case.exercise not in MODELS:
        return None
    name, count, formula = MODELS[case.exercise]
    function = function_called(case.code, name)
    if function is None:
        return None
    arguments = [one.arg for one in [*function.args.posonlyargs, *function.args.args]]
    if len(arguments) != count:
        return None
    wanted = formula.format(*arguments)
    tree = ast.parse(wanted, mode="eval").body
    returned = next((one for one in function.body if isinstance(one, ast.Return)), None)
    if returned is None or returned.value is None:
        return None
    differs = False
    for shift in range(len(POINTS)):
        given = {name: POINTS[(place + shift) % len(POINTS)] for place, name in enumerate(arguments)}
        right = value_of(tree, {**PARAMETERS, **given})
        seen = _returned(function, {**PARAMETERS, **given})
        if right is None or seen is None:
            return None
        differs = differs or not math.isclose(seen, right, rel_tol=1e-9)
    return Model(name, returned.value, wanted, differs)


def is_asked(case: Case, calls: Iterable[ast.Call]) -> bool:
    """Whether one of some calls is of the task's function, and that computes what the task asks for."""
    model = model_of(case)
    return model is not None and not model.differs and any(called(call) == model.name for call in calls)


def _returned(function: Function, values: dict[str, float]) -> float | None:
    """The number that a function of plain assignments returns; None of any other."""
    known = dict(values)
    for statement in function.body:
        if isinstance(statement, ast.Return):
            return None if statement.value is None else value_of(statement.value, known)
        if isinstance(statement, ast.Expr):
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if (
            not isinstance(statement, ast.Assign)
            or len(statement.targets) != 1
            or not isinstance(target, ast.Name)
        ):
            return None
        value = value_of(statement.value, known)
        if value is None:
            return None
        known[target.id] = value
    return None
