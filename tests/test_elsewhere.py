"""Where kernels cannot be forked, as on macOS and Windows: all is imported, and a file of one's own is graded."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel import warm
from grader.kernel.pool import Kernels
from grader.kernel.warm import LAYERS
from grader.load import load
from grader.model import Limits
from grader.settings import Settings
from tests.command import python
from tests.conftest import SAMPLE
from tests.elsewhere import SYSTEMS
from tests.sessions import ran

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("system", SYSTEMS)
def test_everything_is_imported_and_nothing_is_promised(system: str) -> None:
    done = python("-W", "error", "-m", "tests.elsewhere", system, folder=ROOT)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "can_fork": False,
        "zygote": False,
        "tier": "none",
        "missing": list(LAYERS),
        "layers": [],
        "reasons": [SYSTEMS[system]],
        "remedies": ["linux"],
        "sound": False,
    }


# ---- the kernel as a process of its own ---------------------------------------------------------


@pytest.fixture(scope="module")
def processes() -> Iterator[Kernels]:
    """Kernels as they are where none can be forked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm, "can_fork", lambda: False)
        with Kernels(Settings()) as kernels:
            yield kernels


@pytest.mark.slow
def test_a_submission_is_graded_and_its_report_says_how(processes: Kernels) -> None:
    report = grade(
        load(SAMPLE), load_exercise(course_folder(None), "linear_regression"), Settings(), processes
    )
    assert (report.status, report.score, report.max_score) == ("graded", 10, 10)
    assert report.sandbox is not None
    assert (report.sandbox.tier, report.sandbox.layers) == ("none", ())


@pytest.mark.slow
def test_a_cell_is_interrupted_when_its_time_is_over_and_the_kernel_goes_on(processes: Kernels) -> None:
    limits = Limits(cell_seconds=1.5)
    cells = "def f(x): return 2 * x", "a = 1\nwhile True: pass"
    with ran(processes, *cells, values=("a",), limits=limits) as done:
        assert [(error.kind, error.cell, error.line) for error in done.run.errors] == [("time-limit", 2, 2)]
        assert not done.run.complete
        assert done.call("f").error is not None  # it takes an argument; the kernel is there to say so


@pytest.mark.slow
def test_a_cell_that_holds_on_is_ended_with_its_kernel(processes: Kernels) -> None:
    stubborn = "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass"
    with ran(processes, stubborn, limits=Limits(cell_seconds=1.0)) as done:
        assert [error.kind for error in done.run.errors] == ["time-limit"]


@pytest.mark.slow
def test_a_kernel_that_ends_itself_is_told_of(processes: Kernels) -> None:
    with ran(processes, "import os; os._exit(3)", "x = 1") as done:
        assert [(error.kind, error.cell) for error in done.run.errors] == [("kernel-died", 1)]


@pytest.mark.slow
def test_nothing_of_the_callers_environment_is_in_it(
    processes: Kernels, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOKEN_OF_MINE", "secret")
    with ran(processes, "import os\nfound = float('TOKEN_OF_MINE' in os.environ)", "w = 1 / found") as done:
        assert [error.message.partition(":")[0] for error in done.run.errors] == ["ZeroDivisionError"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_kernels_are_gone_afterwards(
    processes: Kernels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ran(processes, "x = 1") as done:
        assert done.run.complete
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
