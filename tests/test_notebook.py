"""Grading from within a notebook, in a real kernel: `%grade`, `check()`, `diagnose_here()`, and what is graded then."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from grader.model import Report
from tests.conftest import SAMPLE

LOADED = "%load_ext grader"
GRADE = "%grade linear_regression --language en"
SAVED = "x = 1"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Any]]]:
    """`run(cells, saved)` runs cells in the kernel of a notebook that was saved with others; gives their outputs."""
    path = tmp_path / "mine.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))

    def run(cells: list[str], saved: list[str] | None = None) -> list[Any]:
        new = nbformat.v4.new_code_cell
        nbformat.write(nbformat.v4.new_notebook(cells=[new(cell) for cell in saved or cells]), path)
        notebook = nbformat.v4.new_notebook(cells=[new(cell) for cell in cells])
        NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
        return [cell.outputs for cell in notebook.cells]

    yield run


def sources() -> list[str]:
    """The cells of the sample, which is right."""
    return [cell.source for cell in nbformat.read(SAMPLE, as_version=4).cells if cell.cell_type == "code"]


def test_grades_the_notebook_around_it(run: Callable[..., list[Any]]) -> None:
    *_, outputs = run([LOADED, *sources(), GRADE])
    shown = outputs[0].data
    assert "10 / 10" in shown["text/plain"]
    assert shown["text/html"].startswith('<iframe title="grader" sandbox srcdoc="&lt;!DOCTYPE html&gt;')


@pytest.mark.parametrize("before", [True, False], ids=["before it was loaded", "after"])
def test_a_cell_that_is_not_saved_is_asked_for(run: Callable[..., list[Any]], *, before: bool) -> None:
    cells = ["y = 2", LOADED, GRADE] if before else [LOADED, "y = 2", GRADE]
    *_, outputs = run(cells, saved=[LOADED, SAVED, GRADE])
    assert "a cell that is not in mine.ipynb as saved: `y = 2`" in outputs[0].text


def test_the_file_as_saved_is_graded_on_demand(run: Callable[..., list[Any]]) -> None:
    *_, outputs = run([LOADED, "y = 2", f"{GRADE} --saved"], saved=[LOADED, *sources(), GRADE])
    assert "10 / 10" in outputs[0].data["text/plain"]


def test_diagnoses_what_was_run_so_far(run: Callable[..., list[Any]]) -> None:
    wrong = [cell.replace("w.grad.zero_()", "").replace("b.grad.zero_()", "") for cell in sources()]
    asked = "import grader\n[one['mistake'] for one in grader.diagnose_here('linear_regression').report['findings']]"
    *_, outputs = run([*wrong, asked])
    assert "gradients-not-zeroed" in outputs[0].data["text/plain"]


ASK = "grader.diagnose_here()"
NAMES = f"import grader\n[one['mistake'] for one in {ASK}.report['findings']]"
BEGIN = """import torch
x = torch.arange(20.0)
w = torch.zeros(1, requires_grad=True)"""
REBINDS = """for step in range(3):
    loss = ((w * x - 2 * x) ** 2).mean()
    loss.backward()
    w = w - 1e-4 * w.grad"""
IN_PLACE = REBINDS.replace("    w = w - 1e-4 * w.grad", "    w.data -= 1e-4 * w.grad\n    w.grad.zero_()")


# What a history may hold besides: magics, empty cells, errors, another grader's cells, and a diagnosis asked for before.
OTTERS = "import otter\ngrader = otter.Notebook('line.ipynb')\ngrader.check('q1')"
BESIDE = ["%matplotlib inline", "", "  ", "1 / 0", f"{NAMES}\nassert False", OTTERS]


@pytest.mark.parametrize(
    ("loop", "found"), [(REBINDS, "['leaf-rebound']"), (IN_PLACE, "[]")], ids=["wrong", "right"]
)
def test_names_the_mistakes_of_any_history(run: Callable[..., list[Any]], loop: str, found: str) -> None:
    often = f"{NAMES} * len({{id({ASK}) for _ in range(100)}})"  # asked again in a cell, it answers at once
    *_, outputs = run([loop, BEGIN, *BESIDE, loop, often])
    assert outputs[0].data["text/plain"] == found


def test_what_stands_in_the_way_of_a_diagnosis_is_shown(run: Callable[..., list[Any]]) -> None:
    *_, outputs = run([BEGIN, "import grader\ngrader.diagnose_here('no_such_exercise', language='en')"])
    assert outputs[0].output_type == "execute_result"
    assert "The notebook was not graded." in outputs[0].data["text/plain"]
    assert "no_such_exercise" in outputs[0].data["text/html"]


def test_outside_of_a_notebook_it_says_what_to_do() -> None:
    import grader
    from grader.errors import UsageError

    for ask in (grader.check, grader.diagnose_here):
        with pytest.raises(UsageError, match="notebook-unknown"):
            ask()


def test_what_grades_is_left_out_of_the_grading(grade_cells: Callable[..., Report]) -> None:
    asking = (
        "import grader\nfrom grader import diagnose_here\ngrader.check()\ndiagnose_here('linear_regression')"
    )
    report = grade_cells([LOADED, *sources(), asking, "%grade"])
    assert (report.score, report.error, report.notes) == (10, None, ())
