"""Many runs in one process leave as much there as a few."""

from collections.abc import Iterator

import pytest

from grader.kernel.pool import Kernels
from grader.settings import Settings
from tests.leaks import Runs

WARM_UP, RUNS = 5, 40
# What allocators keep back; a tenth of a megabyte a run would be seen.
SLACK_KB = 3_000


@pytest.fixture
def runs() -> Iterator[Runs]:
    """Runs in kernels that no other test uses."""
    with Kernels(Settings()) as kernels:
        if kernels.sandbox.tier in ("bubblewrap", "none"):
            pytest.skip("the job's folders are not where they can be counted")
        yield Runs(kernels)


@pytest.mark.slow
def test_runs_leave_nothing(runs: Runs) -> None:
    runs.run(WARM_UP)
    before = runs.count()
    runs.run(RUNS)
    after = runs.count()
    assert after.things == before.things
    # The warm parent goes on importing whenever it has nothing to do.
    grown = {name: after.memory[name] - before.memory[name] for name in ("supervisor", "caretaker")}
    assert {name: by for name, by in grown.items() if by > SLACK_KB} == {}
