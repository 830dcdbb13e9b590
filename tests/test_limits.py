"""Limits: how choices are merged, what is refused, and that each run gets its own."""

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from grader.arrays import scalar
from grader.errors import CourseError, UsageError
from grader.exercise import course_folder, load_exercise, slugs
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.limits import ChosenLimits, merged
from grader.load import load
from grader.model import Limits, Report, Text
from grader.settings import Settings, load_settings
from tests.courses import SLUG, by_id, exercise_of, grade_module, write_course
from tests.sessions import ran

PASSES = '@pytest.mark.points(1)\ndef test_any(run):\n    """Anything."""\n'
ENDLESS = "while True: pass"
FIELDS = Limits.__struct_fields__
LOWEST = {"memory_mb": 0, "processes": 16, "scratch_mb": 1, "open_files": 64, "output_bytes": 0,
          "output_messages": 0}  # fmt: skip


def with_limits(course: Path, limits: str) -> None:
    """Write a course whose exercise has a table of limits."""
    write_course(course, PASSES)
    manifest = course / "exercises" / SLUG / "exercise.toml"
    manifest.write_text(f"{manifest.read_text('utf-8')}\n[limits]\n{limits}\n", "utf-8")


# ---- merging ------------------------------------------------------------------------------------


def test_every_limit_can_be_chosen_by_exercises_and_settings() -> None:
    assert ChosenLimits.__struct_fields__ == FIELDS
    assert set(FIELDS) < set(Settings.__struct_fields__)


def test_without_a_choice_the_defaults_hold() -> None:
    assert merged() == merged(ChosenLimits(), Settings()) == Limits()


@pytest.mark.parametrize("name", FIELDS)
def test_a_later_choice_wins_and_changes_nothing_else(name: str) -> None:
    exercise = ChosenLimits(**{name: 100})
    settings = msgspec.convert({name: 200, "seed": 3}, Settings)
    assert merged(exercise, Settings()) == msgspec.structs.replace(Limits(), **{name: 100})
    assert merged(exercise, settings) == msgspec.structs.replace(Limits(), **{name: 200})
    assert merged(settings, exercise) == msgspec.structs.replace(Limits(), **{name: 100})


@pytest.mark.parametrize("name", ["memory_mb", "output_bytes"])
def test_a_choice_of_zero_is_a_choice(name: str) -> None:
    assert getattr(merged(ChosenLimits(**{name: 5}), ChosenLimits(**{name: 0})), name) == 0


@pytest.mark.parametrize("name", FIELDS)
def test_the_environment_wins_over_the_file_and_the_file_over_the_exercise(name: str, tmp_path: Path) -> None:
    with_limits(tmp_path, f"{name} = 100")
    exercise = exercise_of(tmp_path).manifest.limits
    assert getattr(merged(exercise, load_settings(tmp_path, {})), name) == 100
    (tmp_path / "grader.toml").write_text(f"{name} = 200")
    assert getattr(merged(exercise, load_settings(tmp_path, {})), name) == 200
    environment = {f"GRADER_{name.upper()}": "300"}
    assert getattr(merged(exercise, load_settings(tmp_path, environment)), name) == 300
    assert getattr(merged(exercise, load_settings(tmp_path, environment, **{name: 400})), name) == 400


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIELDS)
def test_the_lowest_value_of_a_limit_is_taken_and_less_is_refused(name: str, tmp_path: Path) -> None:
    lowest = LOWEST.get(name, 0.001)
    (tmp_path / "grader.toml").write_text(f"{name} = {lowest}")
    assert getattr(load_settings(tmp_path, {}), name) == lowest
    (tmp_path / "grader.toml").write_text(f"{name} = {lowest - 1}")
    with pytest.raises(UsageError) as caught:
        load_settings(tmp_path, {})
    assert name in str(caught.value.params["reason"])


@pytest.mark.parametrize("name", FIELDS)
def test_a_limit_that_no_system_can_count_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: 2**62}, ChosenLimits)


@pytest.mark.parametrize(
    "limits", ["cell_secs = 5", "seed = 1", "cell_seconds = 0", 'memory_mb = "much"', "processes = 1"]
)
def test_an_exercise_with_a_limit_that_does_not_fit_is_malformed(limits: str, tmp_path: Path) -> None:
    with_limits(tmp_path, limits)
    with pytest.raises(CourseError) as caught:
        exercise_of(tmp_path)
    assert caught.value.text == "exercise-malformed"
    assert limits.partition(" ")[0] in str(caught.value.params["reason"])


def test_the_exercises_of_this_course_need_no_limits_of_their_own() -> None:
    course = course_folder(None)
    assert {load_exercise(course, slug).manifest.limits for slug in slugs(course)} == {ChosenLimits()}


# ---- what runs get ------------------------------------------------------------------------------


@pytest.fixture
def graded(tmp_path: Path, kernels: Kernels) -> Callable[..., Report]:
    """`graded(limits, settings)`: an endless loop graded by a course with these limits."""

    def run(limits: str, settings: Settings) -> Report:
        with_limits(tmp_path, limits)
        (tmp_path / "a.py").write_text(ENDLESS)
        return grade(load(tmp_path / "a.py"), exercise_of(tmp_path), settings, kernels)

    return run


@pytest.mark.parametrize(
    ("settings", "told"), [(Settings(), "0.25"), (Settings(cell_seconds=0.5), "0.5")], ids=["own", "set"]
)
def test_a_run_gets_the_limits_of_its_exercise_and_of_the_settings_it_is_graded_with(
    settings: Settings, told: str, graded: Callable[..., Report]
) -> None:
    error = graded("cell_seconds = 0.25", settings).error
    assert error is not None
    assert (error.kind, error.message) == ("time-limit", told)


CALLS = '@pytest.mark.points(1)\ndef test_calls(call):\n    """Calls f."""\n    call("f")\n'


@pytest.mark.skipif(sys.platform != "linux", reason="memory can be limited there alone")
def test_a_call_that_passes_a_limit_fails_its_check_in_plain_words(tmp_path: Path, kernels: Kernels) -> None:
    write_course(tmp_path, CALLS, names=("f",))
    report = grade_module(tmp_path, kernels, "def f(): return bytearray(10_000_000_000)")
    assert by_id(report)["test_calls"].reason == Text(id="call-needs-too-much", params={"name": "f"})


@pytest.mark.skipif(sys.platform != "linux", reason="memory can be limited there alone")
def test_a_spare_kernel_with_other_limits_is_not_handed_out(kernels: Kernels) -> None:
    kernels.prepare(Limits(memory_mb=3000))
    kernels.prepare(Limits(memory_mb=3000))
    limit = "import resource\nlimit = float(resource.getrlimit(resource.RLIMIT_DATA)[0] // 2**20)"
    for memory in (900, 0):
        with ran(kernels, limit, values=["limit"], limits=Limits(memory_mb=memory)) as kernel:
            found = scalar(kernel.run.values["limit"])
        assert (found == memory) is (memory > 0)
