"""What modules keep, and which of them are trained: `self.b = …` in a class, `model` of `SGD(model.parameters())`."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case, numbers_of
from grader.evidence.code import last_name
from grader.evidence.creation import makes_leaf
from grader.evidence.motion import main_place, motions
from grader.evidence.optimizers import optimizer_calls
from grader.values import Array

# So many tensors of an optimizer are recorded.
MAX_TENSORS = 16


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


class Held(NamedTuple):
    """Layers or parameters that a module keeps in an ordinary list or dict, which `parameters()` does not look into.

    given: the optimizer that was given `parameters()`. container: the class of torch that would be looked into.
    """

    given: ast.Call
    made: ast.Assign
    container: str


def held_in_list(case: Case) -> Held | None:
    """The first of them, where the run shows trained leaves that no optimizer has, and that stood still."""
    given = [call for call in optimizer_calls(case) if any(case.code.calls("parameters", inside=call))]
    if not given or not _left_out(case):
        return None
    for statement in case.code.all(ast.Assign):
        target = statement.targets[0]
        kind = _container(statement.value)
        if (
            kind
            and isinstance(target, ast.Attribute)
            and ast.unparse(target.value) == "self"
            and is_module(case.code.around(statement, ast.ClassDef))
        ):
            return Held(given[0], statement, kind)
    return None


def _left_out(case: Case) -> bool:
    """Whether parameters without a name got gradients, never moved, and were given to no optimizer."""
    taken = {number for made in case.optimizers if made.optimizer for number in made.optimizer.tensors}
    events = main_place(case)
    seen: dict[int, list[Array | None]] = {}
    for event in events:
        for one in event.tensors[: event.leaves]:
            if one.parameter and not one.names and one.number not in taken:
                filled = numbers_of(event.after.get(one.number))
                if filled is not None and filled.any():
                    seen.setdefault(one.number, []).append(one.value)
    return len(taken) < MAX_TENSORS and any(
        len(values) > 1 and all(value == values[0] for value in values) for values in seen.values()
    )


def _container(value: ast.expr) -> str:
    """The class of torch for a list or dict of layers or parameters; '' of anything else."""
    if isinstance(value, ast.List | ast.ListComp):
        kind, items = "List", value.elts if isinstance(value, ast.List) else [value.elt]
    elif isinstance(value, ast.Dict | ast.DictComp):
        kind, items = "Dict", value.values if isinstance(value, ast.Dict) else [value.value]
    else:
        return ""
    if not items or not all(isinstance(item, ast.Call) for item in items):
        return ""
    parameters = all(last_name(item.func) == "Parameter" for item in items if isinstance(item, ast.Call))
    return f"torch.nn.{'Parameter' if parameters else 'Module'}{kind}"
