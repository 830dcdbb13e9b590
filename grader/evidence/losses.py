"""Where the formula of a loss leaves the squared error, and the edits that lead back to it."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.code import called
from grader.evidence.edits import Edit
from grader.evidence.forward import Forward, residuals
from grader.evidence.rewrite import atom, keep_only, rename_call

_OTHER_CLASSES = ("L1Loss", "SmoothL1Loss", "HuberLoss", "CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss")
_OTHER_FUNCTIONS = ("l1_loss", "smooth_l1_loss", "huber_loss", "cross_entropy", "binary_cross_entropy")
_REDUCE = ("mean", "sum")
# What is no squared error, beyond doubt.
SURE = ("abs", "root", "square of the mean", "no square", "other loss")


class Way(NamedTuple):
    """One mend: the expression it is about, what is there instead of a squared error (for which each language has words), the edits."""

    node: ast.expr
    what: str
    edits: tuple[Edit, ...]


def ways(forward: Forward) -> list[Way]:
    """The mends, the surest first."""
    return [
        *_others(forward),
        *_absolute(forward),
        *_roots(forward),
        *_powers(forward),
        *_added(forward),
        *_without_prediction(forward),
        *_wrong_root(forward),
        *_unsquared(forward),
    ]


def _others(forward: Forward) -> Iterator[Way]:
    code = forward.code
    for call in code.calls(*_OTHER_CLASSES):
        yield Way(call, "other loss", (rename_call(code, call, "MSELoss"),))
    for call in code.calls(*_OTHER_FUNCTIONS):
        yield Way(call, "other loss", (rename_call(code, call, "mse_loss"),))


def _absolute(forward: Forward) -> Iterator[Way]:
    for node in forward.inside(ast.Call):
        assert isinstance(node, ast.Call)
        if called(node) in ("abs", "absolute", "fabs", "abs_", "norm"):
            of = _operand(node)
            if of is not None and forward.tracked(of) and _is_difference(forward, of):
                text = f"{atom(forward.code, of)} ** 2"
                parent = forward.code.parent(node)
                if isinstance(parent, ast.Attribute | ast.BinOp):
                    text = f"({text})"
                if called(node) == "norm":
                    text = f"({atom(forward.code, of)} ** 2).mean()"
                yield Way(node, "abs", (forward.code.replace(node, text),))


def _roots(forward: Forward) -> Iterator[Way]:
    for node in forward.inside(ast.Call, ast.BinOp):
        if isinstance(node, ast.Call) and called(node) == "sqrt":
            of = _operand(node)
            if of is not None and forward.tracked(of):
                yield Way(node, "root", tuple(keep_only(forward.code, node, of)))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _is_half(node.right):
            yield Way(node, "root", tuple(keep_only(forward.code, node, node.left)))


def _powers(forward: Forward) -> Iterator[Way]:
    """The square of a mean, and exponents other than 2."""
    code = forward.code
    for node in forward.inside(ast.BinOp, ast.Call):
        assert isinstance(node, ast.expr)
        power = _power(node)
        if power is None or not forward.tracked(power[0]):
            continue
        base, exponent = power
        if isinstance(base, ast.Call) and called(base) in _REDUCE:
            of = _operand(base)
            if of is not None and _is_difference(forward, of):
                text = f"({atom(code, of)} ** 2).{called(base)}()"
                yield Way(node, "square of the mean", (code.replace(node, text),))
        elif isinstance(base, ast.Name | ast.Call) and (value := _mean_of(forward, base)) is not None:
            of = _operand(value)
            if of is not None and _is_difference(forward, of):
                text = f"({atom(code, of)} ** 2)"
                edits = (code.replace(of, text), code.replace(node, code.text(base)))
                yield Way(node, "square of the mean", edits)
        elif _is_difference(forward, base) and _is_other_power(exponent):
            assert exponent is not None
            yield Way(node, "another power", (code.replace(exponent, "2"),))


def _is_half(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0.5  # noqa: PLR2004 - the root


def _is_other_power(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value not in (2, 2.0, 0.5)


def _added(forward: Forward) -> Iterator[Way]:
    """`y_pred + y` under a square or a mean."""
    code = forward.code
    for node in forward.inside(ast.BinOp):
        assert isinstance(node, ast.BinOp)
        if not isinstance(node.op, ast.Add) or not isinstance(
            code.parent(node), ast.BinOp | ast.Call | ast.Attribute
        ):
            continue
        left, right = forward.tracked(node.left), forward.tracked(node.right)
        if left != right and any(
            isinstance(side, ast.Name) and side.id not in forward.parameters
            for side in (node.left, node.right)
        ):
            target = node.right if left else node.left
            if not isinstance(target, ast.Name):
                continue
            text = f"{atom(code, node.left)} - {atom(code, node.right)}"
            yield Way(node, "sum", (code.replace(node, text),))


def _without_prediction(forward: Forward) -> Iterator[Way]:
    """A difference of data alone, while a prediction stands by unused."""
    unused = _unused_predictions(forward)
    if not unused:
        return
    name = unused[-1]
    for whole, left, right in residuals(forward):
        if not forward.tracked(left) and not forward.tracked(right):
            for side in (left, right):
                if isinstance(side, ast.Name):
                    yield Way(whole, "no prediction", (forward.code.replace(side, name),))


def _wrong_root(forward: Forward) -> Iterator[Way]:
    """backward() on something else, while a loss stands by unused."""
    losses = [name for name in _unused_predictions(forward, losses=True) if name not in forward.root_names]
    for root in forward.roots:
        if losses and not any(True for _ in _differences_of(forward, root)):
            yield Way(root, "not the loss", (forward.code.replace(root, losses[-1]),))


def _unsquared(forward: Forward) -> Iterator[Way]:
    if any(_squared(node) for node in forward.inside(ast.BinOp, ast.Call)):
        return
    for whole, left, right in residuals(forward):
        if isinstance(whole, ast.BinOp) and (forward.tracked(left) != forward.tracked(right)):
            text = f"({forward.code.text(whole)}) ** 2"
            parent = forward.code.parent(whole)
            if isinstance(parent, ast.Attribute):
                text = f"({text})"
            elif not (isinstance(parent, ast.Call | ast.Return | ast.Assign)):
                continue
            yield Way(whole, "no square", (forward.code.replace(whole, text),))


def _unused_predictions(forward: Forward, *, losses: bool = False) -> list[str]:
    """Names that hold something computed from parameters that no loss is computed from."""
    used = {node.id for node in forward.inside(ast.Name) if isinstance(node, ast.Name)}
    found = []
    for statement in forward.code.all(ast.Assign):
        target = statement.targets[0]
        if (
            isinstance(target, ast.Name)
            and target.id not in used | forward.parameters
            and forward.code.loop(statement) is not None
            and forward.tracked(statement.value)
            and not any(
                isinstance(one, ast.Attribute) and one.attr == "grad" for one in ast.walk(statement.value)
            )
            and forward.is_loss_like(statement.value) == losses
        ):
            found.append(target.id)
    return found


def _differences_of(forward: Forward, root: ast.expr) -> Iterator[ast.expr]:
    names = [root, *(forward.values(root) if isinstance(root, ast.Name) else [])]
    for part in names:
        for node in forward.code.inside(part, ast.BinOp):
            if isinstance(node.op, ast.Sub | ast.Pow):
                yield node
        if any(forward.code.calls("mse_loss", "criterion", "loss_fn", "loss", "mse", inside=part)):
            yield part


def _is_difference(forward: Forward, node: ast.expr, depth: int = 2) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Sub | ast.Add)
    if isinstance(node, ast.Name) and depth:
        return any(_is_difference(forward, value, depth - 1) for value in forward.values(node))
    return isinstance(node, ast.Call) and called(node) in ("sub", "subtract")


def _mean_of(forward: Forward, base: ast.Name | ast.Call) -> ast.Call | None:
    """The mean that a name stands for, or that a function of the learner's returns."""
    for value in forward.values(base) if isinstance(base, ast.Name) else forward.returned(base):
        if isinstance(value, ast.Call) and called(value) in _REDUCE:
            return value
    return None


def _power(node: ast.AST) -> tuple[ast.expr, ast.expr | None] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return node.left, node.right
    if isinstance(node, ast.Call) and called(node) == "square":
        of = _operand(node)
        return None if of is None else (of, None)
    if isinstance(node, ast.Call) and called(node) == "pow":
        if isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            return node.func.value, node.args[0]
        if len(node.args) == 2:  # noqa: PLR2004 - base and exponent
            return node.args[0], node.args[1]
    return None


def _operand(call: ast.Call) -> ast.expr | None:
    """What a function of one argument, or a method, is applied to."""
    if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) not in (
        "torch", "np", "math", "torch.linalg", "F",
    ):  # fmt: skip
        return call.func.value
    return call.args[0] if call.args else None


def _squared(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return ast.unparse(node.left) == ast.unparse(node.right)
    if isinstance(node, ast.Call) and called(node) in ("mse_loss", "criterion", "MSELoss", "loss_fn", "dot"):
        return True
    return _power(node) is not None
