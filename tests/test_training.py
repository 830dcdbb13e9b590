"""What is drawn of a training is what the training did: curves, gradients beside the right ones, and the graph."""

import json
import math
from collections.abc import Callable

import pytest

from grader.exercise import course_folder, load_exercise
from grader.model import Report
from grader.picture import Curve, Descent
from grader.report.document import word
from grader.report.formats.json import part
from grader.report.html import render
from grader.valley import bottom

DATA = "import torch\nx = torch.rand(100) * 2 - 1\ny = 10 * x + 4 + torch.randn(100)"
START = "w = torch.zeros(1, requires_grad=True)\nb = torch.zeros(1, requires_grad=True)"
LOOP = """
for step in range(300):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
        b -= 0.1 * b.grad
    w.grad.zero_()
    b.grad.zero_()
"""
SCALED = """
mean, scale = x.mean(), x.std()
z = (x - mean) / scale
u = torch.zeros(1, requires_grad=True)
v = torch.zeros(1, requires_grad=True)
for step in range(300):
    loss = ((u * z + v - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        u -= 0.1 * u.grad
        v -= 0.1 * v.grad
    u.grad.zero_()
    v.grad.zero_()
w = (u / scale).detach()
b = (v - u * mean / scale).detach()
"""

Grade = Callable[..., Report]


def own(report: Report) -> Descent:
    assert report.pictures is not None
    assert report.pictures.own is not None
    return report.pictures.own


def values(curve: Curve) -> list[float]:
    return [value for _, value in curve if value is not None]


def test_curves_follow_the_training(grade_cells: Grade) -> None:
    report = grade_cells([DATA, START, LOOP])
    training = own(report)
    pictures = report.pictures
    assert pictures is not None
    assert pictures.valley is not None
    assert pictures.reference is not None
    assert pictures.mended is None
    assert (training.cell, training.line_number, training.calls, training.line) == (3, 4, 300, ("w", "b"))
    steps = [step for step, _ in training.curves.loss]
    assert steps[:20] == list(range(20))
    assert steps == sorted(set(steps))
    assert values(training.curves.loss)[0] > 20 * values(training.curves.loss)[-1]
    lowest = bottom(pictures.valley)
    for name, best in zip(("w", "b"), lowest, strict=True):
        assert training.curves.parameters[name][0] == (0, 0.0)
        assert values(training.curves.parameters[name])[-1] == pytest.approx(best, abs=1e-3)
        assert pictures.reference.parameters[name][0] == (0, 0.0)
        assert values(pictures.reference.parameters[name])[-1] == pytest.approx(best, abs=0.1)
    for slope in training.slopes:
        assert slope.whole
        assert values(slope.seen) == pytest.approx(values(slope.right), abs=1e-4)


def test_another_scale_of_the_loss_is_right_too(grade_cells: Grade) -> None:
    """A sum instead of a mean is undone by the learning rate."""
    training = own(grade_cells([DATA, START, LOOP.replace(".mean()", ".sum()").replace("0.1 *", "0.001 *")]))
    assert training.line == ("w", "b")
    for slope in training.slopes:
        assert values(slope.seen) == pytest.approx(values(slope.right), rel=1e-3, abs=1e-2)


def test_gradients_that_were_kept_are_a_staircase(grade_cells: Grade) -> None:
    report = grade_cells([DATA, START, LOOP.replace("    b.grad.zero_()\n", "")])
    kept, cleared = ({slope.name: slope for slope in own(report).slopes}[name] for name in ("b", "w"))
    right = values(kept.right)
    assert values(kept.seen)[:5] == pytest.approx([sum(right[: n + 1]) for n in range(5)], rel=1e-3)
    assert values(cleared.seen)[:5] == pytest.approx(values(cleared.right)[:5], rel=1e-3)
    assert report.pictures is not None
    assert report.pictures.mended is not None
    for slope in report.pictures.mended.slopes:
        assert values(slope.seen) == pytest.approx(values(slope.right), abs=1e-4)


def test_what_is_not_finite_is_null(grade_cells: Grade) -> None:
    report = grade_cells([DATA, START, LOOP.replace("0.1 *", "30 *")])
    assert None in [value for _, value in own(report).curves.loss]
    exercise = load_exercise(course_folder(None), "linear_regression")
    document = word(report, exercise, "en")
    written = json.loads(part(document), parse_constant=pytest.fail)
    assert None in [value for _, value in written["curves"]["loss"]]
    assert "<svg" in render(document, report.pictures, report.notebook)
    assert report.pictures is not None
    assert report.pictures.reference is not None
    assert all(math.isfinite(value) for value in values(report.pictures.reference.loss))


def test_parameters_of_scaled_data_are_not_drawn_in_the_datas_own_valley(grade_cells: Grade) -> None:
    report = grade_cells([DATA, SCALED])
    assert report.score == report.max_score
    assert own(report).line is None
    assert set(own(report).curves.parameters) == {"u", "v"}
    assert report.pictures is not None
    assert report.pictures.valley is None
    assert report.pictures.reference is None


def test_an_afterthought_is_not_the_training(grade_cells: Grade) -> None:
    again = "((w * x + b - y) ** 2).mean().backward()"
    assert own(grade_cells([DATA, START, LOOP, again])).cell == 3
    assert own(grade_cells([DATA, START, LOOP, START, LOOP])).cell == 5


def test_a_parameter_that_nothing_reaches_is_marked(grade_cells: Grade) -> None:
    report = grade_cells([DATA, START, LOOP.replace("w * x + b - y", "w * x + b.detach() - y")])
    graph = own(report).graph
    assert graph is not None
    assert [(mark.kind, mark.name) for mark in graph.marks] == [("unreached", "b")]
    assert report.pictures is not None
    assert report.pictures.mended is not None
    assert report.pictures.mended.graph is not None
    assert report.pictures.mended.graph.marks == ()


def test_without_a_training_there_is_nothing_to_draw(grade_cells: Grade) -> None:
    report = grade_cells(["w = 10.0\nb = 4.0"])
    assert report.pictures is not None
    assert report.pictures.own is None
    document = word(report, load_exercise(course_folder(None), "linear_regression"), "en")
    assert (document.curves.loss, document.curves_mended, document.curves_reference) == ((), None, None)
    assert "<svg" not in render(document, report.pictures, report.notebook)


def test_the_right_gradient_is_that_where_the_parameters_stand(grade_cells: Grade) -> None:
    """A leaf whose name was rebound stays behind, and gathers the gradients of all that came after it."""
    rebound = LOOP.split("    with", maxsplit=1)[0] + (
        "    w = w - 0.1 * w.grad\n    b = b - 0.1 * b.grad\n    w.retain_grad()\n    b.retain_grad()\n"
    )
    report = grade_cells([DATA, START, rebound.replace("300", "30")])
    training = own(report)
    assert training.graph is not None
    assert {(mark.kind, mark.name) for mark in training.graph.marks} == {("rebound", "w"), ("rebound", "b")}
    for slope in training.slopes:
        steps = [abs(value) for value in values(slope.right)[:10]]
        assert steps == sorted(steps, reverse=True)
        assert abs(values(slope.seen)[9]) > 2 * abs(values(slope.right)[9])
