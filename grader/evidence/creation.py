"""Where tensors are made to be trained, and how their making is edited."""

import ast
import re
from collections.abc import Iterator, Sequence

from grader.evidence.case import Case
from grader.evidence.code import called, targets_of
from grader.evidence.edits import Edit
from grader.evidence.handed import names_given, spoken, uncalled
from grader.evidence.scopes import in_no_grad
from grader.evidence.updates import Update, own_updates

MAKERS = ("tensor", "zeros", "ones", "randn", "rand", "full", "empty", "FloatTensor", "Tensor", "normal", "randint",
          "as_tensor", "from_numpy", "zeros_like", "ones_like", "randn_like", "arange", "linspace")  # fmt: skip
LEAF_MAKERS = ("requires_grad_", "Parameter")
# What autograd is switched off by.
GUARDS = ("no_grad", "inference_mode")


def made(case: Case, name: str) -> Iterator[tuple[ast.stmt, ast.expr]]:
    """The expressions that a name is given: by assignment, or as an argument of that name where a function is called."""
    for statement in case.code.all(ast.Assign):
        for target in statement.targets:
            value = statement.value
            if ast.unparse(target) == name:
                yield statement, value
            elif (
                isinstance(target, ast.Tuple)
                and isinstance(value, ast.Tuple)
                and len(target.elts) == len(value.elts)
            ):
                for one, part in zip(target.elts, value.elts, strict=True):
                    if ast.unparse(one) == name:
                        yield statement, part
    for keyword in case.code.all(ast.keyword):
        if keyword.arg == name and isinstance(keyword.value, ast.Call) and called(keyword.value) in MAKERS:
            yield case.code.statement(keyword.value), keyword.value


def makes_leaf(value: ast.AST) -> bool:
    """Whether an expression ends in a fresh leaf: `….requires_grad_()`, `torch.tensor(…, requires_grad=True)`."""
    return any(
        (isinstance(node, ast.Call) and called(node) in LEAF_MAKERS)
        or (isinstance(node, ast.Call) and called(node) == "Variable" and len(node.args) > 1)
        or (isinstance(node, ast.keyword) and node.arg == "requires_grad")
        for node in ast.walk(value)
    )


def maker(value: ast.expr) -> ast.Call | None:
    """The call that makes the tensor in `torch.randn(1) * 0.1`, `torch.zeros(1).double()`."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and called(node) in MAKERS]
    return calls[0] if calls else None


def with_keyword(case: Case, call: ast.Call, name: str, text: str) -> Edit:
    """Give a keyword of a call, or another value to the one it has."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return case.code.replace(keyword.value, text)
    source = case.code.text(call)
    inner = source[:-1].rstrip()
    gap = "" if inner.endswith("(") else " " if inner.endswith(",") else ", "
    return case.code.replace(call, f"{inner}{gap}{name}={text})")


def without_keyword(case: Case, value: ast.expr, name: str) -> str:
    """The source of an expression without a keyword that a call inside it has."""
    return re.sub(rf"\s*,?\s*\b{name}\s*=\s*(True|False)\b", "", case.code.text(value))


def trained_names(case: Case) -> list[str]:
    """What the source treats as parameters: changed by gradients, or given to an optimizer."""
    names = [update.owner for update in own_updates(case)]
    for call in case.code.all(ast.Call):
        if (
            called(call) in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "LBFGS", "Rprop", "NAdam")
            and call.args
        ):
            first = call.args[0]
            if isinstance(first, ast.List | ast.Tuple):
                names += [ast.unparse(one) for one in first.elts]
    return list(dict.fromkeys(names))


def tracked_updates(case: Case) -> list[Update]:
    """Updates in place that autograd watches, by the source: `w -= …` outside of no_grad."""
    return [
        update
        for update in own_updates(case)
        if isinstance(update.statement, ast.AugAssign | ast.Expr)
        and not in_no_grad(case, update.statement)
        and ".data" not in ast.unparse(update.target)
    ]


def unwatched(case: Case, found: Sequence[Update]) -> Iterator[list[Edit]]:
    """Ways to write updates so that autograd does not watch: `with torch.no_grad():` around them, or `.data`."""
    groups: list[list[ast.stmt]] = []
    alone = True
    for statement in dict.fromkeys(update.statement for update in found):
        cell = case.code.cell_of(statement)
        line = case.code.line(cell, statement.lineno).strip()
        alone = alone and case.first_line(statement) == line.split("  #")[0].rstrip()
        block = case.code.block(statement)
        last = groups[-1][-1] if groups else None
        if last is not None and last in block and block.index(statement) == block.index(last) + 1:
            groups[-1].append(statement)
        else:
            groups.append([statement])
    if alone and groups:
        yield [edit for group in groups for edit in case.code.wrap(group, "with torch.no_grad():")]
    yield [case.code.replace(update.target, f"{case.code.text(update.target)}.data") for update in found]


def not_entered(case: Case) -> list[ast.stmt]:
    """Where no_grad is named but not entered: `with torch.no_grad:`, by another name too; `torch.no_grad()` alone on a line."""
    names = set(GUARDS) | names_given(case.code, _guards_named(case))
    found: list[ast.stmt] = []
    for statement in case.code.all(ast.stmt):
        if not isinstance(statement, ast.With | ast.Expr):
            continue
        parts = (
            [item.context_expr for item in statement.items]
            if isinstance(statement, ast.With)
            else [statement.value]
        )
        for part in parts:
            named = isinstance(part, ast.Attribute | ast.Name | ast.Subscript)
            bare_name = named and (spoken(part) in names or ast.unparse(part).endswith("no_grad"))
            alone = (
                isinstance(statement, ast.Expr) and isinstance(part, ast.Call) and called(part) == "no_grad"
            )
            if bare_name or alone:
                found.append(statement)
    return found


def _guards_named(case: Case) -> Iterator[ast.expr]:
    """What is to be called before it can be entered: no_grad without its parentheses, and a lambda that gives it."""
    yield from uncalled(case.code, GUARDS)
    for node in case.code.all(ast.Lambda):
        if isinstance(node.body, ast.Call) and called(node.body) in GUARDS:
            yield node


def eval_calls(case: Case) -> list[ast.stmt]:
    """The statements `net.eval()`."""
    return [
        statement
        for statement in case.code.all(ast.Expr)
        if isinstance(statement.value, ast.Call)
        and called(statement.value) == "eval"
        and not statement.value.args
    ]


def names_of_loop_body(case: Case, loop: ast.AST) -> set[str]:
    """The names that statements inside a loop assign to."""
    return {
        ast.unparse(target)
        for statement in case.code.inside(loop, ast.stmt)
        for target in targets_of(statement)
    }
