"""The wheel holds the whole course, and grades on its own, far from the checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from grader.exercise import course_folder, slugs
from tests.attacks.world import available
from tests.conftest import SAMPLE

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "corpus", "dist", "build")

pytestmark = pytest.mark.slow


# A learner who knows where the wheel has its references, and prints the one of this exercise.
FIND_REFERENCE = """
import glob, os, sys
PLACES = [{site!r}, *sys.path, *glob.glob("/*/*/lib/python*/site-packages"), os.path.dirname(os.__file__) + "/site-packages"]
for place in PLACES:
    for way in ("", "/proc/self/root", "/proc/self/cwd/../../../../.."):
        for course in ("/grader/course", "/grader/../grader/course"):
            try:
                print(open(way + place + course + "/reference/minimise_parabola.py").read())
            except OSError as error:
                print(error.errno)
try:
    from importlib.resources import files
    print((files("grader") / "course" / "reference" / "minimise_parabola.py").read_text())
except Exception as error:
    print(type(error).__name__)
try:
    from grader.course.reference import minimise_parabola
    print(minimise_parabola.__doc__)
except Exception as error:
    print(type(error).__name__)
print("looked everywhere")
"""


def run(*command: str | Path, folder: Path, passes: bool = True, sandbox: str | None = None) -> str:
    """Run a command in a folder without what points to the checkout; if it fails, say all that it wrote."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "GRADER", "VIRTUAL"))
    }
    if sandbox is not None:
        kept["GRADER_SANDBOX"] = sandbox
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == (0 if passes else 1), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel() -> Iterator[Path]:
    """The wheel, built from a copy of the checkout by the build backend that is installed here.

    Its folder is open to all users, as that of an installed system is.
    """
    folder = Path(tempfile.mkdtemp(prefix="wheel-"))
    folder.chmod(0o755)
    shutil.copytree(ROOT, folder / "copy", ignore=LEFT_OUT)
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, folder / "copy", folder=folder)
    (built,) = folder.glob("*.whl")
    yield built
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """A Python that has the wheel installed, and for the rest the libraries of this one.

    Kernels get no PYTHONPATH, so that would not do. A folder named in a .pth file is searched, but the .pth
    files in it are not read: that of the editable install, which names the checkout, stays unread.
    """
    folder = wheel.parent / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        wheel,
        folder=folder,
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return python


def test_holds_the_package_and_the_course(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name) for name in archive.namelist()}
    course = course_folder(None)
    for slug in slugs(course):
        files = [
            path.relative_to(course) for path in (course / "exercises" / slug).iterdir() if path.is_file()
        ]
        assert {Path("grader/course") / path for path in [*files, Path(f"reference/{slug}.py")]} <= names
    package = [
        path.relative_to(ROOT)
        for kind in ("*.py", "*.toml", "*.html", "*.css", "*.js", "*.txt")
        for path in (ROOT / "grader").rglob(kind)
    ]
    assert set(package) <= names
    assert {name.parts[0] for name in names} == {"grader", f"{wheel.stem.partition('-py')[0]}.dist-info"}


def test_is_found_in_place_of_the_checkout(python: Path, tmp_path: Path) -> None:
    """As it is by the kernels' parent, which starts with -P and this interpreter, and by what it starts."""
    script = "import json, sys, grader.kernel.zygote as z; print(json.dumps([z.__file__, sys.path]))"
    module, searched = json.loads(run(python, "-P", "-c", script, folder=tmp_path))
    assert Path(module).is_relative_to(python.parents[1])
    assert str(ROOT) not in searched


def test_lists_the_exercises(python: Path, tmp_path: Path) -> None:
    listed = run(python, "-m", "grader", "exercises", folder=tmp_path)
    assert [line.split()[0] for line in listed.splitlines()] == slugs(course_folder(None))


def test_grades_a_notebook(python: Path, tmp_path: Path) -> None:
    copy = shutil.copy(SAMPLE, tmp_path)
    chosen = ("--exercise", "linear_regression", "--format", "json")
    report = json.loads(run(python, "-m", "grader", "check", copy, *chosen, folder=tmp_path))
    assert (report["status"], report["score"], report["max_score"]) == ("graded", 10, 10)


def test_makes_a_gradebook(python: Path, tmp_path: Path) -> None:
    """The steps of its tables are in the wheel, and are found there."""
    script = (
        "from grader.gradebook.book import open_gradebook; import grader; print(grader.__file__);"
        "book = open_gradebook('grades.db'); print(book.begin('linear_regression', 'all.zip'))"
    )
    module, batch = run(python, "-P", "-c", script, folder=tmp_path).split()
    assert Path(module).is_relative_to(python.parents[1])
    assert batch == "1"


def test_writes_a_new_exercise(python: Path, tmp_path: Path) -> None:
    run(python, "-m", "grader", "new", "spring", "--course", "course", folder=tmp_path)
    listed = run(python, "-m", "grader", "exercises", "--course", "course", folder=tmp_path)
    assert listed.split()[0] == "spring"


# Who grades: whoever runs the tests and, if that is root, an ordinary user in a world where Python can be reached.
GRADES: dict[str, tuple[str, ...]] = {
    "self": (),
    "user": (sys.executable, "-m", "tests.attacks.unprivileged"),
}


@pytest.mark.parametrize("sandbox", ["namespaces", "bubblewrap", "landlock", "none"])
@pytest.mark.parametrize("who", GRADES)
def test_its_references_are_out_of_reach(sandbox: str, who: str, python: Path) -> None:
    """What a notebook prints is in the page: nothing of the reference where it is confined, all of it where it is not."""
    if who == "user" and not (os.geteuid() == 0 and available()):
        pytest.skip("needs root, to be another user, in a world of its own")
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    cell = nbformat.v4.new_code_cell(FIND_REFERENCE.replace("{site!r}", repr(str(site))))
    looks = python.parents[2] / "looks.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), looks)
    command = [*GRADES[who], str(python), "-m", "grader", "check", str(looks)]
    command += ["--exercise", "minimise_parabola", "--format", "html"]
    command += ["--unsafe-no-sandbox"] * (sandbox == "none")  # the user is asked to grade another's file
    page = run(*command, folder=ROOT, passes=False, sandbox=sandbox)
    assert "looked everywhere" in page, page
    assert ("def derivative" in page) is (sandbox == "none")
