"""`grader new`: what it writes is a whole exercise at once, in a course anywhere; and courses that are not whole are told why."""

import shutil
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise, slugs
from grader.selftest import selftest
from grader.settings import Settings
from tests.command import Outcome, grader, python
from tests.courses import SLUG, write_course

ROOT = course_folder(None)
FILES = ["checks.py", "exercise.toml", "task.en.md", "task.zh.md"]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a course of two exercises in it, as a teacher makes one."""
    folder = tmp_path_factory.mktemp("teacher")
    for slug, title in (("spring", []), ("spring_2", ["--title", 'Another "spring" · €5'])):
        done = grader("new", slug, "--course", "my course", *title, folder=folder)
        assert (done.code, done.err) == (0, "")
    return folder / "my course"


def test_new_says_what_it_wrote_and_what_is_next(tmp_path: Path) -> None:
    (tmp_path / "exercises").mkdir()
    done = grader("new", "spring", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(done.out.splitlines()[:5]) == sorted(written)
    assert sorted(written) == [*(f"exercises/spring/{name}" for name in FILES), "reference/spring.py"]
    for command in (
        "selftest . --exercise spring",
        "start spring --course .",
        "check spring.ipynb --course .",
    ):
        assert f"grader {command}" in done.out


def test_the_title_is_the_authors(course: Path) -> None:
    exercise = load_exercise(course, "spring_2")
    assert exercise.manifest.title["en"] == exercise.manifest.title["zh"] == 'Another "spring" · €5'
    assert exercise.task("zh").startswith('# Another "spring" · €5\n')


def test_new_writes_over_nothing(course: Path) -> None:
    before = {path: path.read_bytes() for path in course.rglob("*") if path.is_file()}
    for slug in ("spring", "left"):
        (course / "reference" / "left.py").touch()
        done = grader("new", slug, "--course", course, folder=course)
        assert done.code == 2
        path = "exercises/spring/exercise.toml" if slug == "spring" else "reference/left.py"
        assert done.err.startswith(f"{course / path} is there already and is left as it is.")
    (course / "reference" / "left.py").unlink()
    assert {path: path.read_bytes() for path in course.rglob("*") if path.is_file()} == before
    assert not (course / "exercises" / "left").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Fit-A-Line", "--course", "c"], "`Fit-A-Line` cannot be the name of an exercise"),
        (["Fit-A-Line", "--course", "c"], "as in `fit_a_line`."),
        (["for", "--course", "c"], "`for` cannot be the name"),
        (["../up", "--course", "c"], "`../up` cannot be the name"),
        (["弹簧", "--course", "c"], "`弹簧` cannot be the name"),
        (["x" * 101, "--course", "c"], "cannot be the name"),
        (["spring"], "is not a course: it has no folder `exercises`. Name one with --course DIR"),
        (["spring", "--course", "c", "--title", "two\nlines"], "A title is one line of text."),
        (
            ["spring", "--course", "file"],
            "file/exercises/spring/exercise.toml cannot be written (Not a directory)",
        ),
    ],
    ids=range(9),
)
def test_what_cannot_be_written_is_refused(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "file").touch()
    done = grader("new", *arguments, folder=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_written_is_as_the_house_has_it(course: Path, tmp_path: Path) -> None:
    """Beside grader's own exercises, where the rules of `pyproject.toml` hold for it."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(course, tmp_path, dirs_exist_ok=True)
    for rule in (["check"], ["format", "--check"]):
        done = python(
            "-m", "ruff", *rule, "--no-cache", "--config", f"src = ['{ROOT}']", ".", folder=tmp_path
        )
        assert done.code == 0, done.out


# ---- a course of one's own ----------------------------------------------------------------------


def test_a_course_elsewhere_is_listed_started_and_graded(course: Path) -> None:
    folder = course.parent
    (folder / "grader.toml").write_text('course = "my course"\n')
    listed = grader("exercises", folder=folder)
    assert [line.split()[0] for line in listed.out.splitlines()] == slugs(course)
    (folder / "empty" / "exercises").mkdir(parents=True)
    done = grader("exercises", "--course", "empty", folder=folder)
    assert (done.code, done.err.split(":")[0]) == (2, "empty has no exercise")
    assert grader("start", "spring", folder=folder).code == 0
    assert "%grade --course 'my course'" in (folder / "spring.ipynb").read_text("utf-8")
    shutil.copy(course / "reference" / "spring_2.py", folder / "mine.py")
    done = grader("check", "spring.ipynb", folder=folder)
    assert (done.code, done.err) == (1, "")
    assert "1 / 10" in done.out
    assert "Cell 4 still has a gap." in done.out
    done = grader("check", "mine.py", "--exercise", "spring_2", "--course", course, folder=folder)
    assert (done.code, done.err) == (0, "")
    assert "10 / 10" in done.out


@pytest.mark.slow
def test_a_new_exercise_passes_its_self_test(course: Path) -> None:
    result = selftest(course, Settings(), ["spring"], plants=1)
    assert (result.gaps, result.stale, result.ungradable) == ([], [], False)
    assert len(result.outcomes) > 40


# ---- courses that are not whole -----------------------------------------------------------------


def spoilt(course: Path, name: str, content: str | None) -> Path:
    """A file of the course, written anew or taken away."""
    path = course / name
    path.unlink()
    if content is not None:
        path.write_text(content, "utf-8")
    return path


TOML = f"exercises/{SLUG}/exercise.toml"
CHECKS = f"exercises/{SLUG}/checks.py"
REFERENCE = f"reference/{SLUG}.py"
HEAD = 'version = 1\nnames = ["w"]\ntitle = {en = "Small", zh = "小"}\n[checks]\n'
# What is spoilt, how, which commands meet it (the slow ones start kernels), and what they say.
SPOILT: list[tuple[str, str | None, str, str, list[str]]] = [
    (TOML, "version = \nnames = []\n", "exercises start", "check selftest", [TOML, "line 1"]),
    (TOML, f'colour = "red"\n{HEAD}', "start", "", [TOML, "unknown field `colour`"]),
    (TOML, HEAD + 'test_a.en = "A"\n', "start", "", [TOML, "[checks] test_a: "]),
    (TOML, HEAD + '[text.low]\nen = "Low."\n', "start", "selftest", [TOML, "[text] low: ", "`zh`"]),
    (
        TOML,
        HEAD + '[known_misses]\nleaf-rebond = "why"\n',
        "selftest",
        "",
        [TOML, "`leaf-rebond`", "leaf-rebound"],
    ),
    (
        TOML,
        HEAD + '[known_misses]\nleaf-rebound = ""\n',
        "start",
        "",
        [TOML, "[known_misses] leaf-rebound: "],
    ),
    (TOML, HEAD + "[answers]\nw = 2.0\n", "start", "", [TOML, "[answers] w: "]),
    (TOML, HEAD, "check", "selftest", [TOML, "test_a", "[checks]"]),
    (CHECKS, "import no_such_module\n", "", "check selftest", [CHECKS, "no_such_module", "line 1"]),
    (CHECKS, "x = 1\n\ndef test_a(run: pass\n", "check", "selftest", [CHECKS, "SyntaxError", "line 3"]),
    (CHECKS, None, "", "check selftest", [CHECKS, "missing"]),
    (REFERENCE, None, "", "check selftest", [REFERENCE, "no reference solution"]),
    (REFERENCE, "x = 1\n1 / 0\n", "check", "selftest", [REFERENCE, "ZeroDivisionError", "line 2"]),
    (REFERENCE, "### BEGIN SOLUTION\nw = 3\n", "start", "selftest", [REFERENCE, "line 1", "END SOLUTION"]),
    (f"exercises/{SLUG}/task.zh.md", None, "", "selftest", ["task.zh.md", "Write it"]),
]
ASKED = {
    "check": ("check", "a.py", "--exercise", SLUG, "--course", "."),
    "start": ("start", SLUG, "--course", "."),
    "selftest": ("selftest", "."),
    "exercises": ("exercises", "--course", "."),
}


@pytest.mark.parametrize(
    ("name", "content", "command", "says"),
    [
        pytest.param(name, content, command, says, marks=[pytest.mark.slow] if command in slow else [])
        for name, content, fast, slow, says in SPOILT
        for command in [*fast.split(), *slow.split()]
    ],
)
def test_what_is_wrong_with_a_course_is_said_with_its_place(
    tmp_path: Path, name: str, content: str | None, command: str, says: list[str]
) -> None:
    reference = "### BEGIN SOLUTION\nw = 3.0\n### END SOLUTION\n"
    write_course(tmp_path, "def test_a(run, reference): pass", reference=reference)
    for language in ("en", "zh"):
        (tmp_path / "exercises" / SLUG / f"task.{language}.md").write_text("# Task\n", "utf-8")
    (tmp_path / "a.py").write_text("w = 3.0\n")
    spoilt(tmp_path, name, content)
    done: Outcome = grader(*ASKED[command], folder=tmp_path)
    assert done.code in {2, 3}, done
    said = " ".join((done.out + done.err).split())
    assert [part for part in says if part not in said] == []
    assert "Traceback" not in said
