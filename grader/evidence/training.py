"""The training that made a submission's result, read off its trace for a report's plots."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from grader.arrays import Numbers
from grader.evidence.case import Case, numbers_of
from grader.evidence.graph import graph_of, roots_of
from grader.evidence.lines import at_end
from grader.exchange import data_pairs
from grader.exercise import FittedLine
from grader.picture import Curve, Curves, Descent, Pictures, Slope, Valley
from grader.steps import NAMELESS, Component, components
from grader.trace import Event
from grader.valley import descend, gradient, height, valley_of

MAX_PARAMETERS = 8
# More than any run gives that is watched as it should be.
MAX_LOOKS = 400
# A training counts as an afterthought beside one that made so many times its calls.
AFTERTHOUGHT = 10
# How closely one number has to stand for all of a run, to be taken for a constant of it.
STEADY = 0.01
LEAST_POINTS = 3
OF_A_LINE = 2

Step = tuple[int, Sequence[Component]]


def pictures(case: Case, mended: Case | None, line: FittedLine | None) -> Pictures:
    """What there is to draw of a submission and of its mended form; nothing of traces that contradict themselves."""
    try:
        return _pictures(case, mended, line)
    except (ValueError, TypeError, ArithmeticError, LookupError, AssertionError):
        return Pictures()


def _pictures(case: Case, mended: Case | None, line: FittedLine | None) -> Pictures:
    with np.errstate(all="ignore"):
        valley = None if line is None else _valley(case, line)
        own = _descent(case, line, valley)
        return Pictures(
            own=own,
            mended=None if mended is None else _descent(mended, line, valley),
            reference=_reference(own, line, valley),
            valley=None if own is None or own.line is None else valley,
        )


def _reference(own: Descent | None, line: FittedLine | None, valley: Valley | None) -> Curves | None:
    """The exercise's own descent, on the learner's data, from where the learner's parameters first were."""
    if own is None or own.line is None or line is None or valley is None:
        return None
    w, b = (own.curves.parameters[name][0][1] for name in own.line)
    return None if w is None or b is None else descend(valley, (w, b), line.rate, line.steps, own.line)


def _valley(case: Case, line: FittedLine) -> Valley | None:
    """The valley of the learner's data: the last pair of watched arrays, else what the names held at the end."""
    pairs = data_pairs(case.run.trace.versions, line.x, line.y)
    x, y = (pairs[-1].x, pairs[-1].y) if pairs else (at_end(case, line.x), at_end(case, line.y))
    if x is None or y is None or x.size != y.size or x.size < LEAST_POINTS:
        return None
    return valley_of(x, y)


def _descent(case: Case, line: FittedLine | None, valley: Valley | None) -> Descent | None:
    events = _result_events(case)
    if not events:
        return None
    names = () if line is None else (line.slope, line.intercept)
    calls, seen = _seen(case, events)
    curves = Curves(loss=_losses(events), parameters=_denser(_parameters(case, events, names), seen))
    pair = _pair(seen, names, valley)
    found = _line(case, curves, pair, names, valley)
    whole = valley if valley is not None and found is not None and _takes_all(events, valley) else None
    return Descent(
        cell=events[0].cell,
        line_number=events[0].line,
        calls=calls,
        curves=curves,
        slopes=_slopes(seen, pair, whole, _places(curves, found)),
        graph=graph_of(case, events, names),
        line=found,
    )


def _result_events(case: Case) -> list[Event]:
    """The gradient calls of the training that made the result: the last, but for afterthoughts to a longer one."""
    places: dict[object, list[Event]] = {}
    for event in case.gradient_events:
        places.setdefault((event.kind, event.cell, event.line, event.within), []).append(event)
    calls = {place: max(event.call for event in events) + 1 for place, events in places.items()}
    longest = max(calls.values(), default=0)
    chosen = [events for place, events in places.items() if calls[place] * AFTERTHOUGHT >= longest]
    return max(chosen, key=lambda events: events[-1].order, default=[])[:MAX_LOOKS]


# ---- curves -------------------------------------------------------------------------------------


def _losses(events: Sequence[Event]) -> Curve:
    values = [(event.call, numbers_of(event.root.value)) for event in events if event.root is not None]
    return tuple((call, _finite(value[0])) for call, value in values if value is not None and value.size == 1)


def _parameters(case: Case, events: Sequence[Event], names: Sequence[str]) -> dict[str, Curve]:
    """The first few numbers of the named parameters."""
    found: dict[str, Curve] = {}
    owners = [name.partition("[")[0] for name in names]
    unwanted = roots_of(events) | {""}
    for name, moments in case.moments(events, (*names, *owners)).items():
        size = moments[0].value.size
        for k in range(0 if name in unwanted else size):
            label = name if size == 1 else f"{name}[{k}]"
            found[label] = tuple(
                (moment.event.call, _finite(moment.value[k]))
                for moment in moments
                if moment.value.size == size
            )
    return dict(list(found.items())[:MAX_PARAMETERS])


def _denser(parameters: dict[str, Curve], seen: Sequence[Step]) -> dict[str, Curve]:
    """The curves with the calls between, which were recorded with their leaves alone."""
    found = {name: dict(curve) for name, curve in parameters.items()}
    for number, parts in seen:
        for part in parts:
            if part.name in found:
                found[part.name].setdefault(number, _finite(part.value))
    return {name: tuple(sorted(curve.items())) for name, curve in found.items()}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


# ---- gradients ----------------------------------------------------------------------------------


def _seen(case: Case, events: Sequence[Event]) -> tuple[int, list[Step]]:
    """How many calls the training made, and those that were recorded, each with the same parameters."""
    place = events[0].cell, events[0].line
    there = [one for one in case.run.trace.trainings if (one.cell, one.line) == place and one.seen]
    if not there:
        return max(event.call for event in events) + 1, []
    longest = max(there, key=lambda training: training.calls)
    calls = [(call.number, components(call)) for call in longest.seen[:MAX_LOOKS]]
    unwanted = roots_of(events)
    calls = [(n, [part for part in parts if part.name not in unwanted]) for n, parts in calls]
    return longest.calls, [(n, parts) for n, parts in calls if parts and len(parts) == len(calls[0][1])]


def _pair(seen: Sequence[Step], names: Sequence[str], valley: Valley | None) -> tuple[int, int] | None:
    """Which of a training's two parameters are slope and intercept: by their names, else by their gradients."""
    if valley is None or not seen or len(seen[0][1]) != OF_A_LINE:
        return None
    labels = [part.name for part in seen[0][1]]
    if set(labels) == set(names):
        return labels.index(names[0]), labels.index(names[1])
    return min(itertools.permutations(range(OF_A_LINE), 2), key=lambda order: _apart(seen, order, valley))


def _apart(seen: Sequence[Step], order: Sequence[int], valley: Valley) -> float:
    """Sum of sin² of the angles between the gradients seen and those of the valley."""
    total = 0.0
    for _, parts in seen:
        own, right = _both(parts, order, valley)
        lengths = float((own @ own) * (right @ right))
        if 0 < lengths < math.inf:
            total += 1 - float(own @ right) ** 2 / lengths
    return total


def _both(parts: Sequence[Component], order: Sequence[int], valley: Valley) -> tuple[Numbers, Numbers]:
    """What a call added to the gradient, and the gradient of the valley at the same place."""
    w, b = (parts[k].value for k in order)
    return np.array([parts[k].gradient for k in order]), np.array(gradient(valley, w, b))


def _slopes(
    seen: Sequence[Step],
    pair: tuple[int, int] | None,
    valley: Valley | None,
    places: Mapping[int, tuple[float, float]],
) -> tuple[Slope, ...]:
    """Each parameter's gradient beside the valley's where the parameters stood, else beside what each call added."""
    if not seen:
        return ()
    factor = _factor(seen, pair, valley) if valley and pair else 1.0
    slopes = []
    for k, first in enumerate(seen[0][1][:MAX_PARAMETERS]):
        right: list[tuple[int, float | None]] = []
        for number, parts in seen:
            value = parts[k].gradient
            if valley and pair:
                # A leaf whose name was rebound stays where it was, while the parameter moves on.
                w, b = places.get(number, (parts[pair[0]].value, parts[pair[1]].value))
                value = factor * gradient(valley, w, b)[pair.index(k)]
            right.append((number, _finite(value)))
        held = tuple((number, _finite(parts[k].after)) for number, parts in seen)
        if first.name != NAMELESS:
            whole = valley is not None and pair is not None
            slopes.append(Slope(name=first.name, seen=held, right=tuple(right), whole=whole))
    return tuple(slopes)


def _places(curves: Curves, names: tuple[str, str] | None) -> dict[int, tuple[float, float]]:
    """Where slope and intercept stood, by the step."""
    if names is None:
        return {}
    w, b = (dict(curves.parameters[name]) for name in names)
    return {
        step: (slope, intercept)
        for step, slope in w.items()
        if slope is not None and (intercept := b.get(step)) is not None
    }


def _factor(seen: Sequence[Step], pair: tuple[int, int], valley: Valley) -> float:
    """The constant by which the learner's loss differs from the mean squared error, such as ½ or the number of samples; else 1."""
    ratios = []
    for _, parts in seen:
        own, right = _both(parts, pair, valley)
        ratios += [one / other for one, other in zip(own, right, strict=True) if abs(other) > STEADY]
    usual = float(np.median(ratios)) if ratios else 1.0
    steady = [abs(ratio - usual) <= STEADY * abs(usual) for ratio in ratios]
    return usual if math.isfinite(usual) and usual and sum(steady) > len(steady) / 2 else 1.0


def _takes_all(events: Sequence[Event], valley: Valley) -> bool:
    """Whether a step takes all data at once: some operation's result, or what it kept, has so many numbers."""
    shapes = [
        shape
        for event in events
        for operation in event.operations
        for shape in (operation.shape, *operation.saved)
    ]
    return any(math.prod(shape) == valley.count for shape in shapes)


# ---- the line -----------------------------------------------------------------------------------


def _line(
    case: Case, curves: Curves, pair: tuple[int, int] | None, names: Sequence[str], valley: Valley | None
) -> tuple[str, str] | None:
    """The names of slope and intercept, where the parameters are those of the data's own line."""
    if valley is None:
        return None
    known = list(curves.parameters)
    if set(names) <= set(known):
        slope, intercept = names
    elif pair is not None and len(known) == OF_A_LINE:
        slope, intercept = known[pair[0]], known[pair[1]]
    else:
        return None
    path = [curves.parameters[name] for name in (slope, intercept)]
    if _is_height(curves.loss, _places(curves, (slope, intercept)), valley) or _stayed(case, names, path):
        return slope, intercept
    return None


def _is_height(loss: Curve, places: Mapping[int, tuple[float, float]], valley: Valley) -> bool:
    """Whether the loss is the valley's height, but for a constant factor: not so where the data were scaled."""
    ratios = [
        value / over
        for step, value in loss
        if value is not None and step in places and (over := height(valley, *places[step])) > 0
    ]
    return bool(ratios) and max(ratios) - min(ratios) <= STEADY * abs(max(ratios))


def _stayed(case: Case, names: Sequence[str], path: Sequence[Curve]) -> bool:
    """Whether the exercise's names hold at the end what the training left in its parameters."""
    for name, curve in zip(names, path, strict=True):
        end, values = at_end(case, name), [value for _, value in curve if value is not None]
        if end is None or end.size != 1 or not values:
            return False
        moved = abs(values[-1] - values[-2]) if len(values) > 1 else math.inf
        if abs(float(end[0]) - values[-1]) > 2 * moved + STEADY * abs(values[-1]):
            return False
    return True
