"""What the probe recorded of a run. It comes from the learner's process: it explains, and proves nothing."""

from typing import Literal

import msgspec

from grader.values import Array


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf tensor at one backward (or grad) call.

    `before` is its `.grad` before the call (None where it had none), `after` the one after it; for
    `torch.autograd.grad` and `torch.func.grad`, `after` is the gradient returned.
    """

    names: tuple[str, ...]
    value: Array
    before: Array | None
    after: Array | None


class GradientCall(msgspec.Struct, frozen=True, kw_only=True):
    """One backward (or grad) call. `number` counts from 0 within its training.

    `saved` are indices into `Trace.arrays`: the tensors the graph kept for the backward pass.
    """

    number: int
    leaves: tuple[Leaf, ...]
    saved: tuple[int, ...] = ()


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """All backward (or grad) calls made from one place: the same cell and the same lines of code."""

    cell: int
    line: int
    calls: int
    seen: tuple[GradientCall, ...]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a watched name was bound to, in the order of binding."""

    name: str
    array: Array


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """A tensor as it was at one moment.

    names: those under which the code that was running could see it (`w`, `net.weight`, `params[0]`, `self.w`).
    number: of the object; no two tensors of a run share one. storage: of its memory; views share one.
    made_by: the operation that made it (`MulBackward0`); None for a leaf. value and grad: copies, where it is
    small; of a large one `grad` is None although `has_grad`.
    """

    names: tuple[str, ...]
    number: int
    storage: int
    leaf: bool
    requires_grad: bool
    made_by: str | None
    dtype: str
    shape: tuple[int, ...]
    parameter: bool = False
    value: Array | None = None
    has_grad: bool = False
    grad: Array | None = None


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A list or dict of tensors that a name holds.

    tensors: how many; tracked: how many of them hold on to a graph; storages: how many different memories
    they have; shares_with: names of tensors whose memory one of them has.
    """

    name: str
    tensors: int
    tracked: int
    storages: int
    shares_with: tuple[str, ...] = ()


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the autograd graph under a root, the root's own first.

    inputs: for each input that needs a gradient, the index of the operation that made it, or -1 - k for the
    k-th of the event's leaves. shape: of its result. settings: plain numbers it kept (`exponent`, `dim`, …);
    saved: the shapes of the tensors it kept.
    """

    name: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...] = ()
    settings: dict[str, float | str | None] = {}
    saved: tuple[tuple[int, ...], ...] = ()


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """What backward (or grad) was called on: the loss, as a rule."""

    names: tuple[str, ...]
    number: int
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    made_by: str | None
    value: Array | None = None


class Optimizer(msgspec.Struct, frozen=True, kw_only=True):
    """An optimizer: its number, class, the numbers of its tensors, and its settings (`lr`, `momentum`, …)."""

    number: int
    kind: str
    tensors: tuple[int, ...]
    settings: dict[str, float | str | bool | None] = {}


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One operation on tensors in the first steps, in the order of execution.

    name: as torch names it (`mul`, `Tensor.sub_`, `Tensor.grad.__set__`, `Tensor.item`). inputs and output:
    numbers of tensors; constants: other arguments that are plain numbers. tracked: whether an input requires a gradient;
    recorded: whether autograd was on.
    """

    order: int
    cell: int
    line: int
    name: str
    inputs: tuple[int, ...]
    output: int | None
    constants: tuple[float, ...] = ()
    tracked: bool
    recorded: bool


EventKind = Literal["backward", "grad", "optimizer", "step", "zero", "error", "end"]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, at a moment at which the probe looked around.

    kind: `backward`, `grad`: a gradient was asked for (looked at just before). `optimizer`: one was made.
    `step`, `zero`: its method was called, or a module's `zero_grad` (looked at just before). `error`: a cell
    ended in an exception; `end`: the last cell has ended.

    order: counts all such calls of the run, also those not kept (of each place the first 20, then ever fewer
    are). call: counts those of the same kind from the same place, from 0. cell, line, function: the place in the
    learner's code (function: `<module>` outside of any). recorded: whether autograd was on. within: the lines of
    the calls that led there, as (cell, line), innermost first.

    tensors: those in sight of the code, at `backward` with the leaves of the graph first (`leaves` of them).
    plain: names in sight that hold a finite Python number; types: the types of what else names hold.
    raised: the exception that a `backward` or `step` ended in. after: of a `step`, values of the optimizer's tensors
    afterwards, by number; of a `backward` and a `grad`, the gradients.
    """

    kind: EventKind
    order: int
    call: int
    cell: int
    line: int
    function: str
    within: tuple[tuple[int, int], ...] = ()
    recorded: bool = True
    tensors: tuple[Tensor, ...] = ()
    leaves: int = 0
    plain: dict[str, float] = {}
    types: dict[str, str] = {}
    holders: tuple[Holder, ...] = ()
    root: Root | None = None
    operations: tuple[Operation, ...] = ()
    nodes: int = 0
    retain_graph: bool = False
    create_graph: bool = False
    optimizer: Optimizer | None = None
    raised: str = ""
    after: dict[int, Array] = {}


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What the probe recorded. It comes from the student's process: it explains, and proves nothing."""

    trainings: tuple[Training, ...] = ()
    arrays: tuple[Array, ...] = ()
    versions: tuple[Version, ...] = ()
    exchanged: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    acts: tuple[Act, ...] = ()
    truncated: bool = False
