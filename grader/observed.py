"""What a submission did in its own run and, in functions that it only defines, when checks called them on public arguments."""

from collections.abc import Sequence

from msgspec.structs import replace

from grader.model import Call, Run
from grader.trace import Event, Trace


def with_calls(run: Run, calls: Sequence[Call]) -> Run:
    """The run as if it had made some calls at its end; of a place that it came by itself, its own visits are enough."""
    for call in calls:
        known = {(error.cell, error.line) for error in run.errors} | _places(run.trace)
        new = [] if call.error is None or call.error.line is None else [call.error]
        if {(error.cell, error.line) for error in new} & known or _places(call.trace) & known:
            continue
        run = replace(run, errors=(*run.errors, *new), trace=_joined(run.trace, call.trace))
    return run


def _places(trace: Trace) -> set[tuple[int | None, int | None]]:
    return {(event.cell, event.line) for event in trace.events if event.kind in ("backward", "grad")}


def _joined(trace: Trace, later: Trace) -> Trace:
    """Two traces as one; the look around at the end stays the last event."""
    ends = tuple(event for event in trace.events if event.kind == "end")
    before = tuple(event for event in trace.events if event.kind != "end")
    past = max((*(event.order for event in before), *(act.order for act in trace.acts)), default=-1) + 1
    events: list[Event] = [*before, *(replace(event, order=event.order + past) for event in later.events)]
    last = max((event.order for event in events), default=0) + 1
    return replace(
        trace,
        trainings=(*trace.trainings, *later.trainings),
        events=(*events, *(replace(event, order=last) for event in ends)),
        acts=(*trace.acts, *(replace(act, order=act.order + past) for act in later.acts)),
    )
