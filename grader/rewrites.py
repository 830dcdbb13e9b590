"""Equivalent ways to write a training: each must keep full marks, and no mistake may be named in it.

A rewrite is a function of a right solution's case that gives edits, as a plant is; its name, with dashes, is what
`grader selftest` calls it.
"""

import ast
from collections.abc import Callable, Iterator

from grader.evidence.case import Case
from grader.evidence.edits import Edit
from grader.evidence.forward import forward_of
from grader.evidence.knobs import factors_of
from grader.evidence.lines import at_end
from grader.evidence.planting import behind, moved, read_instead, taken_away, unwrapped
from grader.evidence.trainings import Training, guards, trainings

Rewrite = Callable[[Case], Iterator[list[Edit]]]


def cleared_at_the_other_end(case: Case) -> Iterator[list[Edit]]:
    """Clear in front of backward where that is done behind the updates, and the other way round."""
    for training in trainings(case):
        changing = training.lifted([*(one.statement for one in training.updates), *training.steps])
        clearing = training.lifted(training.clearing)
        if training.loop is None or not changing or not clearing:
            continue
        block = training.block
        if block.index(clearing[0]) < block.index(training.statement):
            yield moved(case, clearing, after=changing[-1])
        else:
            lines = [f"if {name}.grad is not None:\n    {name}.grad.zero_()" for name in training.names]
            split = [line for text in lines for line in text.split("\n")]
            yield [*taken_away(case, clearing), case.code.insert_before(training.statement, *split)]


def cleared_by_none(case: Case) -> Iterator[list[Edit]]:
    """`w.grad = None` in place of `w.grad.zero_()`."""
    for training in trainings(case):
        yield [
            case.code.replace(one, f"{owner}.grad = None")
            for owner, each in training.clears.items()
            for one in each
            if isinstance(one, ast.Expr) and ".grad." in ast.unparse(one)
        ]


def data_in_place_of_no_grad(case: Case) -> Iterator[list[Edit]]:
    """`w.data -= …` in place of `with torch.no_grad(): w -= …`."""
    for training in trainings(case):
        yield [
            *(edit for guard in guards(training) for edit in unwrapped(case, guard)),
            *(
                case.code.replace(one.target, f"{one.owner}.data")
                for one in training.updates
                if guards(training)
            ),
        ]


def no_grad_in_place_of_data(case: Case) -> Iterator[list[Edit]]:
    """`with torch.no_grad(): w -= …` in place of `w.data -= …`."""
    for training in trainings(case):
        for one in training.updates:
            if isinstance(one.statement, ast.AugAssign) and ast.unparse(one.target) == f"{one.owner}.data":
                text = case.code.text(one.statement).replace(".data", "")
                yield [
                    case.code.replace(
                        one.statement, f"with torch.no_grad():\n{case.code.indent(one.statement)}    {text}"
                    )
                ]


def gradients_by_grad(case: Case) -> Iterator[list[Edit]]:
    """`torch.autograd.grad` in place of backward, so that nothing has to be cleared."""
    for training in trainings(case):
        if training.loop is None or not training.names or training.steps:
            continue
        held = {name: f"d_{name}" for name in training.names}
        asked = f"{', '.join(held.values())}{',' if len(held) == 1 else ''} = torch.autograd.grad({case.code.text(training.root)}, [{', '.join(held)}])"
        yield [
            case.code.replace(training.statement, asked),
            *taken_away(case, training.lifted(training.clearing)),
            *read_instead(training, held),
        ]


def optimizer_in_place_of_updates(case: Case) -> Iterator[list[Edit]]:
    """`torch.optim.SGD` in place of updates by hand."""
    for training in trainings(case):
        rate = _rate(training)
        if training.loop is None or rate is None:
            continue
        made = f"optimizer = torch.optim.SGD([{', '.join(training.names)}], lr={rate})"
        changing = training.lifted(one.statement for one in training.updates)
        clearing = [one for one in training.lifted(training.clearing) if one not in changing]
        yield [
            case.code.insert_before(training.whole, made),
            *_replaced(case, changing, ["optimizer.step()"]),
            *_replaced(case, clearing, ["optimizer.zero_grad()"]),
        ]


def one_tensor_in_place_of_several(case: Case) -> Iterator[list[Edit]]:
    """A tensor that holds all parameters, given back to their names when the training is over."""
    forward = forward_of(case)
    for training in trainings(case):
        names, rate = training.names, _rate(training)
        sizes = [None if (held := at_end(case, name)) is None else held.size for name in names]
        if training.loop is None or len(names) < 2 or rate is None or set(sizes) != {1}:  # noqa: PLR2004 - several
            continue
        parts = {name: f"theta[{index}:{index + 1}]" for index, name in enumerate(names)}
        changing = training.lifted(one.statement for one in training.updates)
        used = {
            node: None
            for part in forward.parts
            for node in case.code.inside(part, ast.Name)
            if node.id in parts
        }
        yield [
            case.code.insert_before(
                training.whole, f"theta = torch.cat([{', '.join(names)}]).detach().requires_grad_()"
            ),
            *(case.code.replace(node, parts[node.id]) for node in used),
            *_replaced(case, changing, ["with torch.no_grad():", f"    theta -= {rate} * theta.grad"]),
            *_replaced(case, training.lifted(training.clearing), ["theta.grad.zero_()"]),
            behind(case, training.whole, *(f"{name}.data = {part}.detach()" for name, part in parts.items())),
        ]


def all_rewrites() -> dict[str, Rewrite]:
    """Every rewrite, by its name."""
    found = (
        cleared_at_the_other_end,
        cleared_by_none,
        data_in_place_of_no_grad,
        no_grad_in_place_of_data,
        gradients_by_grad,
        optimizer_in_place_of_updates,
        one_tensor_in_place_of_several,
    )
    return {rewrite.__name__.replace("_", "-"): rewrite for rewrite in found}


def _rate(training: Training) -> str | None:
    """What all its updates multiply the gradient by, if that is one and the same, and each is a plain `w -= rate * w.grad`."""
    texts = set()
    for one in training.updates:
        plain = isinstance(one.statement, ast.AugAssign) and isinstance(one.statement.op, ast.Sub)
        factors = list(factors_of(one.statement.value, {})) if plain else []  # type: ignore[attr-defined]
        texts.add(training.case.code.text(factors[0]) if len(factors) == 1 else "")
    return texts.pop() if len(texts) == 1 and "" not in texts else None


def _replaced(case: Case, statements: list[ast.stmt], lines: list[str]) -> list[Edit]:
    """Put lines in the place of the first of some statements, and take the others away."""
    if not statements:
        return []
    first, *others = statements
    text = f"\n{case.code.indent(first)}".join(lines)
    return [case.code.replace(first, text), *taken_away(case, others)]
