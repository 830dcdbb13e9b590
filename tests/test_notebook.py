"""Grading from within a notebook, in a real kernel: `%grade`, `check()`, `diagnose_here()`, and what is graded then."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from grader.authoring import new_exercise
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


def test_grades_by_a_course_of_ones_own(run: Callable[..., list[Any]], tmp_path: Path) -> None:
    new_exercise(tmp_path / "my course", "spring")
    right = (tmp_path / "my course" / "reference" / "spring.py").read_text("utf-8")
    asked = f"%grade spring --language en --course '{tmp_path / 'my course'}'"
    *_, outputs = run([LOADED, right, asked])
    assert "10 / 10" in outputs[0].data["text/plain"]


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
