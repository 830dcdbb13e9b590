"""Training loops that a `break` or `return` under a condition ended long before their last round, as the run shows it."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from grader.evidence.case import Case
from grader.evidence.code import Loop
from grader.evidence.edits import Edit
from grader.evidence.knobs import bound_of, constants, number_of

# A loop was cut short that made less than this share of its rounds.
SHARE = 0.5
# So few gradient calls: as good as none of the rounds but the first.
FIRST_ROUNDS = 3


class Exit(NamedTuple):
    """A statement that ended a loop early, and how many gradient calls there had been until then."""

    statement: ast.Break | ast.Return
    loop: Loop
    calls: int

    @property
    def at_once(self) -> bool:
        """Whether it was in one of the first rounds."""
        return self.calls <= FIRST_ROUNDS


def early_exits(case: Case) -> Iterator[Exit]:
    """The exits of loops of a known number of rounds, in which gradients were asked for far less often."""
    if case.errors:
        return
    for loop in case.training_loops:
        rounds = _rounds(case, loop)
        calls = sum(_calls(case, place) for place in _places(case, loop))
        if rounds is None or not 0 < calls < SHARE * rounds:
            continue
        for node in case.code.inside(loop, ast.Break, ast.Return):
            assert isinstance(node, ast.Break | ast.Return)
            conditional = case.code.block(node) is not loop.body
            if conditional and case.code.loop(node) is loop:
                yield Exit(node, loop, calls)


def kept_on(case: Case, exit_: Exit) -> list[Edit]:
    """Take the exit away; a `return` goes behind the loop where nothing is returned there yet."""
    code, statement = case.code, exit_.statement
    block = code.block(exit_.loop)
    following = block[block.index(exit_.loop) + 1 :] if exit_.loop in block else []
    edits = [code.replace(statement, "pass")]
    if isinstance(statement, ast.Return) and not any(isinstance(one, ast.Return) for one in following):
        edits.append(code.insert_after(exit_.loop, code.text(statement)))
    return edits


def _rounds(case: Case, loop: Loop) -> float | None:
    bound = bound_of(loop)
    numbers = [] if bound is None else [number_of(one) for one in constants(case.code, bound)]
    known = [one for one in numbers if one is not None]
    return min(known) if known else None


def _places(case: Case, loop: ast.AST) -> set[tuple[int, int]]:
    assert isinstance(loop, ast.stmt)
    return {(event.cell, event.line) for event in case.events_in(loop, "backward", "grad")}


def _calls(case: Case, place: tuple[int, int]) -> int:
    return sum(one.calls for one in case.run.trace.trainings if (one.cell, one.line) == place)
