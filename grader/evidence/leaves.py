"""What the run shows of a name over its steps: a leaf that stays one, another leaf each time, or no leaf any more."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from grader.evidence.case import Case
from grader.trace import Event, Tensor


def stays_leaf(case: Case, name: str) -> bool:
    """Whether the run shows the name on a leaf that requires a gradient in later steps, another one each time."""
    return any(
        first.number != second.number and second.leaf and second.requires_grad
        for first, second in _successive(case, name)
    )


def lost(case: Case, name: str) -> str:
    """What the run shows of the name in later steps: 'gradient' where it no longer requires one, 'leaf' where it is a result."""
    later = [second for first, second in _successive(case, name) if first.requires_grad]
    required = any(one.requires_grad for one in _seen(case.gradient_events, name))
    for error in case.errors if required else ():
        event = case.at_error(error)
        later += [] if event is None else _seen([event], name)
    if any(not one.requires_grad for one in later):
        return "gradient"
    return "leaf" if any(not one.leaf for one in later) else ""


def was_leaf(case: Case, name: str) -> bool:
    """Whether the run shows the name on a leaf at one step and on a result at the next, or shows that it cannot be one again."""
    if case.says("requires_grad flags of leaf"):
        return True
    return any(first.leaf and not second.leaf for first, second in _successive(case, name))


def fell(case: Case, name: str) -> bool:
    """Whether the run shows the name on a leaf that a gradient call reached, and later on what is no such leaf any more."""
    reached = [
        tensor.number
        for event in case.gradient_events
        for tensor in event.tensors[: event.leaves]
        if tensor.leaf and _goes_by(tensor, name)
    ]
    looks = [*case.gradient_events, *filter(None, map(case.at_error, case.errors))]
    later = [tensor for event in looks for tensor in event.tensors if _goes_by(tensor, name)]
    return bool(reached) and any(not (one.leaf and one.requires_grad) for one in later)


def _successive(case: Case, name: str) -> Iterator[tuple[Tensor, Tensor]]:
    for events in case.places().values():
        for first, second in pairwise(events):
            old = next((one for one in first.tensors if _goes_by(one, name)), None)
            new = next((one for one in second.tensors if _goes_by(one, name)), None)
            if old is not None and new is not None:
                yield old, new


def _seen(events: Sequence[Event], name: str) -> list[Tensor]:
    return [tensor for event in events for tensor in event.tensors if _goes_by(tensor, name)]


def _goes_by(tensor: Tensor, name: str) -> bool:
    """Whether a tensor has a name; of an item (`params[i]`), whether it is any item there."""
    if not name.endswith("]"):
        return name in tensor.names
    return any(one.rpartition("[")[0] == name.rpartition("[")[0] for one in tensor.names)
