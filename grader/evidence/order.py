"""The order of backward, clearing and update as the run shows it, across functions: which clearing came too early."""

import ast
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from grader.evidence.case import Case, numbers_of
from grader.evidence.code import Loop
from grader.evidence.updates import own_updates
from grader.trace import Act, Event

Place = tuple[int, int]
# What empties a gradient, as torch names it: `w.grad.zero_()`, `w.grad = None`.
EMPTIES = ("Tensor.zero_", "Tensor.fill_", "Tensor.grad.__set__")


class Emptied(NamedTuple):
    """A statement that emptied gradients too early, between the backward before it and the use after it, all in one block."""

    clearing: ast.stmt
    backward: ast.stmt
    use: ast.stmt


class _Seen(NamedTuple):
    """The ways to a clearing, the backward before it and the use after it: the places of the calls, outermost first."""

    clearing: tuple[Place, ...]
    backward: tuple[Place, ...]
    use: tuple[Place, ...]


def emptied_early(case: Case) -> Emptied | None:
    """What emptied the gradients of a backward before they were used, where that happened at every step that was seen."""
    for seen in (_before_steps(case), _before_updates(case)):
        if seen is not None and (found := _met(case, seen)) is not None:
            return found
    return None


def _before_steps(case: Case) -> _Seen | None:
    """An optimizer that found no gradient at any of its steps, although a backward had just filled all of them."""
    found: list[_Seen] = []
    before: Event | None = None
    cleared: Event | None = None
    for event in case.events:
        if event.kind == "backward":
            before, cleared = event, None
        elif event.kind == "zero":
            cleared = event
        elif event.kind == "step" and event.optimizer is not None and before is not None:
            ours = event.tensors[: event.leaves]
            if not all(_is_filled(before, one.number) for one in ours) or event.order - before.order > 2:  # noqa: PLR2004 - the clearing alone in between
                continue
            if any(one.has_grad and (one.grad is None or _any(one.grad)) for one in ours):
                return None
            if cleared is not None:
                found.append(_Seen(_way(cleared), _way(before), _way(event)))
    return found[0] if found else None


def _before_updates(case: Case) -> _Seen | None:
    """Parameters that never moved: something emptied their gradients ahead of their update by hand."""
    lines = {
        (case.code.cell_of(one.statement), line): one.statement
        for one in own_updates(case)
        for line in range(one.statement.lineno, (one.statement.end_lineno or one.statement.lineno) + 1)
    }
    moves = [move for events in case.places().values() for move in case.moves(events)]
    if case.steps or not lines or not moves or any(bool((move.delta != 0).any()) for move in moves):
        return None
    by_order = {event.order: event for event in case.gradient_events if event.kind == "backward"}
    for order, event in by_order.items():
        acts = [act for act in case.acts if act.order == order and (act.cell, act.line) not in lines]
        used = [act for act in case.acts if act.order == order and (act.cell, act.line) in lines]
        emptied = [act for act in acts if _empties(case, act, event)]
        if emptied and used and _comes_before(case.acts, emptied[0], used[0]):
            first, last = emptied[0], used[-1]
            return _Seen(((first.cell, first.line),), (_way(event)[-1],), ((last.cell, last.line),))
    return None


def _empties(case: Case, act: Act, event: Event) -> bool:
    """Whether an operation empties a gradient that a backward has just filled."""
    if act.name not in EMPTIES or not act.inputs:
        return False
    if act.name.endswith("__set__"):
        return act.inputs[0] in event.after and len(act.inputs) == 1
    owners = {
        one.output: one.inputs[0]
        for one in case.acts
        if one.order == act.order and one.name == "Tensor.grad.__get__" and one.inputs
    }
    owner = owners.get(act.inputs[0])
    return owner is not None and _is_filled(event, owner) and not any(act.constants)


def _comes_before(acts: Sequence[Act], first: Act, second: Act) -> bool:
    return acts.index(first) < acts.index(second)


def _is_filled(event: Event, number: int) -> bool:
    return number in event.after and _any(event.after[number])


def _any(array: object) -> bool:
    numbers = numbers_of(array)  # type: ignore[arg-type]
    return numbers is not None and bool(np.any(numbers != 0))


def _way(event: Event) -> tuple[Place, ...]:
    return (*reversed(event.within), (event.cell, event.line))


# ---- the block in which they meet ----------------------------------------------------------------


def _met(case: Case, seen: _Seen) -> Emptied | None:
    """The statements of one block that lead to each: where the ways to clearing and backward part."""
    depth = 0
    while seen.clearing[depth : depth + 1] == seen.backward[depth : depth + 1] != ():
        depth += 1
    if depth >= min(len(seen.clearing), len(seen.backward)):
        return None
    places = [seen.clearing[depth], seen.backward[depth], seen.use[min(depth, len(seen.use) - 1)]]
    clearing, backward, use = (case.code.at(*place) for place in places)
    if clearing is None or backward is None or use is None:
        return None
    block = case.code.block(backward)
    lifted, behind = _in_block(case, clearing, block), _in_block(case, use, block) or backward
    if lifted is None or lifted is backward or (isinstance(lifted, Loop) and backward in ast.walk(lifted)):
        return None
    return Emptied(lifted, backward, behind)


def _in_block(case: Case, statement: ast.stmt, block: list[ast.stmt]) -> ast.stmt | None:
    """The statement of a block that another one is inside of, or whose function it alone calls."""
    node: ast.AST | None = statement
    while node is not None:
        if isinstance(node, ast.stmt) and node in block:
            return node
        node = case.code.parent(node)
    function = case.code.function(statement)
    calling = [
        one for one in block if function is not None and any(case.code.calls(function.name, inside=one))
    ]
    return calling[0] if len(calling) == 1 else None
