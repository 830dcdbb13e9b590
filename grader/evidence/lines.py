"""A line that was fitted: its data and its end as the run left them, and a training loop in the learner's names."""

import ast
from collections.abc import Iterator, Sequence

import numpy as np

from grader.arrays import Numbers, numbers
from grader.evidence.case import Case, numbers_of
from grader.evidence.code import Code, Function, Loop, called, last_name, names_in, targets_of
from grader.evidence.edits import Edit
from grader.exchange import Pair, data_pairs

LOSSES = ("loss", "mse", "cost", "l", "error", "J", "L", "criterion_loss", "train_loss", "loss_value", "err")
RATES = ("lr", "learning_rate", "rate", "alpha", "eta", "step_size", "lrate")
# Numbers of a submission that makes its steps by hand.
USUAL_RATE, USUAL_STEPS = "0.1", "3000"
CONVERSIONS = (
    "tensor",
    "as_tensor",
    "from_numpy",
    "array",
    "asarray",
    "float",
    "FloatTensor",
    "Variable",
    "item",
)


def own_data(case: Case) -> Pair | None:
    """The last x and y that stood beside each other."""
    try:
        pairs = data_pairs(case.run.trace.versions, "x", "y")
    except (ValueError, TypeError, ArithmeticError):
        return None
    usable = [pair for pair in pairs if pair.x.size > 2 and float(np.ptp(pair.x)) > 0]  # noqa: PLR2004
    return usable[-1] if usable else None


def least_squares(pair: Pair) -> tuple[float, float, float]:
    """Slope, intercept and the size of the scatter around the line."""
    with np.errstate(all="ignore"):
        centred = pair.x - pair.x.mean()
        slope = float((centred * (pair.y - pair.y.mean())).sum() / (centred**2).sum())
        intercept = float(pair.y.mean()) - slope * float(pair.x.mean())
        return slope, intercept, float(np.std(pair.y - slope * pair.x - intercept))


def at_end(case: Case, name: str) -> Numbers | None:
    """The numbers that a name held when the last cell had ended."""
    if case.end is None:
        return None
    if name in case.end.plain:
        return np.array([case.end.plain[name]])
    found = next((tensor for tensor in case.end.tensors if name in tensor.names), None)
    if found is not None:
        return numbers_of(found.value)
    last = next((one for one in reversed(case.run.trace.versions) if one.name == name), None)
    value = case.run.values.get(name, None if last is None else last.array)
    held = None if value is None else numbers(value)
    return None if held is None else held.reshape(-1)


def number_at_end(case: Case, name: str) -> float | None:
    """The one number that a name held at the end; None if there was none, or several."""
    found = at_end(case, name)
    return float(found[0]) if found is not None and found.size == 1 else None


# ---- source -------------------------------------------------------------------------------------


def settings_of(code: Code, name: str, *, anywhere: bool = False) -> list[ast.stmt]:
    """The statements that give a name its value, outside of functions (or anywhere), in order."""
    found = [
        statement
        for statement in code.all(ast.Assign, ast.AnnAssign, ast.AugAssign)
        if anywhere
        or code.around(statement, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef) is None
    ]
    return [one for one in found if any(isinstance(t, ast.Name) and t.id == name for t in targets_of(one))]


def made_from(code: Code, *names: str) -> list[ast.stmt]:
    """The statements outside of functions and loops that some names come from, directly or through others."""
    by_name: dict[str, list[ast.stmt]] = {}
    for statement in code.all(ast.Assign, ast.AnnAssign, ast.AugAssign):
        if code.around(statement, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef) is None:
            for target in targets_of(statement):
                if isinstance(target, ast.Name):
                    by_name.setdefault(target.id, []).append(statement)
    waiting, seen, found = list(names), set(names), []
    while waiting:
        for statement in by_name.get(waiting.pop(), []):
            if statement not in found and getattr(statement, "value", None) is not None:
                found.append(statement)
                new = names_in(statement.value) - seen  # type: ignore[attr-defined]
                seen |= new
                waiting += sorted(new)
    return sorted(found, key=lambda one: (code.cell_of(one), one.lineno, one.col_offset))


def constant_in(value: ast.expr | None) -> float | None:
    """The one number that an expression holds through conversions alone: `4.0`, `torch.tensor([4.0], …)`."""
    for _ in range(8):
        if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
            return float(value.value)
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
            inner = constant_in(value.operand)
            return None if inner is None else -inner
        if isinstance(value, ast.List | ast.Tuple) and len(value.elts) == 1:
            value = value.elts[0]
        elif isinstance(value, ast.Call) and value.args and called(value) in (*CONVERSIONS, "Parameter"):
            value = value.args[0]
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            value = value.func.value  # torch.tensor(4.0).requires_grad_()
        else:
            return None
    return None


def rate_of(case: Case, update: ast.stmt | None = None) -> str:
    """What the learner calls the learning rate, as it is written in an update; else a usual one."""
    roots: list[ast.AST] = [update] if update is not None else []
    for root in roots:
        for node in case.code.inside(root, ast.Name, ast.Attribute):
            if last_name(node) in RATES:
                return case.code.text(node)
        for node in case.code.inside(root, ast.Constant):
            if isinstance(node.value, float) and 0 < node.value < 1 and node.value != 0.5:  # noqa: PLR2004
                return case.code.text(node)
    return USUAL_RATE


def loss_name(case: Case, root: ast.AST) -> str | None:
    """The name of the loss in a loop or function: what backward is called on anywhere, or a loss that is assigned there."""
    assigned = [
        target.id
        for statement in case.code.inside(root, ast.Assign)
        for target in targets_of(statement)
        if isinstance(target, ast.Name)
    ]
    for call in case.code.calls("backward"):
        if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in assigned:
            return ast.unparse(call.func.value)
    likely = [name for name in assigned if name in LOSSES] or [
        name for name in assigned if "loss" in name.lower()
    ]
    return likely[-1] if likely else (assigned[-1] if assigned else None)


def updates_by_hand(case: Case, loop: Loop) -> Iterator[tuple[ast.stmt, str]]:
    """The statements of a loop that step a name on from its own value without `.grad`, with the name."""
    for statement in case.code.inside(loop, ast.Assign, ast.AugAssign):
        if any(isinstance(n, ast.Attribute) and n.attr == "grad" for n in ast.walk(statement)):
            continue
        if isinstance(statement, ast.AugAssign):
            if isinstance(statement.op, ast.Sub | ast.Add) and (name := _stepped(statement.target)):
                yield statement, name
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            for target, value in _apart(statement):
                name = _stepped(target)
                steps = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub | ast.Add)
                if name and steps and _stepped(value.left) == name:  # type: ignore[attr-defined]
                    yield statement, name


def _apart(statement: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _stepped(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and node.attr == "data":
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def function_called(code: Code, name: str) -> Function | None:
    """The function that a name stands for at the end, through aliases such as `descend = walk`."""
    for _ in range(4):
        found = [function for function in code.all(ast.FunctionDef) if function.name == name]
        if found:
            return found[-1]
        aliases = [one for one in settings_of(code, name) if isinstance(one, ast.Assign)]
        if not aliases or not isinstance(aliases[-1].value, ast.Name):
            return None
        name = aliases[-1].value.id
    return None


def train_instead(case: Case, statements: Sequence[ast.stmt]) -> list[Edit]:
    """Put a training loop in the place of the statements that gave w and b their values without one.

    They stand at the top level; the loop goes where the last of them was.
    """
    code = case.code
    if not statements or any(not isinstance(code.parent(one), ast.Module) for one in statements):
        return []
    *early, last = statements
    edits = [code.delete(one) for one in early]
    lines = code.text(last).count("\n")
    shared = code.line(code.cell_of(last), last.lineno + lines)
    if ";" in shared or any(len(_on_line(code, one)) > 1 for one in early):
        return _whole_lines(code, statements)
    return [*edits, code.replace(last, training_text())]


def leave_out(code: Code, statements: Sequence[ast.stmt]) -> list[Edit]:
    """Take statements away, also several that share one line."""
    edits: list[Edit] = []
    for statement in statements:
        cell, line = code.cell_of(statement), statement.lineno
        neighbours = _on_line(code, statement)
        if len(neighbours) > 1 and all(one in statements for one in neighbours):
            edits.append(
                Edit(cell, (line, 0), (line, len(code.line(cell, line))), code.indent(statement) + "pass")
            )
        else:
            edits.append(code.delete(statement))
    return list(dict.fromkeys(edits))


def training_text() -> str:
    """A training of w and b on x and y, as text."""
    return "\n".join(
        [
            "w = torch.zeros(1, requires_grad=True)",
            "b = torch.zeros(1, requires_grad=True)",
            f"for step in range({USUAL_STEPS}):",
            "    loss = ((w * torch.as_tensor(x) + b - torch.as_tensor(y)) ** 2).mean()",
            "    loss.backward()",
            "    with torch.no_grad():",
            f"        w -= {USUAL_RATE} * w.grad",
            f"        b -= {USUAL_RATE} * b.grad",
            "    w.grad.zero_()",
            "    b.grad.zero_()",
        ]
    )


def _on_line(code: Code, statement: ast.stmt) -> list[ast.stmt]:
    return [one for one in code.block(statement) if one.lineno == statement.lineno]


def _whole_lines(code: Code, statements: Sequence[ast.stmt]) -> list[Edit]:
    """The same, where they share one line with nothing but each other."""
    cell, line = code.cell_of(statements[-1]), statements[-1].lineno
    if any(one.lineno != line or code.cell_of(one) != cell for one in statements):
        return []
    if any(one not in statements for one in _on_line(code, statements[0])):
        return []
    return [Edit(cell, (line, 0), (line, len(code.line(cell, line))), training_text())]


def needs_torch(case: Case) -> list[Edit]:
    """`import torch` at the top, where no cell imports it."""
    for node in case.code.all(ast.Import):
        if any(alias.name == "torch" and alias.asname in (None, "torch") for alias in node.names):
            return []
    first = min(case.code.cells, default=None)
    return [] if first is None else [Edit(first, (1, 0), (1, 0), "import torch\n")]
