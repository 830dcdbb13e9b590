"""The reference solutions get full marks as submissions, and reproduce the figures of the exercises.

Figures that the source notebooks printed are compared to the digits printed: half a unit of the last one.
Where all digits of a float32 are given, two units of its last place are left for another order of sums.
The two exercises that fit a line have `test_reference_lines.py`.
"""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from grader.exercise import course_folder, load_exercise, load_reference, slugs
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Report
from grader.settings import Settings

COURSE = course_folder(None)
# Two units in the last place of a float32, whose mantissa has 24 bits.
FLOAT32 = 2 * 2.0**-23


def reference(slug: str) -> ModuleType:
    """Import a reference solution afresh, from the same random numbers each time."""
    torch.manual_seed(0)
    return load_reference(load_exercise(COURSE, slug))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("slug", slugs(COURSE))
def test_gets_full_marks_as_a_submission(kernels: Kernels, slug: str, seed: int) -> None:
    exercise = load_exercise(COURSE, slug)
    report = grade(load(exercise.reference), exercise, Settings(seed=seed), kernels)
    assert [(check.id, check.reason) for check in report.checks if check.status != "passed"] == []
    assert (report.status, report.needs_review, report.error) == ("graded", (), None)
    assert (report.score, report.max_score) == (10, 10)


# ---- one update per sample ----------------------------------------------------------------------


class Seen(NamedTuple):
    """The loss of one sample and the gradient of each parameter, before the update."""

    loss: float
    gradients: list[float]


def replay(module: ModuleType, names: tuple[str, ...], epochs: int) -> list[Seen]:
    """Train again from 1 with the reference's own data, loss and rate, and note every sample."""
    leaves = [torch.tensor([1.0], requires_grad=True) for _ in names]
    vars(module).update(zip(names, leaves, strict=True))
    return [step(module, leaves, x, y) for _ in range(epochs) for x, y in pairs(module)]


def step(module: ModuleType, leaves: list[Tensor], x: float, y: float) -> Seen:
    loss: Tensor = module.loss(x, y)
    gradients = torch.autograd.grad(loss, leaves)
    with torch.no_grad():
        for leaf, gradient in zip(leaves, gradients, strict=True):
            leaf.sub_(module.LEARNING_RATE * gradient)
    return Seen(loss.item(), [gradient.item() for gradient in gradients])


def pairs(module: ModuleType) -> Iterator[tuple[float, float]]:
    return zip(module.x_data, module.y_data, strict=True)


@pytest.mark.parametrize(
    ("slug", "names"), [("backprop_per_sample", ("w",)), ("backprop_quadratic", ("w", "w2", "b"))]
)
def test_replay_ends_where_the_reference_ends(slug: str, names: tuple[str, ...]) -> None:
    module = reference(slug)
    ends = [getattr(module, name).item() for name in names]
    replay(module, names, module.EPOCHS)
    assert [getattr(module, name).item() for name in names] == ends


def test_per_sample_predicts_4_before_training_and_8_after() -> None:
    module = reference("backprop_per_sample")
    assert module.forward(4).item() == pytest.approx(8, abs=1e-3)
    replay(module, ("w",), epochs=0)
    assert module.forward(4).item() == 4.0


def test_per_sample_gradients_and_losses() -> None:
    seen = replay(reference("backprop_per_sample"), ("w",), epochs=2)
    gradients = [-2.0, -7.840000152587891, -16.228801727294922]
    gradients += [-1.478623867034912, -5.796205520629883, -11.998146057128906]
    assert [sample.gradients[0] for sample in seen] == pytest.approx(gradients, rel=FLOAT32)
    losses = [1.0, 3.841600179672241, 7.315943717956543]
    assert [sample.loss for sample in seen[:3]] == pytest.approx(losses, rel=FLOAT32)


def test_quadratic_predicts_21_before_training_and_not_8_after() -> None:
    module = reference("backprop_quadratic")
    assert abs(module.forward(4).item() - 8) > 0.1
    replay(module, ("w", "w2", "b"), epochs=0)
    assert module.forward(4).item() == 21.0


def test_quadratic_gradients_and_last_losses() -> None:
    seen = replay(reference("backprop_quadratic"), ("w", "w2", "b"), epochs=6)
    printed = [[2.00, 2.00, 2.00], [22.88, 11.44, 5.72], [77.05, 25.68, 8.56]]
    for sample, gradients in zip(seen[:3], printed, strict=True):
        assert sample.gradients == pytest.approx(gradients, abs=0.005)
    last_losses = [18.32, 2.86, 1.17, 0.05, 0.15, 0.01]
    assert [sample.loss for sample in seen[2::3]] == pytest.approx(last_losses, abs=0.005)


# ---- walks downhill -----------------------------------------------------------------------------


def test_parabola_by_hand() -> None:
    path = reference("minimise_parabola").descend_by_hand(0, 0.1, 10)
    assert path[:5] == pytest.approx([-0.2, -0.36, -0.488, -0.5904, -0.67232], abs=1e-12)
    assert path[9] == pytest.approx(-0.8926258176, abs=1e-12)


def test_parabola_with_autograd_agrees_with_the_walk_by_hand() -> None:
    module = reference("minimise_parabola")
    path = module.descend_with_autograd(0, 0.1, 14)
    assert path == pytest.approx(module.descend_by_hand(0, 0.1, 14), abs=1e-5)
    assert path[13] == pytest.approx(-0.9560, abs=5e-5)


def test_descend_of_manual_gradient() -> None:
    path = reference("manual_gradient").descend(5, 0.1, 3)
    assert path == pytest.approx([4.7, 4.43, 4.187], rel=FLOAT32)


# ---- the gradient by hand -----------------------------------------------------------------------


def test_gradients_of_manual_gradient() -> None:
    module = reference("manual_gradient")
    assert module.w.grad.tolist() == [[pytest.approx(15.2, rel=FLOAT32)], [pytest.approx(24.8, rel=FLOAT32)]]
    assert module.b.grad.tolist() == [pytest.approx(9.6, rel=FLOAT32)]


@pytest.mark.parametrize(("rows", "columns"), [(3, 2), (1, 1), (7, 4)])
def test_manual_gradient_agrees_with_autograd_elsewhere(rows: int, columns: int) -> None:
    module = reference("manual_gradient")
    shapes = ((rows, columns), (columns, 1), (1,), (rows, 1))
    X, w, b, target = (torch.randn(shape, dtype=torch.float64) for shape in shapes)  # noqa: N806 - the exercise's name
    leaves = [w.requires_grad_(), b.requires_grad_()]
    wanted_w, wanted_b = torch.autograd.grad((0.5 * (target - (X @ w + b)) ** 2).sum(), leaves)
    grad_w, grad_b = module.manual_gradient(X, w.detach(), b.detach(), target)
    assert torch.allclose(grad_w, wanted_w, rtol=1e-12)
    assert grad_b.item() == pytest.approx(wanted_b.item(), rel=1e-12)


# ---- the thermometer ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def thermometer() -> ModuleType:
    """The module of temperature."""
    return reference("temperature")


def start() -> Tensor:
    return torch.tensor([1.0, 0.0], requires_grad=True)


def test_thermometer_gradient_at_the_start(thermometer: ModuleType) -> None:
    params = start()
    thermometer.loss_fn(thermometer.model(thermometer.t_u, *params), thermometer.t_c).backward()
    assert params.grad is not None
    assert params.grad.tolist() == [pytest.approx(4517.2969, abs=5e-4), pytest.approx(82.6, abs=5e-5)]


@pytest.mark.parametrize(
    ("epoch", "loss"), [(500, 7.860115), (1000, 3.828538), (1500, 3.092191), (5000, 2.927647)]
)
def test_thermometer_loss_of_an_epoch(thermometer: ModuleType, epoch: int, loss: float) -> None:
    """The loss printed at an epoch is taken before its update. Thousands of float32 steps leave 1e-6 open."""
    module = thermometer
    params = module.training_loop(epoch - 1, 1e-2, start(), module.t_un, module.t_c)
    seen = module.loss_fn(module.model(module.t_un, *params), module.t_c).item()
    assert seen == pytest.approx(loss, abs=2e-6)


def test_thermometer_params(thermometer: ModuleType) -> None:
    assert thermometer.params.tolist() == pytest.approx([5.3671, -17.3012], abs=5e-5)


def test_thermometer_diverges_without_scaling(thermometer: ModuleType) -> None:
    module = thermometer
    params = module.training_loop(100, 1e-2, start(), module.t_u, module.t_c)
    assert not torch.isfinite(params).any()


def test_a_result_in_the_place_of_a_leaf_has_no_gradient(grade_cells: Callable[..., Report]) -> None:
    """The tensor behind it was a leaf, and got one; but nothing has its name."""
    source = load_exercise(course_folder(None), "manual_gradient").reference.read_text("utf-8")
    spoilt = source.replace(
        "torch.zeros(2, 1, requires_grad=True)", "torch.zeros(2, 1, requires_grad=True) * 1.0"
    )
    report = grade_cells([spoilt], exercise="manual_gradient")
    (failed,) = [check for check in report.checks if check.status == "failed"]
    assert failed.reason is not None
    assert (failed.id, failed.reason.id) == ("test_w_grad", "grad-missing")
    (finding,) = report.findings
    assert (finding.mistake, finding.confidence) == ("parameter-not-leaf", "confirmed")


def test_a_result_that_is_handed_to_a_training_is_named(grade_cells: Callable[..., Report]) -> None:
    """What stands in the place of the leaf is an argument of the learner's own function."""
    source = load_exercise(course_folder(None), "temperature").reference.read_text("utf-8")
    leaf = "params=torch.tensor([1.0, 0.0], requires_grad=True)"
    assert leaf in source
    report = grade_cells([source.replace(leaf, f"{leaf} * 1.0")], exercise="temperature")
    (finding,) = report.findings
    assert (finding.mistake, finding.confidence) == ("parameter-not-leaf", "confirmed")
    assert finding.score_after == report.max_score
