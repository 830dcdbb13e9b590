"""Gradients that were still there when the next ones came: which, where, and the edits that clear them."""

import ast
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case, numbers_of
from grader.evidence.clearings import clearings, unfinished_clearing
from grader.evidence.edits import Edit
from grader.evidence.optimizers import step_owners
from grader.evidence.scopes import repeats, scope
from grader.evidence.suspicion import Suspicion
from grader.evidence.updates import Update, own_updates
from grader.trace import Event, Tensor

# The same numbers, but for rounding.
SAME = 1e-4


class Kept(NamedTuple):
    """A gradient call that found old gradients in parameters that had moved since.

    event: the call. kept, cleared: its leaves with and without an old gradient. before, after: one number of the
    gradient of the first of `kept`, before and after the call. exact: they were untouched since the call before.
    """

    event: Event
    kept: tuple[Tensor, ...]
    cleared: tuple[Tensor, ...]
    before: float
    after: float
    exact: bool

    @property
    def sureness(self) -> float:
        """How sure it is that they ought to have been cleared."""
        return 0.95 if self.exact else 0.75


def kept_gradients(case: Case) -> list[Kept]:
    """One for each place of gradient calls that found old gradients; none where the clearing is there but misspelt."""
    if unfinished_clearing(case):
        return []
    orders = [event.order for event in case.gradient_events]
    found = []
    for events in case.places().values():
        backwards = [event for event in events if event.kind == "backward"]
        for first, second in pairwise(backwards):
            between = any(first.order < order < second.order for order in orders)
            one = None if between or second.call != first.call + 1 else _kept_between(case, first, second)
            if one is not None:
                found.append(one)
                break
    return found


def doubled_gradients(case: Case) -> Kept | None:
    """A gradient call outside of loops that added to what another one, elsewhere, had left; nothing moved between."""
    if unfinished_clearing(case):
        return None
    for first, second in pairwise(case.gradient_events):
        statements = _statement_of(case, first), _statement_of(case, second)
        if any(one is None or repeats(case, one) for one in statements):
            continue
        if first.kind == second.kind == "backward" and not first.raised and not second.raised:
            leaves = {tensor.number: tensor for tensor in first.tensors[: first.leaves]}
            still = [
                tensor
                for tensor in second.tensors[: second.leaves]
                if tensor.number in leaves
                and not _differ(numbers_of(tensor.value), numbers_of(leaves[tensor.number].value))
            ]
            kept = [
                tensor
                for tensor in still
                if _nonzero(before := numbers_of(tensor.grad))
                and not _differ(before, numbers_of(first.after.get(tensor.number)))
            ]
            cleared = tuple(tensor for tensor in still if not _nonzero(numbers_of(tensor.grad)))
            if kept and len(kept) + len(cleared) == second.leaves == first.leaves:
                return Kept(second, tuple(kept), cleared, *_numbers(second, kept[0]), exact=False)
    return None


def suspicion_of(case: Case, kept: Kept, sureness: float) -> Suspicion:
    """The suspicion that kept gradients give, with the names and numbers that its message is filled with."""
    statement = _statement_of(case, kept.event)
    calls = [] if statement is None else list(case.code.calls("backward", inside=statement))
    names = [name for name in (_name(tensor) for tensor in kept.kept) if name] or ["w"]
    cleared = [name for name in (_name(tensor) for tensor in kept.cleared) if name] or ["w"]
    return case.suspicion(
        kept.event,
        sureness,
        name=names[0],
        names=", ".join(names[:4]),
        cleared=", ".join(cleared[:4]),
        before=kept.before,
        after=kept.after,
        line_text=case.first_line(calls[0] if calls else kept.event),
    )


def clear(case: Case, found: Iterable[Kept]) -> Iterator[list[Edit]]:
    """Ways to clear what was kept: by the optimizer or after the update, and right before backward."""
    found = list(found)
    edits: list[Edit] = []
    for kept in found:
        edits += _by_optimizer(case, kept) or _after_updates(case, kept)
    yield _each_once(edits)
    yield before_backward(case, found)


def before_backward(case: Case, found: Iterable[Kept]) -> list[Edit]:
    """Clear what was kept right before the calls that found it."""
    return _each_once(edit for kept in found for edit in _before_backward(case, kept))


def _kept_between(case: Case, first: Event, second: Event) -> Kept | None:
    leaves = {tensor.number: tensor for tensor in first.tensors[: first.leaves]}
    kept: list[Tensor] = []
    cleared: list[Tensor] = []
    exact = True
    for tensor in second.tensors[: second.leaves]:
        old = leaves.get(tensor.number)
        if old is None or not _differ(numbers_of(old.value), numbers_of(tensor.value)):
            continue
        before, left = numbers_of(tensor.grad), numbers_of(first.after.get(tensor.number))
        if not _nonzero(before):
            cleared.append(tensor)
        elif _nonzero(left):
            kept.append(tensor)
            exact = exact and not _differ(before, left)
    if not kept:
        return None
    if any(event.kind == "zero" and first.order < event.order < second.order for event in case.events):
        exact = exact and bool(cleared)
    return Kept(second, tuple(kept), tuple(cleared), *_numbers(second, kept[0]), exact=exact)


def _numbers(event: Event, tensor: Tensor) -> tuple[float, float]:
    before, after = numbers_of(tensor.grad), numbers_of(event.after.get(tensor.number))
    if before is None or not before.size:
        return 0.0, 0.0
    index = int(np.argmax(np.abs(np.nan_to_num(before))))
    return float(before[index]), float(after[index]) if after is not None and after.size > index else 0.0


def _nonzero(numbers: Numbers | None) -> bool:
    return numbers is not None and bool(np.any(numbers != 0)) and bool(np.all(np.isfinite(numbers)))


def _differ(one: Numbers | None, other: Numbers | None) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    return not np.allclose(one, other, rtol=SAME if np.any(one) else 0, atol=0, equal_nan=True)


def _name(tensor: Tensor) -> str:
    return tensor.names[0] if tensor.names else ""


def _each_once(edits: Iterable[Edit]) -> list[Edit]:
    return list(dict.fromkeys(edits))


def _by_optimizer(case: Case, kept: Kept) -> list[Edit]:
    backward = _statement_of(case, kept.event)
    edits = []
    for call, owner in step_owners(case, {tensor.number for tensor in kept.kept}):
        step = case.code.statement(call)
        if backward is not None and (call.args or step in case.code.block(backward)):
            edits.append(case.code.insert_before(backward, f"{owner}.zero_grad()"))
        else:
            edits.append(case.code.insert_after(step, f"{owner}.zero_grad()"))
    return edits


def _after_updates(case: Case, kept: Kept) -> list[Edit]:
    """After the last update of each block, clear what is updated there."""
    kept_names = {name for tensor in kept.kept for name in tensor.names}
    other_names = {name for tensor in kept.cleared for name in tensor.names} - kept_names
    cleared = clearings(case) if kept.cleared else {}
    blocks: dict[tuple[int, int], list[Update]] = {}
    for update in own_updates(case):
        if update.owner in other_names or not repeats(case, update.statement):
            continue
        if update.owner not in kept_names and _is_cleared(case, update, cleared):
            continue
        block = case.code.block(update.statement)
        blocks.setdefault((case.code.cell_of(update.statement), id(block)), []).append(update)
    edits = []
    for group in blocks.values():
        lines = [f"{owner}.grad.zero_()" for owner in dict.fromkeys(update.owner for update in group)]
        edits.append(case.code.insert_after(group[-1].statement, *lines))
    return edits


def _is_cleared(case: Case, update: Update, cleared: dict[str, list[ast.stmt]]) -> bool:
    root = scope(case, update.statement)
    return any(scope(case, statement) is root for statement in cleared.get(update.owner, ()))


def _statement_of(case: Case, event: Event) -> ast.stmt | None:
    return case.code.at(event.cell, event.line)


def _before_backward(case: Case, kept: Kept) -> list[Edit]:
    backward = _statement_of(case, kept.event)
    names = [_name(tensor) for tensor in kept.kept]
    if backward is None or not all(names):
        return []
    return [case.code.insert_before(backward, *(f"{name}.grad = None" for name in names))]
