"""What a report draws of a training, as numbers: its curves, its gradients, its graph, and the valley that it went down.

All of it was read off a trace (`grader/evidence/training.py`), so it explains, and proves nothing.
"""

from typing import Literal

import msgspec

from grader.trace import Operation

# (step, value), steps counted from 0; null where the value was not finite.
Point = tuple[int, float | None]
Curve = tuple[Point, ...]


class Curves(msgspec.Struct, frozen=True, kw_only=True):
    """The loss, and each parameter by the name that the learner gave it, at the steps that were looked at."""

    loss: Curve = ()
    parameters: dict[str, Curve] = {}


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter's gradient. seen: what `.grad` held after each call; right: what it should have held.

    whole: whether `right` is the gradient of the mean squared error over all data, else it is what the call itself added.
    """

    name: str
    seen: Curve
    right: Curve
    whole: bool


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter that the graph lost.

    unreached: the loss does not depend on it. untracked: it asks for no gradient. rebound: its name came to stand for what the
    operation `made_by` gave. replaced: for another tensor, which asks for no gradient.
    """

    kind: Literal["unreached", "untracked", "rebound", "replaced"]
    name: str
    made_by: str = ""


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The autograd graph at one call: `leaves` by name, `operations` with the loss's own first.

    cut: the loss hangs on no graph at all. more: how many operations are not listed.
    """

    cell: int
    line: int
    step: int
    root: str
    cut: bool
    leaves: tuple[str, ...]
    operations: tuple[Operation, ...]
    more: int
    marks: tuple[Mark, ...] = ()


class Descent(msgspec.Struct, frozen=True, kw_only=True):
    """The training that made a result: where it was called, how often, and what was seen of it.

    line: the names of slope and intercept, where they are parameters of the data's own line.
    """

    cell: int
    line_number: int
    calls: int
    curves: Curves
    slopes: tuple[Slope, ...] = ()
    graph: Graph | None = None
    line: tuple[str, str] | None = None


class Valley(msgspec.Struct, frozen=True, kw_only=True):
    """The mean squared error of y = w·x + b on some data, as a function of (w, b), by the means that it is made of."""

    xx: float
    x: float
    xy: float
    y: float
    yy: float
    count: int


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to draw. own: of the submission; mended: of the last rerun that proved a mend.

    reference: what the exercise's own descent does on the learner's data, from the learner's start.
    """

    own: Descent | None = None
    mended: Descent | None = None
    reference: Curves | None = None
    valley: Valley | None = None
