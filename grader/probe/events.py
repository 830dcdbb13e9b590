"""Records what happens in a training, at its boundaries: gradient calls, optimizers, errors, and the end.

Patched are the constructor and `zero_grad` of optimizers, `zero_grad` of modules; steps are heard of by torch's
own hooks. Gradient calls are told by `probe.calls`. Of each place the first `FIRST` calls are looked at, then
ever fewer: half as many again each time. Where looking fails, since names and tensors may be of the learner's own
classes, the call goes unrecorded.
"""

from collections.abc import Callable, Iterable
from functools import partial
from types import FrameType, TracebackType
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from grader.probe.encode import Encoded, type_name
from grader.probe.graph import GradientCall, tensors_in
from grader.probe.itself import Watcher
from grader.probe.optimizers import after_method, before_method, settings_of, tensors_of
from grader.probe.places import cell_number, learner_frames
from grader.probe.tensors import Memories, Numbering, Sight, copied, describe_tensor, in_sight, sight_of

FIRST = 20
SPREAD, LOOKS = 2, 40
MAX_PLACES = 200
MAX_EVENTS = 1_500
MAX_WITHIN = 4
# The graph is listed for so many calls of a place; what a loop builds is the same in each step, but for its length.
GRAPHS = 3
# When lists are looked at: early on they are short, and every element is seen again at the end.
HOLDERS_AT = (2, 15)
MAX_TEXT = 80
MAX_TENSORS = 16

After = Callable[[str, Any], None]


class _Place:
    """One place that events of one kind come from."""

    def __init__(self) -> None:
        self.calls = 0

    def wants(self, later: frozenset[int]) -> bool:
        """Whether this call is one to look at; counts it."""
        number, self.calls = self.calls, self.calls + 1
        return number < FIRST or number in later


class EventRecorder(Watcher):
    """Keeps the events of a run, in their order."""

    def __init__(self, numbering: Numbering) -> None:
        self._numbering = numbering
        # The later calls that are looked at: 20, 30, 45, … half as many again each time.
        self._later = frozenset(int(FIRST * (1 + 1 / SPREAD) ** k) for k in range(LOOKS))
        self.clear()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._memories = Memories()
        self._events: list[Encoded] = []
        self._places: dict[tuple[Any, ...], _Place] = {}
        self.order = 0
        self.truncated = False

    def install(self) -> None:
        """Put the recording methods in the place of torch's."""
        after_method(torch.optim.Optimizer, "__init__", partial(self._guarded, self._optimizer_made))
        zeroed = partial(self._guarded, self._zeroed)
        before_method(torch.optim.Optimizer, "zero_grad", zeroed)
        before_method(torch.nn.Module, "zero_grad", zeroed)
        register_optimizer_step_pre_hook(self._step_begins)
        register_optimizer_step_post_hook(self._step_ends)
        self._steps: dict[int, Encoded] = {}

    def events(self) -> list[Encoded]:
        """The events kept."""
        return self._events

    # ---- what happens -----------------------------------------------------------------------

    def counts(self, call: int) -> bool:
        """Count a gradient call, the `call`-th from its place; whether it is one to look at."""
        self.order += 1
        return call < FIRST or call in self._later

    def gradient_call(self, call: GradientCall) -> After | None:
        """A counted gradient is about to be asked for; what is returned is to be told the exception it ends in, or '', and its result."""
        after: After | None = self._guarded(self._gradient_call, call)
        return after

    def error(self, traceback: TracebackType | None) -> None:
        """A cell has ended in an exception: look around from where the learner's code was."""
        frames: list[FrameType] = []
        while traceback is not None:
            if cell_number(traceback.tb_frame.f_code.co_filename) is not None:
                frames.insert(0, traceback.tb_frame)
            traceback = traceback.tb_next
        if frames:
            self._guarded(self._around, "error", frames)

    def end(self, namespace: dict[str, Any]) -> None:
        """The last cell has ended."""
        self._guarded(self._at_end, namespace)

    # ---- looking ----------------------------------------------------------------------------

    def _begin(self, kind: str, frames: list[FrameType]) -> Encoded | None:
        """Count an event; its record, where it is one to keep."""
        self.order += 1
        key = (kind, *((frame.f_code.co_filename, frame.f_lineno) for frame in frames))
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= MAX_PLACES:
                self.truncated = True
                return None
            place = self._places[key] = _Place()
        call = place.calls
        return self._record(kind, frames, call) if place.wants(self._later) else None

    def _record(self, kind: str, frames: list[FrameType], call: int) -> Encoded | None:
        if len(self._events) >= MAX_EVENTS:
            return None
        inner = frames[0]
        event: Encoded = {
            "kind": kind,
            "order": self.order,
            "call": call,
            "cell": cell_number(inner.f_code.co_filename) or 0,
            "line": inner.f_lineno,
            "function": inner.f_code.co_name[:MAX_TEXT],
            "within": [
                (cell_number(frame.f_code.co_filename) or 0, frame.f_lineno)
                for frame in frames[1 : 1 + MAX_WITHIN]
            ],
            "recorded": torch.is_grad_enabled(),
        }
        self._events.append(event)
        return event

    def _look(self, event: Encoded, sight: Sight, leaves: Iterable[torch.Tensor] = ()) -> None:
        event["tensors"], event["leaves"] = in_sight(sight, leaves, self._numbering, self._memories)
        event["plain"], event["types"] = sight.plain(), sight.types()
        if event["call"] in HOLDERS_AT or event["kind"] in ("error", "end"):
            event["holders"] = sight.holders(self._memories)

    def _gradient_call(self, call: GradientCall) -> After | None:
        event = self._record(call.kind, call.frames, call.number)
        if event is None:
            return None
        graph, sight = call.graph, sight_of(call.frames)
        self._look(event, sight, graph.leaves)
        if call.number < GRAPHS:
            event["operations"] = graph.operations()
        event["nodes"] = len(graph.nodes)
        event["retain_graph"] = bool(call.options.get("retain_graph"))
        event["create_graph"] = bool(call.options.get("create_graph"))
        if call.roots:
            event["root"] = self._root(call.roots[0], sight)
        numbers = [(self._numbering.of(leaf), leaf) for leaf in graph.leaves]

        def after(raised: str, result: Any) -> None:
            event["raised"] = raised[:MAX_TEXT]
            grads = [(number, leaf.grad) for number, leaf in numbers if leaf.grad is not None]
            if isinstance(result, tuple):  # of `grad`, which leaves `.grad` as it is
                asked = map(self._numbering.of, tensors_in(call.options.get("inputs", ())))
                grads = [one for one in zip(asked, result, strict=False) if isinstance(one[1], torch.Tensor)]
            event["after"] = _values(grads)

        return lambda raised, result: self._guarded(after, raised, result)

    def _root(self, root: torch.Tensor, sight: Sight) -> Encoded:
        names = [name for name, tensor in sight.tensors() if tensor is root]
        described = describe_tensor(root, names[:3], self._numbering, self._memories)
        wanted = ("names", "number", "shape", "dtype", "requires_grad", "made_by", "value")
        return {name: described[name] for name in wanted}

    def _optimizer(self, optimizer: torch.optim.Optimizer) -> Encoded:
        return {
            "number": self._numbering.of(optimizer),
            "kind": type_name(optimizer),
            "tensors": [self._numbering.of(tensor) for tensor in tensors_of(optimizer)],
            "settings": settings_of(optimizer.defaults),
        }

    def _optimizer_made(self, optimizer: torch.optim.Optimizer) -> None:
        frames = learner_frames()
        event = self._begin("optimizer", frames) if frames else None
        if event is not None:
            self._look(event, sight_of(frames), tensors_of(optimizer))
            event["optimizer"] = self._optimizer(optimizer)

    def _zeroed(self, owner: Any) -> None:
        frames = learner_frames()
        event = self._begin("zero", frames) if frames else None
        if event is not None and isinstance(owner, torch.optim.Optimizer):
            event["optimizer"] = self._optimizer(owner)

    def _step_begins(self, optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        self._guarded(self._step, optimizer)

    def _step(self, optimizer: torch.optim.Optimizer) -> None:
        frames = learner_frames()
        event = self._begin("step", frames) if frames else None
        if event is not None:
            held = tensors_of(optimizer)
            event["tensors"] = [
                describe_tensor(tensor, (), self._numbering, self._memories) for tensor in held
            ]
            event["leaves"] = len(held)
            event["optimizer"] = self._optimizer(optimizer)
            self._steps[id(optimizer)] = event

    def _step_ends(self, optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
        event = self._steps.pop(id(optimizer), None)
        if event is not None:
            self._guarded(self._step_after, event, optimizer)

    def _step_after(self, event: Encoded, optimizer: torch.optim.Optimizer) -> None:
        event["after"] = _values((self._numbering.of(tensor), tensor) for tensor in tensors_of(optimizer))

    def _around(self, kind: str, frames: list[FrameType]) -> None:
        event = self._begin(kind, frames)
        if event is not None:
            self._look(event, sight_of(frames))

    def _at_end(self, namespace: dict[str, Any]) -> None:
        self.order += 1
        event: Encoded = {"kind": "end", "order": self.order, "call": 0, "cell": 0, "line": 0}
        event |= {"function": "<module>", "recorded": torch.is_grad_enabled()}
        self._look(event, Sight([namespace]))
        self._events.append(event)


def _values(tensors: Iterable[tuple[int, torch.Tensor]]) -> dict[str, Encoded]:
    encoded = ((number, copied(tensor)) for number, tensor in tensors)
    return {str(number): value for number, value in encoded if value is not None}
