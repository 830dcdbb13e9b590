"""Other graders over the same notebooks: nbgrader and otter in an environment of their own, and nbclient alone.

Each is run as it comes, one command after the other, and as two processes beside each other, each with half of the notebooks.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from tests.measure.bench_batch_class import sample_cells, write_notebook

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".bench" / "peers"
PROGRAMS = PEERS / ("Scripts" if sys.platform == "win32" else "bin")
CONSTRAINTS = ROOT / "constraints.txt"
PACKAGES = ("nbgrader", "otter-grader", "torch")
SLOPE, INTERCEPT = "assert abs(w.item() - 10) < 1.5", "assert abs(b.item() - 4) < 1.5"
NBGRADER = "c = get_config()\nc.CourseDirectory.course_id = 'course'\nc.Execute.timeout = 180\n"
OTTER = """
from otter.test_files import test_case

OK_FORMAT = False
name = "q1"
points = 2


@test_case()
def test_line(w, b):
    {slope}
    {intercept}
"""
NBCLIENT = """
import sys, nbformat
from nbclient import NotebookClient
for path in sys.argv[1:]:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
    nbformat.write(notebook, path)
"""
CODE = nbformat.v4.new_code_cell


class Peer(NamedTuple):
    """Another grader. minute: how many notebooks it does in a minute, given how many there are, in so many processes."""

    name: str
    minute: Callable[[int, int], float]


def install() -> None:
    """Make the environment of the peers, pinned as everything is, unless it is there already."""
    stamp = hashlib.sha256(" ".join(PACKAGES).encode() + CONSTRAINTS.read_bytes()).hexdigest()
    ready = PEERS / ".ready"
    if ready.is_file() and ready.read_text("ascii") == stamp:
        return
    subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    pip = [str(PROGRAMS / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(CONSTRAINTS), *PACKAGES], check=True)
    ready.write_text(stamp, "ascii")


def nbgrader_per_minute(count: int, together: int) -> float:
    """`nbgrader autograde` of an assignment; together: so many courses beside each other, which share the students."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        courses = [
            _course(Path(folder) / f"course{k}", numbers) for k, numbers in enumerate(shares(count, together))
        ]
        seconds = _together([[(["nbgrader", "autograde", "line"], course)] for course in courses])
        for course in courses:
            _demand(
                len(list(course.glob("autograded/*/line/line.ipynb")))
                == len(list(course.glob("submitted/*")))
            )
        return 60 * count / seconds


def _course(course: Path, numbers: Sequence[int]) -> Path:
    """A course that has one assignment, with a test cell for each parameter."""
    course.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(NBGRADER, "utf-8")
    tests = [_cell(SLOPE, "slope", grade=True, locked=True, points=1)]
    tests.append(_cell(INTERCEPT, "intercept", grade=True, locked=True, points=1))
    write_notebook(
        course / "source" / "line" / "line.ipynb", [_cell("# YOUR CODE HERE", "cell0", solution=True), *tests]
    )
    _run(["nbgrader", "generate_assignment", "line"], course)
    for number in numbers:
        first, *others = sample_cells(number)
        cells = [_cell(first, "cell0", solution=True), *map(CODE, others), *tests]
        write_notebook(course / "submitted" / f"s{number:05}" / "line" / "line.ipynb", cells)
    return course


def _cell(source: str, id: str, **kind: object) -> Any:
    its = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}
    return CODE(source, metadata={"nbgrader": {**its, "grade_id": id, **kind}})


def otter_per_minute(count: int, together: int) -> float:
    """`otter run` of each notebook, so many at a time."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as name:
        folder = Path(name)
        (folder / "tests").mkdir()
        (folder / "tests" / "q1.py").write_text(OTTER.format(slope=SLOPE, intercept=INTERCEPT), "utf-8")
        _run(["otter", "generate", "-t", "tests", "-o", "autograder.zip"], folder)
        for number in range(count):
            begin, end = CODE("import otter\ngrader = otter.Notebook()"), CODE('grader.check("q1")')
            own = folder / str(number)
            write_notebook(own / "line.ipynb", [begin, *map(CODE, sample_cells(number)), end])
            (own / "results").mkdir()
        command = ["otter", "run", "line.ipynb", "-a", "../autograder.zip", "-o", "results"]
        seconds = _together(
            [[(command, folder / str(number)) for number in share] for share in shares(count, together)]
        )
        _demand(all((folder / str(number) / "results" / "results.json").is_file() for number in range(count)))
        return 60 * count / seconds


def nbclient_per_minute(count: int, together: int) -> float:
    """The notebooks executed by nbclient, in a new stock kernel each: nothing is graded."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as name:
        folder = Path(name)
        for number in range(count):
            write_notebook(folder / f"{number}.ipynb", list(map(CODE, sample_cells(number))))
        run = ["python", "-c", NBCLIENT]
        seconds = _together(
            [
                [([*run, *(f"{number}.ipynb" for number in share)], folder)]
                for share in shares(count, together)
            ]
        )
        return 60 * count / seconds


def shares(count: int, together: int) -> list[range]:
    """The numbers below `count`, for each of the processes beside each other."""
    return [range(first, count, together) for first in range(together)]


def _together(rows: Sequence[Sequence[tuple[Sequence[str], Path]]]) -> float:
    """Seconds for rows of commands, each with its folder: the rows beside each other, the commands of a row in turn."""
    left = [list(row) for row in rows]
    running: dict[int, subprocess.Popen[str]] = {}
    began = time.perf_counter()
    while running or any(left):
        for number, row in enumerate(left):
            if number not in running and row:
                running[number] = _started(*row.pop(0), alone=len(rows) == 1)
        for number, process in list(running.items()):
            if process.poll() is not None:
                _finished(running.pop(number))
        time.sleep(0.01)
    return time.perf_counter() - began


def _run(command: Sequence[str], folder: Path) -> None:
    _together([[(command, folder)]])


def _started(command: Sequence[str], folder: Path, *, alone: bool) -> "subprocess.Popen[str]":
    """Start a command; beside another, torch has one thread: more would get in each other's way."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        **({} if alone else {"OMP_NUM_THREADS": "1"}),
    }
    program = [str(PROGRAMS / command[0]), *command[1:]]
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(program, cwd=folder, env=environment, stdout=said, stderr=said, text=True)


def _finished(process: "subprocess.Popen[str]") -> None:
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)


def _demand(done: bool) -> None:
    if not done:
        raise RuntimeError("a peer left notebooks ungraded")


PEERS_MEASURED = (
    Peer("nbgrader", nbgrader_per_minute),
    Peer("otter", otter_per_minute),
    Peer("nbclient", nbclient_per_minute),
)
