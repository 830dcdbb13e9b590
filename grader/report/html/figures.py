"""The figures of a page: which there are for a training, with their words."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from grader.model import Language
from grader.picture import Curves, Graph, Pictures, Slope
from grader.report.html import graph, plots
from grader.report.html.plots import Line, finite
from grader.report.html.words import sentence, shown_line
from grader.text import say
from grader.valley import bottom

# So many calls in a row are recorded whole; the staircase of kept gradients shows in them.
FIRST = 20
MAX_SLOPES = 2
CLOSE = 0.02


class Plot(NamedTuple):
    """A plot and its words: of whom its lines are, what its axes are, and what is to be seen in it."""

    title: str
    svg: Markup
    across: str
    up: str
    lines: tuple[str, ...]
    caption: Markup
    wide: bool = False


class Figures:
    """Draws what there is to draw; what there is nothing of is empty."""

    def __init__(self, pictures: Pictures, spoken: Language) -> None:
        self._pictures, self._spoken = pictures, spoken

    @property
    def calls(self) -> int:
        """How often the training asked for gradients; 0 where none was seen."""
        return 0 if self._pictures.own is None else self._pictures.own.calls

    def plots(self) -> Iterator[Plot]:
        """The plots: loss, way, gradients. What numbers are too wild for is left out."""
        for draw in self._wanted():
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")  # matplotlib's, of an axis without any room
                try:
                    plot = draw()
                except (ValueError, ArithmeticError, LookupError):
                    plot = None
            if plot is not None:
                yield plot

    def _wanted(self) -> Iterator[Callable[[], Plot | None]]:
        yield self._losses
        yield self._way
        own, mended = self._pictures.own, self._pictures.mended
        for number, slope in enumerate(own.slopes[:MAX_SLOPES] if own else ()):
            yield partial(self._slope, slope, "own", f"slope{number}-")
            after = {one.name: one for one in mended.slopes}.get(slope.name) if mended else None
            if after is not None:
                yield partial(self._slope, after, "mended", f"slope{number}m-")

    def _losses(self) -> Plot | None:
        lines = [Line(of, points) for of, curves in self._curves() if (points := finite(curves.loss))]
        if not lines or lines[0].of != "own":
            return None
        title = say("html-loss-title", self._spoken)
        told = [
            say(
                f"html-loss-{line.of}",
                self._spoken,
                {"first": line.points[0][1], "last": line.points[-1][1], "step": line.points[-1][0]},
            )
            for line in lines
        ]
        own = self._pictures.own
        if own is not None and any(value is None for _, value in own.curves.loss):
            told.append(say("html-loss-endless", self._spoken))
        return Plot(
            title,
            plots.losses(lines, "loss-", title),
            say("html-step", self._spoken),
            say("html-loss", self._spoken),
            tuple(line.of for line in lines),
            self._caption(told),
        )

    def _way(self) -> Plot | None:
        own, valley = self._pictures.own, self._pictures.valley
        if own is None or valley is None or own.line is None:
            return None
        lines = [
            Line(of, points) for of, curves, names in self._with_lines() if (points := _along(curves, names))
        ]
        if not lines or lines[0].of != "own":
            return None
        title = say("html-way-title", self._spoken)
        w, b = bottom(valley)
        end = lines[0].points[-1]
        told = say("html-way-told", self._spoken, {"w": end[0], "b": end[1], "best_w": w, "best_b": b})
        return Plot(
            title,
            plots.paths(lines, valley, "way-", title),
            shown_line(own.line[0]),
            shown_line(own.line[1]),
            (*(line.of for line in lines), "best"),
            self._caption([told]),
        )

    def _slope(self, slope: Slope, of: str, name: str) -> Plot | None:
        seen, right = (finite(curve[:FIRST]) for curve in (slope.seen, slope.right))
        if not seen or not right:
            return None
        title = say(f"html-slope-{of}", self._spoken, {"name": shown_line(slope.name)})
        numbers = {
            "name": shown_line(slope.name),
            "step": seen[-1][0],
            "seen": seen[-1][1],
            "right": right[-1][1],
        }
        agree = _agree(seen, right)
        told = [say("html-slope-agrees" if agree else "html-slope-differs", self._spoken, numbers)]
        if of == "own":
            told.append(say("html-slope-whole" if slope.whole else "html-slope-call", self._spoken))
        if not agree:
            told.append(say("html-slope-staircase", self._spoken))
        return Plot(
            title,
            plots.steps([Line(of, seen), Line("reference", right)], name, title, stairs=not agree),
            say("html-step", self._spoken),
            f"{shown_line(slope.name)}.grad",
            (of, "right"),
            self._caption(told),
        )

    def graphs(self) -> Iterator[tuple[str, str, Markup, str]]:
        """The graphs, before a mend and after it: title, legend, picture, and formula."""
        for of, descent in (("own", self._pictures.own), ("mended", self._pictures.mended)):
            if descent is not None and descent.graph is not None:
                title = say(f"html-graph-{of}", self._spoken, {"step": descent.graph.step})
                yield (
                    title,
                    self._more(descent.graph),
                    graph.draw(descent.graph, self._spoken, title),
                    graph.formula(descent.graph),
                )

    def _more(self, drawn: Graph) -> str:
        hidden = drawn.more + max(0, len(drawn.operations) - graph.MAX_SHOWN)
        return say("html-graph-more", self._spoken, {"count": hidden}) if hidden else ""

    def _curves(self) -> Iterator[tuple[str, Curves]]:
        pictures = self._pictures
        for of, descent in (("own", pictures.own), ("mended", pictures.mended)):
            if descent is not None:
                yield of, descent.curves
        if pictures.reference is not None:
            yield "reference", pictures.reference

    def _with_lines(self) -> Iterator[tuple[str, Curves, tuple[str, str]]]:
        """The curves in which slope and intercept are known; the reference has the learner's names."""
        own, mended = self._pictures.own, self._pictures.mended
        descents = {"own": own, "mended": mended, "reference": own}
        for of, curves in self._curves():
            descent = descents[of]
            if descent is not None and descent.line is not None:
                yield of, curves, descent.line

    def _caption(self, sentences: Sequence[str]) -> Markup:
        return Markup(" ").join(sentence(each) for each in sentences)


def _agree(seen: Sequence[tuple[float, float]], right: Sequence[tuple[float, float]]) -> bool:
    """Whether a gradient is what it should be, to the eye."""
    largest = max(abs(value) for _, value in right)
    expected = dict(right)
    return all(abs(value - expected.get(step, value)) <= CLOSE * largest for step, value in seen)


def _along(curves: Curves, names: tuple[str, str]) -> list[tuple[float, float]]:
    """The points (w, b) at the steps at which both were seen."""
    w, b = (dict(finite(curves.parameters[name])) for name in names)
    return [(w[step], b[step]) for step in w if step in b]
