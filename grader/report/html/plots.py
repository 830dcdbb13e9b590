"""Plots as SVG that a page can hold; their colours are the page's own, so that a plot is light or dark with it.

matplotlib says which numbers stand on an axis and thins lines out, and its contours are drawn. Its figures are not:
they draw each tick as several objects, and a page of four plots took eight times as long.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import contourpy
import numpy as np
from markupsafe import Markup
from matplotlib.cbook import pts_to_poststep
from matplotlib.path import Path
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import NDArray

from grader.picture import Curve, Valley
from grader.valley import bottom, height

# In pixels, of which a page makes as many as it has room for; without the room for numbers.
WIDTH, HEIGHT = 360.0, 230.4
LEFT, RIGHT, TOP, BOTTOM = 46.8, 349.2, 9.2, 207.4
# How lines are drawn: how wide, and dashed how.
STYLES = {"own": (2.2, ""), "mended": (1.8, "11.5 2.9 1.8 2.9"), "reference": (1.6, "3.2 3.2")}
# From which ratio of the largest loss to the smallest on they are drawn by their powers of ten.
WIDE = 30
LARGEST, SMALLEST = 1e60, 1e-60
FEW = 5
LEVELS = 9
GRID = 48
MARGIN = 0.05
# Numbers that differ by so little are drawn as one.
ALIKE = 1e-12
NUMBERS_ACROSS, NUMBERS_UP = 7, 8
ROUND = (1, 2, 2.5, 5, 10)

Points = Sequence[tuple[float, float]]
Numbers = NDArray[np.float64]


class Line(NamedTuple):
    """A line of a plot: whose it is, and its points."""

    of: str
    points: Points


def finite(curve: Curve) -> list[tuple[float, float]]:
    """The points of a curve that an axis has room for."""
    return [
        (step, value)
        for step, value in curve
        if value is not None and abs(value) < LARGEST and abs(step) < LARGEST
    ]


def losses(lines: Sequence[Line], name: str, title: str) -> Markup:
    """The loss by the step."""
    values = [value for _, value in _all(lines)]
    powers = min(values) > SMALLEST and max(values) > WIDE * min(values)
    sheet = _Sheet(_across(lines), _Axis.over(values, BOTTOM, TOP, powers=powers))
    return sheet.svg(name, title, [sheet.line(line, dot=_dot(line)) for line in lines])


def steps(lines: Sequence[Line], name: str, title: str, *, stairs: bool) -> Markup:
    """A gradient by the step; with stairs, as it stays until the next call."""
    up = _Axis.over([0.0, *(value for _, value in _all(lines))], BOTTOM, TOP)
    sheet = _Sheet(_across(lines, whole=True), up)
    zero = Markup('<path style="stroke: var(--faint)" d="M{} {:.1f}H{}"/>').format(
        LEFT, up.at([0.0])[0], RIGHT
    )
    return sheet.svg(
        name,
        title,
        [
            zero,
            *(sheet.line(line, dot=0 if line.of == "reference" else 4.5, stairs=stairs) for line in lines),
        ],
    )


def paths(lines: Sequence[Line], valley: Valley, name: str, title: str) -> Markup:
    """The ways of (w, b) over the contours of the loss, with its lowest point."""
    lowest = bottom(valley)
    (left, right), (low, high) = _window(lines, lowest)
    sheet = _Sheet(_Axis(left, right, LEFT, RIGHT), _Axis(low, high, BOTTOM, TOP))
    drawn = [sheet.contours(valley, lowest)]
    for line in lines:
        drawn += [sheet.line(line, dot=_dot(line)), sheet.dots(line.points[:1], line.of, 7)]
    x, y = sheet.places([lowest])[0]
    drawn.append(
        Markup(
            '<path style="stroke: var(--ink); stroke-width: 2.2" d="M{:.1f} {:.1f}h13m-6.5 -6.5v13"/>'
        ).format(x - 6.5, y)
    )
    return sheet.svg(name, title, drawn)


def _all(lines: Iterable[Line]) -> list[tuple[float, float]]:
    return [point for line in lines for point in line.points]


def _dot(line: Line) -> float:
    """How large the dots on a line are: only the learner's own has some."""
    if line.of != "own":
        return 0
    return 6 if len(line.points) < FEW else 3.6


def _window(lines: Sequence[Line], lowest: tuple[float, float]) -> list[tuple[float, float]]:
    """What is seen of the valley: its lowest point, the starts, and of the ways what is not too far off."""
    window = []
    for k in (0, 1):
        anchors = [lowest[k], *(line.points[0][k] for line in lines)]
        anchors += [point[k] for line in lines if line.of == "reference" for point in line.points]
        reach = max(anchors) - min(anchors) or 1.0
        low, high = min(anchors) - reach, max(anchors) + reach
        near = anchors + [point[k] for line in lines for point in line.points if low <= point[k] <= high]
        margin = 0.08 * (max(near) - min(near) or 1.0)
        window.append((min(near) - margin, max(near) + margin))
    return window


# ---- drawing ------------------------------------------------------------------------------------


class _Axis(NamedTuple):
    """Which numbers, or powers of ten, lie between which pixels."""

    low: float
    high: float
    start: float
    end: float
    powers: bool = False
    whole: bool = False

    @classmethod
    def over(
        cls, values: Sequence[float], start: float, end: float, *, powers: bool = False, whole: bool = False
    ) -> "_Axis":
        """An axis with room for all of them, and for a margin."""
        low, high = (math.log10(value) if powers else value for value in (min(values), max(values)))
        largest = max(abs(low), abs(high), SMALLEST)
        margin = MARGIN * (largest if high - low <= ALIKE * largest else high - low)
        return cls(low - margin, high + margin, start, end, powers, whole)

    def at(self, values: Any) -> Numbers:
        """The pixels of these numbers."""
        numbers = np.asarray(values, dtype=float)
        shown = np.log10(numbers) if self.powers else numbers
        placed: Numbers = self.start + (shown - self.low) / (self.high - self.low) * (self.end - self.start)
        return placed

    def numbers(self, most: int) -> list[float]:
        """The numbers that stand on it, at most so many or one more."""
        if self.powers:
            found = LogLocator(numticks=most - 2).tick_values(10.0**self.low, 10.0**self.high)
        else:
            found = MaxNLocator(most, steps=ROUND, integer=self.whole).tick_values(self.low, self.high)
        first, last = sorted((self.start, self.end))
        return [
            float(value) for value, place in zip(found, self.at(found), strict=True) if first <= place <= last
        ]


def _across(lines: Iterable[Line], *, whole: bool = False) -> _Axis:
    return _Axis.over([step for step, _ in _all(lines)], LEFT, RIGHT, whole=whole)


class _Sheet(NamedTuple):
    """What a plot is drawn on: its axes."""

    across: _Axis
    up: _Axis

    def places(self, points: Any) -> Numbers:
        """The pixels of points, (points, 2)."""
        given = np.asarray(points, dtype=float)
        return np.column_stack((self.across.at(given[:, 0]), self.up.at(given[:, 1])))

    def line(self, line: Line, *, dot: float, stairs: bool = False) -> Markup:
        """A line, with dots of this size where its points are; 0 for none."""
        points = np.asarray(line.points, dtype=float)
        through = np.transpose(np.asarray(pts_to_poststep(*points.T))) if stairs else points
        width, dashes = STYLES[line.of]
        drawn = Markup('<path style="stroke: var(--{}); stroke-width: {}{}" d="{}"/>').format(
            line.of, width, dashes and f"; stroke-dasharray: {dashes}", _through(self.places(through))
        )
        return drawn + self.dots(line.points, line.of, dot) if dot else drawn

    def dots(self, points: Points, of: str, size: float) -> Markup:
        """Dots, drawn as lines of no length with round ends."""
        places = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in self.places(points))
        return Markup(
            '<path style="stroke: var(--{}); stroke-width: {}; stroke-linecap: round" d="{}"/>'
        ).format(of, size, places)

    def contours(self, valley: Valley, lowest: tuple[float, float]) -> Markup:
        """The contours of a valley, equally far apart on its walls, which are parabolas."""
        w, b = np.meshgrid(*(np.linspace(axis.low, axis.high, GRID) for axis in self))
        with np.errstate(all="ignore"):
            over = np.asarray(height(valley, w, b)) - height(valley, *lowest)
        highest = float(over.max())
        if not 0 < highest < math.inf:
            return Markup()
        levels = highest * (np.arange(1, LEVELS + 1) / (LEVELS + 1)) ** 2
        found = contourpy.contour_generator(w, b, over).multi_lines(levels)
        drawn = "".join(_through(self.places(line)) for lines in found for line in lines)
        return Markup('<path style="stroke: var(--faint); stroke-width: 0.9" d="{}"/>').format(drawn)

    def svg(self, name: str, title: str, drawn: Iterable[Markup]) -> Markup:
        """The plot; what is drawn on it is cut off at its edges."""
        return Markup(
            '<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {} {}">{}'
            '<clipPath id="{}room"><rect x="{}" y="{}" width="{:.1f}" height="{:.1f}"/></clipPath>'
            '<g fill="none" clip-path="url(#{}room)">{}</g></svg>'
        ).format(
            title, WIDTH, HEIGHT, self._numbers(), name, LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP, name,
            Markup().join(drawn),
        )  # fmt: skip

    def _numbers(self) -> Markup:
        """The axes, the grid, and its numbers."""
        grid, words = "", Markup()
        for value in self.across.numbers(NUMBERS_ACROSS):
            x = self.across.at([value])[0]
            grid += f"M{x:.1f} {BOTTOM}V{TOP}"
            words += Markup('<text style="text-anchor: middle" x="{:.1f}" y="219.2">{}</text>').format(
                x, _short(value)
            )
        for value in self.up.numbers(NUMBERS_UP):
            y = self.up.at([value])[0]
            grid += f"M{LEFT} {y:.1f}H{RIGHT}"
            words += Markup('<text style="text-anchor: end" x="43.3" y="{:.1f}">{}</text>').format(
                y + 4.2, _short(value)
            )
        return Markup(
            '<path style="fill: none; stroke: var(--faint); stroke-width: 0.5" d="{}"/>'
            '<path style="fill: none; stroke: var(--faint); stroke-width: 0.8" d="M{} {}V{}H{}"/>{}'
        ).format(grid, LEFT, TOP, BOTTOM, RIGHT, words)


def _through(places: Numbers) -> str:
    """The path through places, without points that nobody would see."""
    path = Path(places).cleaned(simplify=True)
    return "".join(
        f"{'M' if code == Path.MOVETO else 'L'}{x:.1f} {y:.1f}"
        for (x, y), code in zip(np.asarray(path.vertices), np.asarray(path.codes), strict=True)
        if code in (Path.MOVETO, Path.LINETO)
    )


def _short(value: float) -> str:
    return f"{value:g}".replace("-", "−")
