"""`diagnose_here()` inside nbgrader, otter-grader and pytest, as docs/other-graders.md shows it: its examples are what runs here."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import html5lib
import nbformat
import pytest

pytestmark = pytest.mark.slow

# Other graders, which `make slow` installs.
pytest.importorskip("nbgrader")
pytest.importorskip("otter")

PAGE = Path(__file__).parents[1] / "docs" / "other-graders.md"
# They call programs of their own by their names.
PROGRAMS = Path(sys.executable).parent
SECONDS = 400

DATA = """import torch

torch.manual_seed(0)
x = torch.arange(100) * 0.01
y = 10 * x + 4 + torch.randn(100)
w = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)"""
LOOP = """for step in range(3000):
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
"""
REBOUND = "    w = w - 1e-2 * w.grad\n    b = b - 1e-2 * b.grad\n"
RIGHT = """    with torch.no_grad():
        w -= 1e-2 * w.grad
        b -= 1e-2 * b.grad
        w.grad.zero_()
        b.grad.zero_()
"""
LINE = "❱ 4     w = w - 1e-2 * w.grad"
MENDED = "+     w.data -= 1e-2 * w.grad"
PROVEN = "Proven: with this change it runs on."


def example(heading: str, number: int = 0) -> str:
    """A block of code under a heading of the page."""
    section = PAGE.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return str(re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[number])


def run(*command: str | Path, folder: Path) -> None:
    """Run a program of the environment; fails with what it says."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def notebook(path: Path, *cells: Any) -> None:
    """Write a notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=list(cells))
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)


# ---- nbgrader -----------------------------------------------------------------------------------


def of_nbgrader(source: str, id: str, **kind: object) -> Any:
    """A cell with nbgrader's metadata."""
    its = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**its, "grade_id": id, **kind}})


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of nbgrader's in which two have handed in, and were graded."""
    folder = tmp_path_factory.mktemp("course")
    config = f"c = get_config()\nc.CourseDirectory.course_id = 'course'\n{example('nbgrader', 1)}"
    (folder / "nbgrader_config.py").write_text(config, "utf-8")
    test = of_nbgrader(example("nbgrader"), "slope", grade=True, locked=True, points=2)
    data = of_nbgrader(DATA, "data", locked=True)

    def submission(where: str, loop: str) -> None:
        notebook(folder / where / "line" / "line.ipynb", data, of_nbgrader(loop, "loop", solution=True), test)

    submission("source", "# YOUR CODE HERE")
    run("nbgrader", "generate_assignment", "line", folder=folder)
    submission("submitted/wrong", LOOP + REBOUND)
    submission("submitted/right", LOOP + RIGHT)
    run("nbgrader", "autograde", "line", folder=folder)
    run("nbgrader", "generate_feedback", "line", folder=folder)
    run("nbgrader", "export", folder=folder)
    return folder


def test_nbgrader_shows_the_finding_in_the_autograded_notebook(course: Path) -> None:
    graded = nbformat.read(course / "autograded" / "wrong" / "line" / "line.ipynb", as_version=4)
    shown, error = graded.cells[-1].outputs
    text = shown.data["text/plain"]
    assert all(part in text for part in ("cell 2, line 4", LINE, MENDED, PROVEN)), text
    assert (error.ename, error.evalue) == ("AssertionError", "w should be near 10")


def test_nbgrader_shows_the_finding_in_its_feedback(course: Path) -> None:
    page = html5lib.parse((course / "feedback" / "wrong" / "line" / "line.html").read_text("utf-8"))
    frames = [one.get("srcdoc") for one in page.iter("{http://www.w3.org/1999/xhtml}iframe")]
    words = "".join(html5lib.parse(frames[0]).itertext())
    assert "w.data -= 1e-2 * w.grad" in words
    assert PROVEN in words


def test_nbgrader_gives_its_own_points(course: Path) -> None:
    with (course / "grades.csv").open() as file:
        assert {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)} == {
            "wrong": 0.0,
            "right": 2.0,
        }


def test_nbgrader_shows_nothing_in_a_right_notebook(course: Path) -> None:
    graded = nbformat.read(course / "autograded" / "right" / "line" / "line.ipynb", as_version=4)
    assert graded.cells[-1].outputs == []


# ---- otter --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def autograder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an assignment of otter's."""
    folder = tmp_path_factory.mktemp("otter")
    (folder / "tests").mkdir()
    (folder / "tests" / "q1.py").write_text(example("otter-grader"), "utf-8")
    run("otter", "generate", "-t", "tests", "-o", "autograder.zip", folder=folder)
    return folder


def graded_by_otter(folder: Path, loop: str) -> dict[str, Any]:
    """What `otter run` writes on the only question of a notebook."""
    new = nbformat.v4.new_code_cell
    begin = new("# Initialize Otter\nimport otter\ngrader = otter.Notebook()")
    notebook(folder / "line.ipynb", begin, new(DATA), new(loop), new('grader.check("q1")'))
    (folder / "results").mkdir(exist_ok=True)
    run("otter", "run", "line.ipynb", "-a", "autograder.zip", "-o", "results", folder=folder)
    results = json.loads((folder / "results" / "results.json").read_text("utf-8"))
    found: dict[str, Any] = next(test for test in results["tests"] if test["name"] == "q1")
    return found


def test_otter_shows_the_finding_in_its_results(autograder: Path) -> None:
    question = graded_by_otter(autograder, LOOP + REBOUND)
    assert (question["score"], question["max_score"]) == (0, 2)
    parts = "cell 3, line 4", LINE, MENDED, PROVEN
    assert all(part in question["output"] for part in parts), question["output"]
    assert "otter" not in question["output"].partition("w should be near 10")[2]


def test_otter_shows_nothing_of_a_right_notebook(autograder: Path) -> None:
    question = graded_by_otter(autograder, LOOP + RIGHT)
    assert (question["score"], question["max_score"]) == (2, 2)
    assert "Mistakes" not in question["output"]


# ---- pytest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loop", "code"), [(RIGHT, 0), (REBOUND, 1)], ids=["right", "wrong"])
def test_pytest_shows_the_finding(loop: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "solution.py").write_text(f"{DATA}\n{LOOP}{loop}", "utf-8")
    (tmp_path / "test_line.py").write_text(example("pytest"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    assert (PROVEN in done.stdout) == bool(code)
