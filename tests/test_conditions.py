"""What makes a grade count as the same: everything that it depends on, and nothing else."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.conditions import conditions
from grader.exercise import load_exercise, load_reference
from grader.settings import Settings

ROOT = Path(__file__).parents[1]
SLUG = "linear_regression"
SECRET = "a secret that nobody shall see"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of one exercise."""
    return copied(ROOT, tmp_path / "course")


def copied(course: Path, to: Path) -> Path:
    shutil.copytree(course / "exercises" / SLUG, to / "exercises" / SLUG)
    (to / "reference").mkdir()
    shutil.copy(course / "reference" / f"{SLUG}.py", to / "reference")
    return to


def of(course: Path, settings: Settings | None = None) -> str:
    return conditions(load_exercise(course, SLUG), settings or Settings())


def added(path: str, text: str) -> Callable[[Path], None]:
    def change(course: Path) -> None:
        target = course / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as file:
            file.write(text)

    return change


@pytest.mark.parametrize(
    "change",
    [
        added(f"exercises/{SLUG}/checks.py", "\n# another tolerance\n"),
        added(f"exercises/{SLUG}/exercise.toml", "\n[limits]\nrun_seconds = 7\n"),
        added(f"exercises/{SLUG}/data/hidden.csv", "1,2\n"),
        added(f"reference/{SLUG}.py", "\n# another solution\n"),
    ],
    ids=["check", "manifest", "data", "reference"],
)
def test_a_change_of_the_exercise_is_another_grading(course: Path, change: Callable[[Path], None]) -> None:
    before = of(course)
    change(course)
    assert of(course) != before


def test_a_file_under_another_name_is_another_grading(course: Path) -> None:
    added(f"exercises/{SLUG}/one.csv", "1,2\n")(course)
    before = of(course)
    (course / "exercises" / SLUG / "one.csv").rename(course / "exercises" / SLUG / "two.csv")
    assert of(course) != before


@pytest.mark.parametrize(
    "settings",
    [Settings(seed=1), Settings(cell_seconds=7), Settings(memory_mb=700), Settings(secret=SECRET)],
    ids=["seed", "time", "memory", "secret"],
)
def test_another_setting_that_grades_depend_on_is_another_grading(settings: Settings) -> None:
    assert of(ROOT, settings) != of(ROOT)
    assert of(ROOT, settings) == of(ROOT, settings)


def test_where_the_course_is_and_what_lies_about_in_it_changes_nothing(course: Path, tmp_path: Path) -> None:
    before = of(ROOT)
    assert of(copied(course, tmp_path / "elsewhere")) == before
    for path in ("__pycache__/checks.cpython-311.pyc", ".ipynb_checkpoints/starter.ipynb", ".DS_Store"):
        added(f"exercises/{SLUG}/{path}", "left over")(course)
    assert of(course) == before
    assert of(course, Settings(language="zh", course="somewhere", cell_seconds=30.0)) == before


def test_a_reference_that_is_changed_is_read_anew(course: Path) -> None:
    """A worker may live through many batches."""
    exercise = load_exercise(course, SLUG)
    first = load_reference(exercise)
    assert load_reference(exercise) is first
    added(f"reference/{SLUG}.py", "\nNEW = True\n")(course)
    assert load_reference(exercise).NEW


def test_the_secret_stays_out(course: Path) -> None:
    digest = of(course, Settings(secret=SECRET))
    assert len(digest) == 64
    assert SECRET not in digest
    assert SECRET.encode().hex() not in digest
