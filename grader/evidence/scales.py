"""Lines that were found on scaled data, taken back to the units of x and y."""

from typing import NamedTuple

import numpy as np

from grader.arrays import Numbers, to_numpy
from grader.batches import Scale, usual_scales
from grader.evidence.case import Case
from grader.evidence.lines import own_data

# Share of the line's own numbers by which it may differ.
NEAR = 0.05
MAX_ARRAYS = 40


class Undone(NamedTuple):
    """A line in the data's units, and the scales of x and y in whose units it was found."""

    slope: float
    intercept: float
    of_x: Scale
    of_y: Scale


def line_undone(case: Case, w: float, b: float, line: tuple[float, float]) -> Undone | None:
    """The line in the data's units, if it is the best one under some scaling of x and of y that the run may have used."""
    pair = own_data(case)
    if pair is None:
        return None
    plain = Scale(1.0, 0.0)
    own = [
        scale
        for array in case.run.trace.arrays[:MAX_ARRAYS]
        if (scale := _between(pair.x, to_numpy(array))) is not None
    ]
    size = max(float(np.abs(pair.x).max()), 1e-9)
    for of_x in dict.fromkeys([*usual_scales(pair.x), *own]):
        for of_y in usual_scales(pair.y):
            if (of_x, of_y) == (plain, plain):
                continue
            slope = w * of_x.factor / of_y.factor
            intercept = (w * of_x.offset + b - of_y.offset) / of_y.factor
            if abs(slope - line[0]) <= NEAR * abs(line[0]) and abs(intercept - line[1]) <= NEAR * (
                abs(line[1]) + abs(line[0]) * size
            ):
                return Undone(slope, intercept, of_x, of_y)
    return None


def in_words_of(name: str, values: Numbers, scale: Scale) -> tuple[str, str]:
    """A scale of a name's data in terms of that name: what is taken away, and by what is divided; "" for nothing."""
    shift, divisor = -scale.offset / scale.factor, 1 / scale.factor
    low, high = float(values.min()), float(values.max())
    shifts = {"": 0.0, f"{name}.mean()": float(values.mean()), f"{name}.min()": low}
    divisors = {
        "": 1.0,
        f"{name}.std()": float(values.std()),
        f"({name}.max() - {name}.min())": high - low,
        f"{name}.max()": high,
    }
    return _called(shift, shifts, high - low), _called(divisor, divisors, high - low)


def _called(number: float, known: dict[str, float], size: float) -> str:
    near = (text for text, value in known.items() if abs(value - number) <= 0.01 * size)
    return next(near, f"{number:.6g}")


def _between(values: Numbers, scaled: Numbers) -> Scale | None:
    """The scale that takes one array to another."""
    flat = scaled.reshape(-1).astype(np.float64)
    if flat.size != values.size or not np.all(np.isfinite(flat)) or float(np.ptp(flat)) == 0:
        return None
    factor = float(np.ptp(flat) / np.ptp(values))
    offset = float(flat[values.argmin()]) - factor * float(values.min())
    close = np.abs(factor * values + offset - flat) <= 1e-5 * float(np.abs(flat).max())
    return Scale(factor, offset) if bool(close.all()) else None
