"""The statements of a submission that compute the loss: where they stand, and what they are computed from."""

import ast
from itertools import pairwise

from grader.evidence.case import Case
from grader.evidence.code import Loop, names_in, targets_of
from grader.evidence.update_lines import updates

LOSSES = ("loss", "mse", "cost", "l", "error", "J", "L", "criterion_loss", "train_loss", "loss_value", "err")


def loss_name(case: Case, loop: Loop) -> str | None:
    """The name of the loss in a loop: what backward is called on anywhere, or the name of a loss that is assigned there."""
    assigned = [
        target.id
        for statement in case.code.inside(loop, ast.Assign)
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


def stale_names(case: Case) -> set[str]:
    """Names of results that a later gradient call at the same place, or an error, found as they had been before."""
    found: set[str] = set()
    sights = [list(events) for events in case.places().values()]
    for error in case.errors:
        event = case.at_error(error)
        if event is not None and case.gradient_events:
            sights.append([case.gradient_events[0], event])
    for events in sights:
        for first, second in list(pairwise(events))[:3]:
            old = {one.number for one in first.tensors if not one.leaf}
            found |= {name for one in second.tensors if one.number in old for name in one.names}
    return found


def slice_before(case: Case, loop: Loop, wanted: set[str], stale: set[str]) -> list[ast.stmt]:
    """The assignments in front of a loop that compute some names, and the stale names which those are computed from."""
    found: list[ast.stmt] = []
    waiting, seen = sorted(wanted), set(wanted)
    while waiting:
        name = waiting.pop()
        last = None
        for statement in case.code.all(ast.Assign):
            place = case.code.cell_of(statement), statement.lineno
            if place >= (case.code.cell_of(loop), loop.lineno):
                break
            same = case.code.function(statement) is case.code.function(loop)
            same = same and case.code.loop(statement) is case.code.loop(loop)
            if same and name in [ast.unparse(target) for target in targets_of(statement)]:
                last = statement
        if last is None or last in found:
            continue
        found.append(last)
        for read in sorted(names_in(last) & stale - seen):
            seen.add(read)
            waiting.append(read)
    return sorted(found, key=lambda statement: (case.code.cell_of(statement), statement.lineno))


def updating(case: Case, loop: Loop) -> list[ast.stmt]:
    """The statements of a loop's own block that change parameters, or hold those that do."""
    inner = [update.statement for update in updates(case)]
    inner += [case.code.statement(call) for call in case.code.calls("step", inside=loop)]
    found = []
    for statement in loop.body:
        inside = set(map(id, case.code.inside(statement, ast.stmt)))
        if any(id(one) in inside for one in inner):
            found.append(statement)
    return found
