"""Plots as SVG that a page can hold: matplotlib draws lines and numbers, the page has the words and the colours.

Each colour that is drawn stands for one of the page's own, so that a plot is light or dark with it.
"""

import io
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from grader.picture import Curve, Valley
from grader.valley import bottom, height

SIZE = (5.0, 3.2)
# What is drawn in a colour, by the variable of the page that takes its place.
COLOURS = {
    "ink": "#010203", "faint": "#020304", "own": "#030405", "mended": "#040506", "reference": "#050607", "panel": "#060708",
}  # fmt: skip
STYLES: dict[str, dict[str, Any]] = {
    "own": {"linestyle": "-", "linewidth": 2.2, "zorder": 3},
    "mended": {"linestyle": "-.", "linewidth": 1.8, "zorder": 4},
    "reference": {"linestyle": (0, (2, 2)), "linewidth": 1.6, "zorder": 5},
}
SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "grader",
    "axes.unicode_minus": True,
    "path.simplify": True,
}
# From which ratio of the largest loss to the smallest on they are drawn by their powers of ten.
WIDE = 30
LARGEST = 1e60
FEW = 5
LEVELS = 9
GRID = 48
NUMBER = re.compile(r"-?\d+\.\d{2,}")
FONT = re.compile(r"\s*font(?:-\w+)?: [^;\"]*;?")
NAMESPACE = re.compile(r"^\{[^}]*\}")


class Line(NamedTuple):
    """A line of a plot: whose it is, and its points."""

    of: str
    points: Sequence[tuple[float, float]]


def finite(curve: Curve) -> list[tuple[float, float]]:
    """The points of a curve that an axis has room for."""
    return [
        (step, value)
        for step, value in curve
        if value is not None and abs(value) < LARGEST and abs(step) < LARGEST
    ]


def losses(lines: Sequence[Line], name: str, title: str) -> Markup:
    """The loss by the step."""
    figure, axes = _axes()
    values = [value for line in lines for _, value in line.points]
    for line in lines:
        _draw(axes, line)
    if values and min(values) > 0 and max(values) > WIDE * min(values):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(numticks=6))
        axes.yaxis.set_minor_locator(NullLocator())
    _number(axes)
    return _svg(figure, name, title)


def steps(lines: Sequence[Line], name: str, title: str, *, stairs: bool) -> Markup:
    """A gradient by the step; with stairs, as it stays until the next call."""
    figure, axes = _axes()
    axes.axhline(0, color=COLOURS["faint"], linewidth=1)
    for line in lines:
        dots = {} if line.of == "reference" else {"marker": "o", "markersize": 3.5}
        _draw(axes, line, drawstyle="steps-post" if stairs else "default", **dots)
    _number(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    return _svg(figure, name, title)


def paths(lines: Sequence[Line], valley: Valley, name: str, title: str) -> Markup:
    """The ways of (w, b) over the contours of the loss, with its lowest point."""
    figure, axes = _axes()
    lowest = bottom(valley)
    across, up = _window(lines, lowest)
    w, b = np.meshgrid(np.linspace(*across, GRID), np.linspace(*up, GRID))
    with np.errstate(all="ignore"):
        over = np.asarray(height(valley, w, b)) - height(valley, *lowest)
    # Equally far apart on the walls, which are parabolas.
    highest = float(over.max())
    levels = highest * (np.arange(1, LEVELS + 1) / (LEVELS + 1)) ** 2
    if 0 < highest < math.inf:
        axes.contour(w, b, over, levels=levels, colors=COLOURS["faint"], linewidths=0.9)
    for line in lines:
        _draw(axes, line)
        axes.plot(*line.points[0], "o", color=COLOURS[line.of], markersize=6, zorder=6)
    axes.plot(*lowest, "+", color=COLOURS["ink"], markersize=13, markeredgewidth=2.2, zorder=7)
    axes.set_xlim(*across)
    axes.set_ylim(*up)
    _number(axes)
    return _svg(figure, name, title)


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


def _axes() -> tuple[Figure, Any]:
    figure = Figure(figsize=SIZE)
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0.13, 0.1, 0.84, 0.86))
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    axes.grid(color=COLOURS["faint"], linewidth=0.5)
    axes.tick_params(length=0, labelsize=11, colors=COLOURS["ink"])
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(COLOURS["faint"])
    return figure, axes


def _draw(axes: Any, line: Line, **style: Any) -> None:
    if line.of == "own":
        style = {"marker": "o", "markersize": 5 if len(line.points) < FEW else 2.6} | style
    x, y = zip(*line.points, strict=True)
    axes.plot(x, y, color=COLOURS[line.of], **STYLES[line.of], **style)


def _number(axes: Any) -> None:
    axes.xaxis.set_major_formatter(FuncFormatter(_short))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))


def _short(value: float, _position: object = None) -> str:
    return f"{value:g}".replace("-", "−") if math.isfinite(value) else ""


def _svg(figure: Figure, name: str, title: str) -> Markup:
    """The SVG of a figure without what a page has no use for; names in it begin with `name`, so that no two are the same."""
    written = io.StringIO()
    with rc_context(SETTINGS):
        figure.savefig(
            written, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    root = ET.fromstring(written.getvalue())  # noqa: S314 - matplotlib's own
    markup = f'<svg class="plot" role="img" aria-label="{escape(title)}" viewBox="{root.get("viewBox")}">'
    return Markup(f"{markup}{''.join(_cleaned(child, name) for child in root)}</svg>")  # noqa: S704 - as above


def _cleaned(element: Any, name: str) -> str:
    """An element and what is in it, as the page takes it."""
    tag = NAMESPACE.sub("", element.tag)
    inside = "".join(_cleaned(child, name) for child in element)
    text = (element.text or "").strip()
    if tag in ("metadata", "style") or (tag in ("defs", "g") and not inside):
        return ""
    attributes = ""
    for key, value in element.items():
        attributes += _attribute(tag, NAMESPACE.sub("", key), value, name)
    return f"<{tag}{attributes}>{inside}{escape(text)}</{tag}>"


def _attribute(tag: str, key: str, value: str, name: str) -> str:
    if (key == "id" and tag == "g") or (key == "transform" and value.startswith("rotate(-0 ")):
        return ""
    if key == "id":
        value = name + value
    elif key == "href":
        value = f"#{name}{value.removeprefix('#')}"
    else:
        value = FONT.sub("", value).replace("url(#", f"url(#{name}")
        value = (
            NUMBER.sub(lambda number: f"{float(number[0]):.1f}", value)
            if key in ("d", "x", "y", "transform")
            else value
        )
        for variable, colour in COLOURS.items():
            value = value.replace(colour, f"var(--{variable})")
    return f' {key}="{escape(" ".join(value.split()))}"' if value.strip() else ""
