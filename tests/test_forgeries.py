"""Results that are dressed up to look right score nothing: each forgery, in the place of each exercise's values."""

from collections.abc import Callable, Sequence

import pytest

from grader.model import Report

# Each defines `forged(x)`, which is wrong wherever it is used: zeros in one costume or another.
FORGERIES = {
    "always-equal-tensor": """
class Equal(torch.Tensor):
    def __eq__(self, other): return torch.ones(())
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return True
def forged(x): return (x * 0).as_subclass(Equal)
""",
    "always-equal-float": """
class Equal(float):
    __eq__ = lambda self, other: True
    __hash__ = float.__hash__
def forged(x): return Equal(0)
""",
    "patched-allclose": """
import numpy
def forged(x): return x * 0
torch.allclose = torch.equal = numpy.allclose = lambda *args, **kwargs: True
numpy.testing.assert_allclose = lambda *args, **kwargs: None
""",
    "patched-dumps": """
import json
def forged(x): return x * 0
json.dumps = lambda *args, **kwargs: '{"score": 1, "passed": true}'
""",
    "reply-with-object-dtype": """
import json
def forged(x): return x * 0
json.dumps = lambda o, **kwargs: str(o).replace("'", '"').replace("float32", "O")
""",
    "nan": "def forged(x): return x * float('nan')",
    "inf": "def forged(x): return x * 0 + float('inf')",
    "one-number-for-all": "def forged(x): return torch.tensor(0.0)",
    "exit": "def forged(x): raise SystemExit(0)",
    "os-exit": "import os\ndef forged(x): os._exit(0)",
    "huge": "def forged(x): return torch.zeros(1 << 26)",
}

PER_SAMPLE = """
w = torch.tensor([1.0], requires_grad=True)
def forward(x): return forged(torch.as_tensor(x))
def loss(x, y): return forged(torch.as_tensor(x))
"""
MANUAL = """
def manual_gradient(X, w, b, target): return forged(w), forged(b)
def descend(x0, lr, steps): return [forged(torch.tensor(x0)) for _ in range(steps)]
"""
MODULE = """
class Model(torch.nn.Linear):
    def forward(self, x): return forged(x)
model = Model(1, 1)
"""
LINE = """
x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
"""
TRAINED = "w = forged(torch.ones(1))\nb = forged(torch.ones(1))"
PARABOLA = """
def descend_by_hand(x0, lr, steps): return [forged(torch.tensor(x0)) for _ in range(steps)]
def descend_with_autograd(x0, lr, steps):
    x = torch.tensor(x0, requires_grad=True)
    for _ in range(steps):
        (x ** 2).backward()
    return forged(torch.ones(steps))
"""
# For each exercise the cells, and the checks that read the forged values.
READERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "backprop_per_sample": ((PER_SAMPLE,), ("test_forward", "test_loss", "test_forward_4_is_8")),
    "manual_gradient": (
        (MANUAL,),
        (
            "test_manual_gradient_on_the_data",
            "test_manual_gradient_elsewhere",
            "test_descend_from_5",
            "test_descend_elsewhere",
        ),
    ),
    "linear_module": ((MODULE,), ("test_loss_is_small", "test_predicts_8_for_4")),
    "minimise_parabola": (
        (PARABOLA,),
        (
            "test_by_hand_from_zero",
            "test_by_hand_elsewhere",
            "test_with_autograd_from_zero",
            "test_with_autograd_elsewhere",
        ),
    ),
    "linear_regression": (
        (LINE, TRAINED),
        ("test_descends", "test_finds_the_slope", "test_finds_the_intercept", "test_follows_other_data"),
    ),
}


def scores(report: Report, checks: Sequence[str]) -> dict[str, float]:
    """What the checks gave; fails if one of them is not in the report."""
    given = {check.id: check.score for check in report.checks}
    return {check: given[check] for check in checks}


@pytest.mark.parametrize("exercise", READERS)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_value_scores_nothing(
    forgery: str, exercise: str, grade_cells: Callable[..., Report]
) -> None:
    cells, checks = READERS[exercise]
    report = grade_cells(["import torch", FORGERIES[forgery], *cells], exercise)
    assert report.status == "graded"
    assert scores(report, checks) == dict.fromkeys(checks, 0.0)


HONEST = {
    "backprop_per_sample": "def forged(x): return 2 * x",
}


@pytest.mark.parametrize("exercise", ["linear_regression"])
def test_the_same_checks_give_points_for_what_is_right(
    exercise: str, grade_cells: Callable[..., Report]
) -> None:
    """So that the zeros above are the forgeries' doing."""
    del exercise, grade_cells
