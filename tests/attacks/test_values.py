"""Forged results in the place of those of every exercise: none is worth more than the wrong result bare.

`tests/test_forgeries.py` has the forgeries, and names the checks that they must not pass; here each of the
others is compared, check by check, with the same solution undressed.
"""

from collections.abc import Callable

import pytest

from grader.exercise import course_folder, slugs
from grader.model import Report
from tests.test_forgeries import CASES, EXERCISES, FORGERIES

# What the forgeries dress up.
BARE = "def forged(x): return x * 0"
QUADRATIC = """
w = forged(torch.tensor([1.0]))
w2 = forged(torch.tensor([1.0]))
b = forged(torch.tensor([1.0]))
def forward(x): return forged(torch.as_tensor(x))
def loss(x, y): return forged(torch.as_tensor(x))
"""
TEMPERATURE = """
def model(t_u, w, b): return forged(t_u)
def loss_fn(t_p, t_c): return forged(t_p.sum())
def training_loop(n_epochs, learning_rate, params, t_u, t_c, *others): return forged(params.detach())
params = training_loop(5000, 1e-2, torch.tensor([1.0, 0.0]), torch.ones(11), torch.ones(11))
"""
# The cells that use `forged` in the place of each exercise's results.
SOLUTIONS = {
    **{exercise: forged.cells for exercise, forged in EXERCISES.items()},
    "backprop_quadratic": (QUADRATIC,),
    "temperature": (TEMPERATURE,),
}
OTHERS = [
    (exercise, forgery) for exercise in SOLUTIONS for forgery in FORGERIES if (forgery, exercise) not in CASES
]
# In every run of the suite each forgery once.
FIRST = {forgery: exercise for exercise, forgery in reversed(OTHERS)}

Given = dict[str, float]


def given(report: Report) -> Given:
    """The points of each check of a report that must be graded."""
    assert report.status == "graded", report.needs_review
    return {check.id: check.score for check in report.checks}


@pytest.fixture
def bare(request: pytest.FixtureRequest, grade_cells: Callable[..., Report]) -> Callable[[str], Given]:
    """`bare(exercise)`: what the wrong results get as they are; each is graded once."""
    known: dict[str, Given] = request.config.stash.setdefault(BARE_KEY, {})

    def grade(exercise: str) -> Given:
        if exercise not in known:
            known[exercise] = given(grade_cells(["import torch", BARE, *SOLUTIONS[exercise]], exercise))
        return known[exercise]

    return grade


BARE_KEY = pytest.StashKey[dict[str, Given]]()


def test_every_exercise_has_forged_results() -> None:
    assert set(SOLUTIONS) == set(slugs(course_folder(None)))


# In these tests every warning is an error; a check that computes with inf on purpose warns.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("exercise", "forgery"),
    [pytest.param(*one, marks=() if FIRST[one[1]] == one[0] else pytest.mark.slow) for one in OTHERS],
)
def test_a_forgery_is_worth_no_more_than_what_it_dresses(
    exercise: str, forgery: str, grade_cells: Callable[..., Report], bare: Callable[[str], Given]
) -> None:
    forged = given(grade_cells(["import torch", FORGERIES[forgery], *SOLUTIONS[exercise]], exercise))
    honest = bare(exercise)
    assert {check: points for check, points in forged.items() if points > honest[check]} == {}


@pytest.mark.parametrize("exercise", SOLUTIONS)
def test_what_is_dressed_is_wrong(exercise: str, bare: Callable[[str], Given]) -> None:
    assert sum(bare(exercise).values()) <= 2
