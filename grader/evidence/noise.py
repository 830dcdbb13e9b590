"""Random numbers that each step draws anew and that its loss is made of, as the operations of the run show it."""

from grader.evidence.case import Case
from grader.trace import Act

# What makes random numbers, in torch, numpy and Python.
NOISE = (
    "randn", "normal", "standard_normal", "rand", "randn_like", "rand_like", "normal_", "gauss", "uniform",
)  # fmt: skip
# What data are made of noise with. Comparing and sorting are not among them: these choose samples of data that stay.
ARITHMETIC = {
    "add", "sub", "rsub", "mul", "div", "true_divide", "neg", "pow", "square", "matmul", "multiply", "subtract",
    "reshape", "view", "unsqueeze", "squeeze", "flatten", "to", "float", "double", "T", "t", "stack", "cat", "clone",
}  # fmt: skip


def drawn_each_step(case: Case, least: int) -> tuple[int, int] | None:
    """Where noise was drawn that went into the losses of at least so many steps, as (cell, line)."""
    leaves = {tensor.number for event in case.gradient_events for tensor in event.tensors[: event.leaves]}
    steps: dict[tuple[int, int], set[int]] = {}
    drawn: dict[int, Act] = {}  # by number, what is made of a drawing; of the same step
    for act in case.acts:
        name = _plain(act.name)
        if name in NOISE and act.output is not None and act.output not in leaves:
            drawn[act.output] = act
        came = next((drawn[number] for number in act.inputs if number in drawn), None)
        if came is None or came.order != act.order or not act.recorded:
            continue
        if act.tracked:
            steps.setdefault((came.cell, came.line), set()).add(act.order)
        elif act.output is not None and name in ARITHMETIC:
            drawn[act.output] = came
    return next((place for place, orders in steps.items() if len(orders) >= least), None)


def _plain(name: str) -> str:
    """The last name of an operation, without the marks of Python's operators and of changes in place."""
    return name.rpartition(".")[2].strip("_") if not name.endswith("__get__") else name.split(".")[-2]
