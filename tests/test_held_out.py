"""What was missed in submissions that nobody had tuned for is named first and proven; what was accused is left alone."""

from collections.abc import Callable

import pytest

from grader.model import Report
from tests.held_out import ASKED, MORE, QUICK, READINGS, HeldOut
from tests.held_out_apart import APART
from tests.held_out_behind import BEHIND
from tests.held_out_seen import DECAYING, DECAYS, SEEN

SLOW = [
    pytest.param(one, id=name, marks=pytest.mark.slow)
    for name, one in [*MORE.items(), *APART.items(), *SEEN.items(), *BEHIND.items()]
]


@pytest.mark.parametrize("held", [*(pytest.param(one, id=name) for name, one in QUICK.items()), *SLOW])
def test_held_out(held: HeldOut, grade_cells: Callable[..., Report]) -> None:
    report = grade_cells([held.source], exercise=held.exercise)
    told = [one.mistake for one in report.findings if one.confidence != "possible"]
    if not held.mistake:
        assert (report.score, told) == (report.max_score, [])
        return
    first = report.findings[0]
    assert (report.score or 0) < report.max_score
    assert (first.mistake, first.confidence) == (
        held.mistake,
        "confirmed" if held.proven else first.confidence,
    )
    assert first.confidence != "possible"


@pytest.mark.parametrize(
    ("decay", "wanted"), [pytest.param(*one, id=name, marks=pytest.mark.slow) for name, one in DECAYS.items()]
)
def test_penalty_of_a_training_that_came_to_rest(
    decay: str, wanted: list[str], grade_cells: Callable[..., Report]
) -> None:
    report = grade_cells([DECAYING.format(decay=decay)], exercise="linear_module")
    assert report.score == report.max_score
    assert [one.mistake for one in report.findings] == wanted


def test_a_start_at_the_answer_is_told_with_full_marks(grade_cells: Callable[..., Report]) -> None:
    begun = "good = (5.367, -17.3)\nparams = torch.tensor(good).requires_grad_()\n"
    source = READINGS + ASKED + begun + "params = training_loop(4000, 1e-2, params, t_un, t_c)\n"
    report = grade_cells([source], exercise="temperature")
    (finding,) = report.findings
    assert (report.score, finding.mistake, finding.confidence) == (10.0, "answer-hard-coded", "likely")
    assert "[1.0, 0.0]" in str(finding.fix)
