"""Which parameters the gradients of a run reached, and which they did not."""

from grader.evidence.case import Case
from grader.trace import Act, Tensor


def cut_off(case: Case) -> bool:
    """Whether the run shows a loss that did not depend on a parameter that was there."""
    if case.says("does not require grad", "does not have a grad_fn"):
        return not any(event.raised and not event.recorded for event in case.gradient_events)
    if not case.gradient_events:
        return any(act.name in ("Tensor.backward", "autograd.backward") for act in case.acts)
    return bool(unreached(case))


def made_anew(case: Case) -> bool:
    """Whether each gradient call ended at leaves of its own, while parameters that were there were not reached.

    What a forward pass copies is a new tensor each time; it is nobody's parameter.
    """
    reached = [
        {tensor.number for tensor in event.tensors[: event.leaves]}
        for event in case.gradient_events
        if event.leaves
    ]
    apart = sum(map(len, reached)) == len(set[int]().union(*reached))
    return len(reached) > 1 and apart and bool(unreached(case))


def unreached(case: Case) -> list[Tensor]:
    """The named leaves that require a gradient and were in sight of gradient calls, and that none of them reached."""
    reached = {tensor.number for event in case.gradient_events for tensor in event.tensors[: event.leaves]}
    roots = {event.root.number for event in case.gradient_events if event.root is not None}
    found: dict[int, Tensor] = {}
    for event in case.gradient_events:
        for tensor in event.tensors[event.leaves :]:
            if tensor.leaf and tensor.requires_grad and tensor.names and tensor.number not in reached | roots:
                found.setdefault(tensor.number, tensor)
    return list(found.values())


def leaf_names(case: Case) -> set[str]:
    """The names that leaves which require a gradient had, or began with; not those that gradients were asked of."""
    return {
        _base(name)
        for event in case.events
        for tensor in event.tensors
        if tensor.leaf and tensor.requires_grad and (event.root is None or tensor.number != event.root.number)
        for name in tensor.names
    }


def kept_names(case: Case) -> set[str]:
    """The names of leaves that the first two gradient calls both reached: these stay, whatever they were made of."""
    looks = [event.tensors[: event.leaves] for event in case.gradient_events[:2]]
    if len(looks) < 2:  # noqa: PLR2004 - the first and the second
        return set()
    again = {tensor.number for tensor in looks[1]}
    return {_base(name) for tensor in looks[0] if tensor.number in again for name in tensor.names}


def _base(name: str) -> str:
    """The name that a dotted or indexed one begins with."""
    return name.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]


def put_by_hand(case: Case) -> list[Act]:
    """The operations that put tensors into `.grad` which autograd did not make, and which are not there to clear it."""
    zeros = {act.output for act in case.acts if "zero" in act.name}
    return [
        act
        for act in case.acts
        if act.name == "Tensor.grad.__set__" and len(act.inputs) > 1 and act.inputs[1] not in zeros
    ]
