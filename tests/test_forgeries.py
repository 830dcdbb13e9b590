"""Results that are dressed up to look right score nothing: each forgery, in the place of each exercise's values."""

from collections.abc import Callable
from typing import NamedTuple

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
    "huge": "def forged(x): return torch.zeros(1 << 22)",
}


class Forged(NamedTuple):
    """Cells that use the forgery in the place of an exercise's values, and the checks that read those values."""

    cells: tuple[str, ...]
    checks: tuple[str, ...]


PER_SAMPLE = """
w = torch.tensor([1.0], requires_grad=True)
def forward(x): return forged(torch.as_tensor(x))
def loss(x, y): return forged(torch.as_tensor(x))
"""
DATA = """
x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
"""
TRAINED = """
w = forged(torch.ones(1))
b = forged(torch.ones(1))
"""
MANUAL = """
def manual_gradient(X, w, b, target): return forged(w), forged(b)
def descend(x0, lr, steps): return forged(torch.ones(steps))
"""
MODULE = """
class Model(torch.nn.Linear):
    def forward(self, x): return forged(x)
model = Model(1, 1)
"""
PARABOLA = """
def descend_by_hand(x0, lr, steps): return forged(torch.ones(steps))
def descend_with_autograd(x0, lr, steps): return forged(torch.ones(steps))
"""
EXERCISES = {
    "backprop_per_sample": Forged((PER_SAMPLE,), ("test_forward", "test_loss", "test_forward_4_is_8")),
    "linear_regression": Forged(
        (DATA, TRAINED),
        ("test_descends", "test_finds_the_slope", "test_finds_the_intercept", "test_follows_other_data"),
    ),
    "linear_module": Forged((MODULE,), ("test_loss_is_small", "test_predicts_8_for_4")),
    "manual_gradient": Forged(
        (MANUAL,),
        (
            "test_manual_gradient_on_the_data",
            "test_manual_gradient_elsewhere",
            "test_descend_from_5",
            "test_descend_elsewhere",
        ),
    ),
    "minimise_parabola": Forged(
        (PARABOLA,),
        (
            "test_by_hand_from_zero",
            "test_by_hand_elsewhere",
            "test_with_autograd_from_zero",
            "test_with_autograd_elsewhere",
        ),
    ),
}
# Every forgery of a value and of a result; in the other exercises those that reach farthest.
FARTHEST = ("always-equal-tensor", "nan", "os-exit")
CASES = [
    (forgery, exercise)
    for exercise in EXERCISES
    for forgery in (FORGERIES if exercise in ("backprop_per_sample", "linear_regression") else FARTHEST)
]


# In these tests every warning is an error; a check that computes with inf on purpose warns.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("forgery", "exercise"), CASES)
def test_a_forged_value_scores_nothing(
    forgery: str, exercise: str, grade_cells: Callable[..., Report]
) -> None:
    cells, checks = EXERCISES[exercise]
    report = grade_cells(["import torch", FORGERIES[forgery], *cells], exercise)
    assert report.status == "graded"
    given = {check.id: check.score for check in report.checks}
    assert {check: given[check] for check in checks} == dict.fromkeys(checks, 0.0)
