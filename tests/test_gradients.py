"""How `grader.gradients` judges trainings that really ran, and what it tells of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pytest

from grader.arrays import Numbers
from grader.exchange import Pair, data_pairs
from grader.gradients import MAX_TRAININGS, Judgement, judge_trainings
from grader.kernel.pool import Kernels
from grader.model import Report
from tests.runs import run_cells
from tests.trainings import DATA, RIGHT, SCALED, SCALED_LOOP, UNSEEN, WRONG


class Judged(NamedTuple):
    """What became of the training of each cell, and the data that all cells share."""

    judgements: Mapping[str, Judgement]
    data: Pair


def judge(kernels: Kernels, cells: Mapping[str, str]) -> Judged:
    assert len(cells) <= MAX_TRAININGS
    trace = run_cells(kernels, [DATA, *cells.values()]).trace
    pairs = data_pairs(trace.versions, "x", "y")
    assert [training.cell for training in trace.trainings] == list(range(2, len(cells) + 2))
    return Judged(dict(zip(cells, judge_trainings(trace, pairs), strict=True)), pairs[-1])


@pytest.fixture(scope="module")
def right(kernels: Kernels) -> Judged:
    """The cases that are right, on the data as they are."""
    return judge(kernels, RIGHT)


@pytest.fixture(scope="module")
def scaled(kernels: Kernels) -> Judged:
    """The cases on scaled data."""
    return judge(kernels, {name: SCALED_LOOP.format(*formulas) for name, formulas in SCALED.items()})


@pytest.fixture(scope="module")
def wrong(kernels: Kernels) -> Judged:
    """The cases that are wrong."""
    return judge(kernels, {name: cell for name, (cell, _) in WRONG.items()})


@pytest.fixture(scope="module")
def unseen(kernels: Kernels) -> Judged:
    """The cases of which nothing can be said."""
    return judge(kernels, UNSEEN)


@pytest.mark.parametrize("case", RIGHT)
def test_accepts(right: Judged, case: str) -> None:
    assert (right.judgements[case].right, right.judgements[case].reason) == (True, None)


@pytest.mark.parametrize("case", SCALED)
def test_scales_the_line_back(scaled: Judged, case: str) -> None:
    judgement = scaled.judgements[case]
    assert judgement.right is True
    assert judgement.line == pytest.approx(np.polyfit(scaled.data.x, scaled.data.y, 1), abs=2e-3)
    assert judgement.start != pytest.approx(judgement.line, abs=1)


@pytest.mark.parametrize("case", WRONG)
def test_refuses_with_a_reason(wrong: Judged, case: str) -> None:
    judgement, reason = wrong.judgements[case], WRONG[case][1]
    assert judgement.right is False
    assert judgement.reason is not None
    assert judgement.reason.id == reason
    assert judgement.reason.params["cell"] == list(WRONG).index(case) + 2


@pytest.mark.parametrize("case", UNSEEN)
def test_leaves_open_what_it_cannot_see(unseen: Judged, case: str) -> None:
    assert (unseen.judgements[case].right, unseen.judgements[case].reason) == (None, None)


# ---- the numbers that a learner is told ---------------------------------------------------------


def replay(data: Pair, steps: int, rate: float = 0.01) -> tuple[Numbers, Numbers]:
    """The parameters (w, b) before a step of full-batch descent from zero, and the gradient there."""
    parameters = np.zeros(2)
    for _ in range(steps):
        parameters = parameters - rate * gradient(data, parameters)
    return parameters, gradient(data, parameters)


def gradient(data: Pair, parameters: Numbers) -> Numbers:
    residual = parameters[0] * data.x + parameters[1] - data.y
    return 2 * np.array([(residual * data.x).mean(), residual.mean()])


def test_line_is_the_one_at_the_last_call_seen(right: Judged) -> None:
    judgement = right.judgements["full batch"]
    line, _ = replay(right.data, steps=24)
    before, _ = replay(right.data, steps=22)
    assert judgement.start == pytest.approx((0, 0))
    assert judgement.line == pytest.approx(line, rel=1e-5)
    assert judgement.drift == pytest.approx(line - before, rel=1e-3)


@pytest.mark.parametrize("case", ["never zeroed", "only w zeroed"])
def test_kept_gradient_is_told_with_both_numbers(wrong: Judged, case: str) -> None:
    reason = wrong.judgements[case].reason
    assert reason is not None
    name = reason.params["name"]
    assert name in ({"b"} if case == "only w zeroed" else {"w", "b"})
    (_, first), (_, second) = (replay(wrong.data, steps) for steps in (0, 1))
    k = "wb".index(str(name))
    assert reason.params["before"] == pytest.approx(first[k], rel=1e-5)
    assert reason.params["after"] == pytest.approx(first[k] + second[k], rel=1e-5)


@pytest.mark.parametrize(
    ("case", "slope_of_loss"),
    [
        ("absolute error", np.sign),
        ("targets added", lambda residual: -2 * residual),
        ("Huber", lambda residual: np.clip(residual, -1, 1)),
    ],
)
def test_other_gradient_is_told_beside_the_right_one(
    wrong: Judged, case: str, slope_of_loss: Callable[[Numbers], Numbers]
) -> None:
    reason, data = wrong.judgements[case].reason, wrong.data
    assert reason is not None
    assert reason.params["call"] == 1
    inputs = {"w": data.x, "b": np.ones_like(data.x)}[str(reason.params["name"])]
    assert reason.params["seen"] == pytest.approx((slope_of_loss(-data.y) * inputs).mean(), rel=1e-5)
    assert reason.params["expected"] == pytest.approx(-2 * (data.y * inputs).mean(), rel=1e-5)


def test_unseen_batches_cost_a_right_submission_nothing(grade_cells: Callable[..., Report]) -> None:
    """Each x comes up twice, so that it is not known which targets a batch had; a person is asked to look."""
    data = "import torch\nx = torch.arange(200) % 100 * 0.01\ny = 10 * x + 4 + torch.randn(200)"
    training = """
w, b = torch.randn(1, requires_grad=True), torch.zeros(1, requires_grad=True)
for epoch in range(500):
    for batch in torch.randperm(200).split(40):
        ((w * x[batch] + b - y[batch]) ** 2).mean().backward()
        with torch.no_grad():
            w -= 0.05 * w.grad
            b -= 0.05 * b.grad
        w.grad = b.grad = None
"""
    report = grade_cells([data, training])
    assert [(check.id, check.reason) for check in report.checks if check.status == "failed"] == []
    assert (report.score, [reason.id for reason in report.needs_review]) == (10, ["gradient-unseen"])
