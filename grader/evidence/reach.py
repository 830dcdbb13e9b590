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


def put_by_hand(case: Case) -> list[Act]:
    """The operations that put tensors into `.grad` which autograd did not make, and which are not there to clear it."""
    zeros = {act.output for act in case.acts if "zero" in act.name}
    return [
        act
        for act in case.acts
        if act.name == "Tensor.grad.__set__" and len(act.inputs) > 1 and act.inputs[1] not in zeros
    ]
