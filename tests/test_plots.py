"""Plots of whatever numbers a training has: well-formed, with places for all of them, and numbers on both axes."""

import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.report.html import plots
from grader.report.html.plots import Line
from grader.valley import valley_of

PLACE = re.compile(r"[MLHVhv ]+(-?[\d.]+|nan|inf)")

values = st.floats(-plots.LARGEST, plots.LARGEST, exclude_min=True, exclude_max=True)
points = st.lists(
    st.tuples(st.integers(0, 10**9).map(float), values), min_size=1, max_size=30, unique_by=lambda p: p[0]
)
curves = st.lists(points.map(sorted), min_size=1, max_size=3).map(
    lambda many: [Line(of, each) for of, each in zip(("own", "mended", "reference"), many, strict=False)]
)


def shown(svg: str) -> tuple[list[ET.Element], list[float]]:
    """The lines of a plot and the numbers on its axes, once every number in it is one."""
    root = ET.fromstring(svg)
    written = [number for path in root.iter("path") for number in PLACE.findall(path.get("d", ""))]
    assert written
    assert all(math.isfinite(float(number)) for number in written)
    numbers = [float((text.text or "").replace("−", "-")) for text in root.iter("text")]
    room = root.find("g")
    assert room is not None
    return list(room), numbers


@given(curves)
def test_any_losses(lines: list[Line]) -> None:
    drawn, numbers = shown(plots.losses(lines, "a-", "Loss"))
    assert len(drawn) == len(lines) + 1  # the dots of the learner's own
    assert len(numbers) <= 20


@given(curves, st.booleans())
def test_any_gradients(lines: list[Line], stairs: bool) -> None:
    drawn, numbers = shown(plots.steps(lines, "a-", "Gradient", stairs=stairs))
    assert len(drawn) == 1 + len(lines) + sum(line.of != "reference" for line in lines)
    assert numbers


@given(
    st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=10),
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
        min_size=2,
        max_size=10,
        unique_by=lambda p: p[0],
    ),
)
def test_any_way(way: list[tuple[float, float]], data: list[tuple[float, float]]) -> None:
    valley = valley_of(*np.transpose(np.asarray(data)))
    assume(valley is not None)
    assert valley is not None
    lines = [Line("own", way), Line("reference", way[::-1])]
    shown(plots.paths(lines, valley, "a-", "Way"))


def test_losses_far_apart_stand_by_their_powers() -> None:
    _, numbers = shown(plots.losses([Line("own", [(0, 1000.0), (1, 10.0), (2, 1.0)])], "a-", "Loss"))
    assert numbers[-4:] == [1, 10, 100, 1000]


def test_steps_are_whole() -> None:
    _, numbers = shown(plots.steps([Line("own", [(0, 1.0), (3, 2.0)])], "a-", "Gradient", stairs=False))
    assert numbers[:4] == [0, 1, 2, 3]


@pytest.mark.parametrize("stairs", [False, True])
def test_stairs_stay_until_the_next_step(stairs: bool) -> None:
    (_, line, _), _ = shown(plots.steps([Line("own", [(0, 1.0), (1, 2.0)])], "a-", "Gradient", stairs=stairs))
    assert len({*re.findall("[^ML]+", line.get("d", ""))}) == (3 if stairs else 2)


def test_a_title_is_escaped() -> None:
    svg = plots.losses([Line("own", [(0, 1.0)])], "a-", '"><script>')
    assert ET.fromstring(svg).get("aria-label") == '"><script>'
