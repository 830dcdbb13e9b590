"""The autograd graph of a training at the step at which something became of it, and what the graph lost."""

from collections.abc import Sequence

from grader.evidence.case import Case
from grader.picture import Graph, Mark
from grader.trace import Event, Tensor

MAX_OPERATIONS, MAX_LEAVES = 60, 16


def graph_of(case: Case, events: Sequence[Event], names: Sequence[str] = ()) -> Graph | None:
    """The graph of the first call that has lost a parameter, else of the first call of all.

    Parameters are the tensors under names that leaves had at any of the calls, and those under the given `names`.
    """
    leaves = {
        name for event in events for tensor in event.tensors[: event.leaves] for name in tensor.names[:1]
    }
    wanted = sorted((leaves | set(names)) - roots_of(events))
    looks = [(event, _marks(case, event, wanted)) for event in events if _is_listed(event)]
    if not looks:
        return None
    # With full marks nothing was lost that mattered.
    event, marks = next((look for look in looks if look[1] and not case.full), looks[0])
    return Graph(
        cell=event.cell,
        line=event.line,
        step=event.call,
        root=event.root.names[0] if event.root is not None and event.root.names else "",
        cut=_is_cut(event),
        leaves=()
        if _is_cut(event)
        else tuple(_label(tensor) for tensor in event.tensors[: event.leaves][:MAX_LEAVES]),
        operations=event.operations[:MAX_OPERATIONS],
        more=max(0, event.nodes - event.leaves - len(event.operations)),
        marks=() if case.full else tuple(marks[:MAX_LEAVES]),
    )


def roots_of(events: Sequence[Event]) -> set[str]:
    """The names of what gradients were asked of; a loss that was cut off and made a leaf is no parameter."""
    return {name for event in events if event.root is not None for name in event.root.names}


def _is_listed(event: Event) -> bool:
    """Whether the operations of a call were written down, or there were none."""
    return bool(event.operations) or _is_cut(event)


def _is_cut(event: Event) -> bool:
    return event.root is not None and event.root.made_by is None


def _label(tensor: Tensor) -> str:
    return tensor.names[0] if tensor.names else ""


def _marks(case: Case, event: Event, names: Sequence[str]) -> list[Mark]:
    """What became of each parameter at a call, or between it and the next call or error."""
    held = {name for tensor in event.tensors[: event.leaves] for name in tensor.names}
    others = {name: tensor for tensor in event.tensors[event.leaves :] for name in tensor.names}
    marks = []
    for name in names:
        if name not in held and name in others:
            marks.append(_lost(name, others[name], was_leaf=_was_leaf(case, event, name)))
    later = _error_after(case, event)
    afterwards = {} if later is None else {n: t for t in later.tensors for n in t.names}
    for tensor in event.tensors[: event.leaves]:
        for name in tensor.names[:1]:
            now = afterwards.get(name)
            if now is not None and now.number != tensor.number and not (now.leaf and now.requires_grad):
                marks.append(_lost(name, now, was_leaf=True))
    return marks


def _lost(name: str, tensor: Tensor, *, was_leaf: bool) -> Mark:
    if tensor.made_by is not None:
        return Mark(kind="rebound", name=name, made_by=tensor.made_by)
    if not tensor.requires_grad:
        return Mark(kind="replaced" if was_leaf else "untracked", name=name)
    return Mark(kind="unreached", name=name)


def _was_leaf(case: Case, event: Event, name: str) -> bool:
    """Whether a name stood for a leaf at an earlier call."""
    return any(
        name in tensor.names
        for earlier in case.gradient_events
        if earlier.order < event.order
        for tensor in earlier.tensors[: earlier.leaves]
    )


def _error_after(case: Case, event: Event) -> Event | None:
    """The look around at an error that ended a cell before the next gradient call."""
    following = [one for one in case.events if one.order > event.order and one.kind in (event.kind, "error")]
    first = min(following, key=lambda one: one.order, default=None)
    return first if first is not None and first.kind == "error" and first.cell == event.cell else None
