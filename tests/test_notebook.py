"""Grading from within a notebook, in a real kernel: `%grade`, `check()`, `diagnose_here()`, and what is graded then."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import pytest
from jupyter_client.manager import run_kernel
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
        where = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(
            notebook, timeout=120, allow_errors=True, kernel_name="python3", resources=where
        ).execute()
        return [cell.outputs for cell in notebook.cells]

    yield run


def sources() -> list[str]:
    """The cells of the sample, which is right."""
    return [cell.source for cell in nbformat.read(SAMPLE, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.slow
def test_grades_the_notebook_around_it(run: Callable[..., list[Any]]) -> None:
    *_, outputs = run([LOADED, *sources(), GRADE])
    shown = outputs[0].data
    assert "10 / 10" in shown["text/plain"]
    assert shown["text/html"].startswith('<iframe title="grader" sandbox srcdoc="&lt;!DOCTYPE html&gt;')


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_file_as_saved_is_graded_on_demand(run: Callable[..., list[Any]]) -> None:
    *_, outputs = run([LOADED, "y = 2", f"{GRADE} --saved"], saved=[LOADED, *sources(), GRADE])
    assert "10 / 10" in outputs[0].data["text/plain"]


@pytest.mark.slow
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


@pytest.mark.slow
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


def in_vs_code(cells: list[str], notebook: Path, said: str, *, folder: Path) -> list[dict[str, Any]]:
    """The outputs of the last cell, run as VS Code runs cells: a name that it gives the kernel, and ids that are addresses."""
    with run_kernel(kernel_name="python3", cwd=str(folder)) as client:
        client.execute_interactive(f"__vsc_ipynb_file__ = {said!r}", store_history=False)
        for number, cell in enumerate(cells):
            content = {"code": cell, "silent": False, "store_history": True, "stop_on_error": False}
            address = f"vscode-notebook-cell:{quote(str(notebook))}#W{number}sZmlsZQ%3D%3D"
            message = client.session.msg("execute_request", content, metadata={"cellId": address})
            client.shell_channel.send(message)
            outputs: list[dict[str, Any]] = []
            while (heard := client.get_iopub_msg(timeout=120))["content"].get(
                "execution_state"
            ) != "idle" or (heard["parent_header"].get("msg_id") != message["header"]["msg_id"]):
                outputs.append(heard["content"])
    return outputs


@pytest.mark.slow
def test_is_found_in_vs_code(tmp_path: Path) -> None:
    path = tmp_path / "mine and yours.ipynb"
    cells = [LOADED, *sources(), GRADE]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    # VS Code goes on to say what the notebook was called when its kernel was started.
    *_, shown = in_vs_code(cells, path, str(tmp_path / "Untitled-1.ipynb"), folder=tmp_path)
    assert "10 / 10" in shown["data"]["text/plain"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run_so_far", "saved_later", "said"),
    [
        ([LOADED, "y = 2"], False, "a cell that is not in mine.ipynb as saved: `y = 2`"),
        ([LOADED, "y = 2"], True, "10 / 10"),
    ],
    ids=["run since", "saved since"],
)
def test_in_vs_code_what_was_run_has_to_be_saved(
    run_so_far: list[str], saved_later: bool, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.ipynb"
    cells = [LOADED, *sources(), GRADE]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    save = f"import os, time\nos.utime({str(path)!r}, (time.time() + 1,) * 2)"
    outputs = in_vs_code([*run_so_far, *[save] * saved_later, GRADE], path, str(path), folder=tmp_path)
    assert said in str(outputs)


def test_a_notebook_of_vs_code_that_was_never_saved_is_asked_for(tmp_path: Path) -> None:
    *_, told = in_vs_code([LOADED, GRADE], Path("Untitled-1.ipynb"), "Untitled-1.ipynb", folder=tmp_path)
    assert "Untitled-1.ipynb has not been saved yet." in told["text"]


def test_what_grades_is_left_out_of_the_grading(grade_cells: Callable[..., Report]) -> None:
    asking = (
        "import grader\nfrom grader import diagnose_here\ngrader.check()\ndiagnose_here('linear_regression')"
    )
    report = grade_cells([LOADED, *sources(), asking, "%grade"])
    assert (report.score, report.error, report.notes) == (10, None, ())
