"""Mistakes are proven by reruns: together, within bounds, and with full marks by none at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grader import catalogue
from grader.errors import UsageError
from grader.examine import examine
from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Report
from grader.settings import Settings

LINE = """
import torch
x = torch.rand(100) * 2 - 1
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for step in range(1500):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
    w.grad.zero_()
    b.grad.zero_()
"""


Grade = Callable[[str], Report]


@pytest.fixture
def graded(kernels: Kernels, tmp_path: Path) -> Grade:
    def grade_source(source: str) -> Report:
        path = tmp_path / "a.py"
        path.write_text(source)
        exercise = load_exercise(course_folder(None), "linear_regression")
        return grade(load(path), exercise, Settings(), kernels)

    return grade_source


def test_with_full_marks_nothing_is_run_again_but_on_hidden_data(graded: Grade) -> None:
    report = graded(LINE)
    assert (report.score, report.findings, report.reruns) == (10.0, (), 1)


def test_two_mistakes_are_proven_together(graded: Grade) -> None:
    report = graded(LINE.replace("    b.grad.zero_()\n", "").replace("w * x + b - y", "w * x + b + y"))
    assert [finding.confidence for finding in report.findings] == ["confirmed", "confirmed"]
    assert {finding.mistake for finding in report.findings} == {
        "some-gradients-not-zeroed",
        "loss-not-squared-error",
    }
    first, both = (finding.score_after or 0.0 for finding in report.findings)
    assert 0 < first < both == 10.0
    assert all(finding.fix and finding.excerpt for finding in report.findings)


ONE_STEP = """
import torch
x = torch.rand(100) * 2 - 1
y = 10 * x + 4 + torch.randn(100)
def one_step(rate):
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= rate * w.grad
        b -= rate * b.grad
    w.grad.zero_()
    b.grad.zero_()
    return w, b
for step in range(1500):
    w, b = one_step(0.05)
"""


def test_a_function_that_begins_anew_at_each_call_is_told_from_a_training(graded: Grade) -> None:
    [finding] = graded(ONE_STEP).findings
    assert (finding.mistake, finding.confidence, finding.score_after) == (
        "parameter-reinitialised",
        "confirmed",
        10.0,
    )


def test_trying_several_rates_for_one_step_is_no_mistake(graded: Grade) -> None:
    tried = ONE_STEP.replace("range(1500)", "(0.01, 0.05, 0.1)").replace("(0.05)", "(step)")
    assert "parameter-reinitialised" not in {finding.mistake for finding in graded(tried).findings}


STOPPED = LINE.replace("    w.grad.zero_()\n    b.grad.zero_()\n", "    if loss < 1.2:\n        break\n")


def test_a_check_that_passes_proves_what_was_sure(graded: Grade) -> None:
    """The break came when kept gradients swung past the line; without them it comes too early."""
    report = graded(STOPPED.replace("0.05", "0.01"))
    assert [(one.mistake, one.confidence) for one in report.findings] == [
        ("gradients-not-zeroed", "confirmed")
    ]


def test_a_loop_that_was_written_for_the_learner_proves_nothing(graded: Grade) -> None:
    head, _, _ = LINE.partition("w = torch")
    report = graded("import numpy as np\n" + head + "w, b = np.polyfit(x.numpy(), y.numpy(), 1)\n")
    finding = report.findings[0]
    assert (finding.mistake, finding.confidence) == ("closed-form-instead", "likely")
    assert "backward()" in str(finding.fix)


def test_a_history_in_a_dict_is_looked_into(graded: Grade) -> None:
    source = LINE.replace("for step", "seen = {'loss': []}\nfor step") + "    seen['loss'].append(loss)\n"
    report = graded(source)
    assert report.score == 10.0
    assert [finding.mistake for finding in report.findings] == ["history-keeps-graph"]
    assert "loss.item()" in str(report.findings[0].fix)


@pytest.mark.parametrize("total", ["total = total + loss", "total = torch.add(loss / 3, total)"])
def test_a_total_that_is_written_out_is_looked_into(graded: Grade, total: str) -> None:
    source = LINE.replace("for step", "total = 0.0 * torch.ones(1)\nfor step") + f"    {total}\n"
    report = graded(source)
    assert [finding.mistake for finding in report.findings] == ["history-keeps-graph"]
    assert ".item()" in str(report.findings[0].fix)


def test_a_total_that_begins_anew_is_left_alone(graded: Grade) -> None:
    source = LINE.replace(
        "    loss.backward()",
        "    total = 0\n    for _ in (1, 2):\n        total = total + loss.detach()\n    loss.backward()",
    )
    assert graded(source).findings == ()


def test_a_mistake_whose_code_fails_costs_neither_grade_nor_findings(
    graded: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[object]:
        raise LookupError

    monkeypatch.setattr(catalogue.all_mistakes()["history-keeps-graph"]._module, "detect", fail)
    report = graded(LINE.replace("    b.grad.zero_()\n", ""))
    assert [finding.mistake for finding in report.findings] == ["some-gradients-not-zeroed"]
    assert [note.params for note in report.notes] == [{"mistake": "history-keeps-graph"}]


def test_an_unknown_mistake_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        catalogue.mistake("leaf-rebuond")
    assert "leaf-rebound" in str(raised.value.params["known"])


def test_an_exit_that_came_too_early_is_taken_away(graded: Grade) -> None:
    slow = LINE.replace("0.05", "0.03").replace(
        "    loss.backward()", "    loss.backward()\n    before = now"
    )
    stopped = slow.replace("for step", "now = 1e9\nfor step") + (
        "    now = loss.item()\n    if before - now < 0.01:\n        break\n"
    )
    [finding] = graded(stopped).findings
    assert (finding.mistake, finding.score_after) == ("training-too-short", 10.0)
    assert "break" in str(finding.fix)


def test_a_loss_that_is_its_own_leaf_is_no_fault_of_the_optimizer(graded: Grade) -> None:
    head, _, _ = LINE.partition("for step")
    report = graded(
        head
        + """
optimizer = torch.optim.SGD([w, b], lr=0.001)
def mse(p, t):
    errors = (p - t).tolist()
    return torch.tensor(sum(e * e for e in errors) / len(errors), requires_grad=True)
for step in range(300):
    optimizer.zero_grad()
    mse(w * x + b, y).backward()
    optimizer.step()
"""
    )
    assert [finding.mistake for finding in report.findings] == ["graph-detached"]


RESTARTED = """
import torch
torch.manual_seed(0)
x, y = torch.randn(50), torch.randn(50)
for seed in range(3):
    w = torch.randn(1, requires_grad=True)
    for step in range(20):
        loss = ((w * x - y) ** 2).mean()
        loss.backward()
        w.data -= 0.1 * w.grad
        w.grad = None
"""


def test_trainings_begun_anew_without_an_exercise_are_no_mistake(kernels: Kernels, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(RESTARTED)
    assert examine(load(path), Settings(), kernels).findings == ()


SAMPLES = """
import torch
x_data, y_data = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
w = torch.tensor([1.0], requires_grad=True)
def forward(x):
    return x * w + 1
    return x * w
def loss(x, y):
    return (forward(x) - y) ** 2
for epoch in range(100):
    for x, y in zip(x_data, y_data):
        loss(x, y).backward()
        w.data -= 0.01 * w.grad
        w.grad.zero_()
"""


@pytest.mark.parametrize("behind", ["return x * w", "print(x)"])
def test_what_stands_behind_the_return_of_a_model_is_passed_over(
    grade_cells: Callable[..., Report], behind: str
) -> None:
    report = grade_cells([SAMPLES.replace("return x * w\n", f"{behind}\n")], "backprop_per_sample")
    (found,) = [one for one in report.findings if one.mistake == "model-formula-wrong"]
    assert (found.line, found.confidence) == (6, "confirmed")
    assert not report.notes
