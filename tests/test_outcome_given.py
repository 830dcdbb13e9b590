"""What all learners were given is no sign that they copied, whichever way the exercise gives it."""

import json
from pathlib import Path

import nbformat
import pytest

from grader.exercise import load_exercise
from grader.grades import Grade, HandedIn
from grader.load import load_content
from grader.model import Report, Shown
from grader.outcome.write import write_all
from grader.starter import starter_notebook
from tests.command import grader

SLUG = "fit_a_spring"
GAP = "# YOUR CODE HERE\n{indent}raise NotImplementedError()"
# Three ways to write the solution; most of each notebook is what was given.
OWN = {
    "ann": ("return w * x", "w.grad = None"),
    "bob": ("return x * w", "pass"),
    "cy": ("return torch.mul(w, x)", "break"),
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with an exercise whose starter is made from its marked reference, with much that is given."""
    done = grader("new", SLUG, "--course", "course", folder=tmp_path)
    assert done.code == 0, done.err
    reference = tmp_path / "course" / "reference" / f"{SLUG}.py"
    lines = "\n".join(f"helper_{n} = [helper + {n} for helper in range({n})]" for n in range(20))
    reference.write_text(f"{reference.read_text('utf-8')}\n\n# %% Helpers\n{lines}\n", "utf-8")
    return tmp_path / "course"


@pytest.mark.parametrize("own_starter", [False, True], ids=["marked reference", "starter.ipynb"])
def test_what_was_given_is_no_sign(course: Path, tmp_path: Path, *, own_starter: bool) -> None:
    exercise = load_exercise(course, SLUG)
    given = nbformat.reads(starter_notebook(exercise, "en"), as_version=4)
    if own_starter:
        text = exercise.reference.read_text("utf-8").replace("BEGIN SOLUTION", "").replace("END SOLUTION", "")
        exercise.reference.write_text(text, "utf-8")
        plain = nbformat.v4.new_notebook(cells=given.cells[2:-1])
        exercise.starter.write_text(nbformat.writes(plain), "utf-8")
    grades = [handed_in(student, nbformat.writes(given), solutions) for student, solutions in OWN.items()]
    write_all(tmp_path / "grades", grades, exercise, "en")
    assert json.loads((tmp_path / "grades" / "class.json").read_text("utf-8"))["similar"] == []


def handed_in(student: str, given: str, solutions: tuple[str, str]) -> Grade:
    """A student's grade, of the notebook that was given with the gaps filled."""
    notebook = nbformat.reads(given, as_version=4)
    for cell in notebook.cells:
        for indent, solution in zip(("    ", "    "), solutions, strict=True):
            gap = GAP.format(indent=indent)
            if gap in cell.source:
                cell.source = cell.source.replace(gap, solution)
                break
    submission = load_content("a.ipynb", nbformat.writes(notebook).encode(), "a.ipynb")
    report = Report(
        exercise=SLUG,
        submission="a.ipynb",
        sha256=submission.sha256,
        status="graded",
        score=5.0,
        max_score=10.0,
        notebook=tuple(Shown(number=cell.number, source=cell.source) for cell in submission.original),
    )
    handed = HandedIn(file="a.ipynb", path="a.ipynb", sha256=submission.sha256)
    return Grade(student=student, handed_in=handed, report=report)
