"""What a function does that a submission only defines is seen in calls with the task's own arguments, and in no others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.kernel.pool import Kernels
from grader.model import Report
from tests.courses import grade_module, texts, write_course

SOURCE = """\
import torch


def f(x):
    return x**2 + 2 * x + 1


def descend_by_hand(x0, lr, steps):
    x, path = float(x0), []
    for _ in range(steps):
        x = x - lr * (2 * x + 2)
        path.append(x)
    return path


def descend_with_autograd(x0, lr, steps):
    x, path = torch.tensor(float(x0), requires_grad=True), []
    for _ in range(steps):
        f(x).backward()
        with torch.no_grad():
            x -= lr * x.grad
        path.append(x.item())
    return path
"""
OWN_CALL = "\ndescend_with_autograd(3.0, 0.2, 6)\n"


@pytest.mark.parametrize("end", ["", OWN_CALL], ids=["defined", "called"])
def test_a_mistake_in_a_function_is_proven_whether_or_not_it_is_called(
    grade_cells: Callable[..., Report], end: str
) -> None:
    report = grade_cells([SOURCE + end], exercise="minimise_parabola")
    (finding,) = report.findings
    assert (finding.mistake, finding.confidence) == ("gradients-not-zeroed", "confirmed")
    assert (finding.cell, finding.line, finding.score_after) == (1, 19, 10.0)
    # In the task's call: 2·0 + 2, and after a step of a tenth of it 2·(−0.2) + 2 more.
    start = 8.0 if end else 2.0
    assert finding.params["before"] == pytest.approx(start)


def test_an_error_in_a_function_is_found_where_it_was_raised(grade_cells: Callable[..., Report]) -> None:
    source = SOURCE.replace("x -= lr * x.grad", "x = x - lr * x.grad")
    report = grade_cells([source], exercise="minimise_parabola")
    assert next(finding.mistake for finding in report.findings) == "leaf-rebound"
    assert report.error is None


def test_what_a_hidden_argument_does_is_not_told(tmp_path: Path, kernels: Kernels) -> None:
    """The same training twice: once with an argument that nobody knows, once with the task's."""
    code = """
    @pytest.mark.points(1)
    def test_f(call):
        '''f descends.'''
        if abs(call("f", 1234.5, 40{shown}).number()) > 1:
            fail("look-again", name="w")
    """
    module = """\
import torch
w = 0.0
def f(x0, steps):
    x = torch.tensor(x0, requires_grad=True)
    for _ in range(steps):
        (x**2).backward()
        x.data -= 0.1 * x.grad
    return x.item()
"""
    said = {}
    for shown in ("", ", shown=True"):
        course = tmp_path / (shown or "hidden").strip(", ")
        write_course(course, code.replace("{shown}", shown), names=("w", "f"))
        said[shown] = texts(grade_module(course, kernels, module), course)
    assert "2469" not in said[""]
    assert "2469" in said[", shown=True"]
