"""How parameters moved between gradient calls: along their gradient or against it, how fast, or not at all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case, Move, numbers_of
from grader.trace import Event

TINY = 1e-12


class Motion(NamedTuple):
    """One parameter's moves at one place.

    frozen: it never moved although it had a gradient. uphill: the share of its moves that went along the gradient.
    rate: the usual −change/gradient, None where it is not known. exact: whether every change was the same multiple.
    """

    name: str
    moves: list[Move]
    frozen: bool
    uphill: float
    rate: float | None
    exact: bool


def main_place(case: Case) -> list[Event]:
    """The gradient calls of the place where most were made."""
    places = case.places()
    return max(places.values(), key=lambda events: (events[-1].call, len(events)), default=[])


def motions(case: Case, events: Sequence[Event]) -> dict[str, Motion]:
    """The motion of each parameter over some gradient calls."""
    found: dict[str, list[Move]] = {}
    with np.errstate(all="ignore"):
        for move in case.moves(events):
            if move.gradient is not None and move.gradient.shape == move.delta.shape:
                found.setdefault(move.name, []).append(move)
        return {name: _motion(name, moves) for name, moves in found.items()}


def _motion(name: str, moves: list[Move]) -> Motion:
    rates, uphill, told = [], 0, 0
    pushed = moved = False
    for move in moves:
        assert move.gradient is not None
        if not (np.all(np.isfinite(move.delta)) and np.all(np.isfinite(move.gradient))):
            continue
        size = float(move.gradient @ move.gradient)
        pushed = pushed or size > TINY
        moved = moved or bool(np.any(move.delta != 0))
        along = float(move.delta @ move.gradient)
        if size > TINY and abs(along) > 0:
            told += 1
            uphill += along > 0
            rates.append(-along / size)
    rate = float(np.median(rates)) if rates else None
    exact = rate is not None and bool(np.allclose(rates[:8], rate, rtol=0.03))
    return Motion(name, moves, pushed and not moved, uphill / told if told else 0.0, rate, exact)


def curvature(case: Case, events: Sequence[Event]) -> float | None:
    """The largest change of the gradient per change of the parameters: the loss's sharpest bend, as far as it was seen."""
    changes: dict[int, list[tuple[Numbers, Numbers]]] = {}
    with np.errstate(all="ignore"):
        for move in case.moves(events):
            first, second = move.first.after, move.second.after
            if move.first.before is not None and np.any(move.first.before != 0):
                continue
            if first is not None and second is not None and first.shape == second.shape == move.delta.shape:
                changes.setdefault(move.first.event.call, []).append((second - first, move.delta))
        bends = []
        for pairs in changes.values():
            turn = np.sqrt(sum(float(turn @ turn) for turn, _ in pairs))
            way = np.sqrt(sum(float(delta @ delta) for _, delta in pairs))
            if np.isfinite(turn) and np.isfinite(way) and way > TINY and turn > TINY:
                bends.append(float(turn / way))
    return max(bends) if bends else None


def exploded(case: Case, events: Sequence[Event]) -> bool:
    """Whether parameters left all bounds: not finite, or huge next to where they started."""
    for moments in case.moments(events).values():
        first, last = moments[0].value, moments[-1].value
        if not np.all(np.isfinite(last)) or np.max(np.abs(last)) > 1e4 * (1 + np.max(np.abs(first))):
            return True
    names = set(case.moments(events))
    for tensor in () if case.end is None else case.end.tensors:
        value = numbers_of(tensor.value) if names & set(tensor.names) else None
        if value is not None and value.dtype.kind == "f" and not np.all(np.isfinite(value)):
            return True
    return False
