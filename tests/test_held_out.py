"""What was missed in submissions that nobody had tuned for is named first and proven; what was accused is left alone."""

from collections.abc import Callable

import pytest

from grader.model import Report
from tests.held_out import MORE, QUICK, HeldOut
from tests.held_out_apart import APART
from tests.held_out_behind import BEHIND

SLOW = [
    pytest.param(one, id=name, marks=pytest.mark.slow)
    for name, one in [*MORE.items(), *APART.items(), *BEHIND.items()]
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
