"""Hidden data: the same in every grading, and nothing that a submission can work out."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from grader.arrays import scalar
from grader.exercise import PACKAGE, Exercise, course_folder
from grader.grade import grade
from grader.hidden import hidden_numbers
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Limits, Report, Submission
from grader.settings import Settings
from tests.courses import by_id, exercise_of, write_course
from tests.sessions import ran, submission

DRAWS = '''
@pytest.mark.points(1)
def test_draws(run, rng):
    """Says what it drew."""
    fail("too-small", name="w", seen=float(rng.uniform()), wanted=float(rng.uniform()))
'''
SECRET = "tell-tale"


@pytest.fixture
def exercise(tmp_path: Path) -> Exercise:
    write_course(tmp_path, DRAWS, reference="w = 1.0\n")
    return exercise_of(tmp_path)


def drawn(exercise: Exercise, handed_in: Submission, check: str = "test_draws", **settings: object) -> float:
    """The first hidden number."""
    chosen = msgspec.convert(settings, Settings)
    return float(hidden_numbers(chosen, exercise, handed_in, check).uniform())


def test_equal_secrets_give_equal_numbers_and_others_do_not(exercise: Exercise) -> None:
    cells = submission(["w = 1.0"])
    numbers = [drawn(exercise, cells, secret=secret) for secret in ("", "", "a", "a", "b", "a\n", "密", "密")]
    assert numbers[0::2][:2] == numbers[1::2][:2]
    assert numbers[6] == numbers[7]
    assert len(set(numbers)) == 5


def test_numbers_follow_from_the_seed_the_submission_and_the_check(exercise: Exercise) -> None:
    cells = submission(["w = 1.0"])
    other = msgspec.structs.replace(cells, sha256="00" * 32)
    numbers = {
        drawn(exercise, cells),
        drawn(exercise, cells, seed=1),
        drawn(exercise, other),
        drawn(exercise, cells, "test_other"),
    }
    assert len(numbers) == 4


@pytest.mark.parametrize("part", ["reference", "checks"])
def test_numbers_follow_from_what_no_kernel_has(part: str, exercise: Exercise) -> None:
    cells = submission(["w = 1.0"])
    before = drawn(exercise, cells)
    with getattr(exercise, part).open("a") as file:
        file.write("# changed\n")
    assert drawn(exercise, cells) != before


def test_an_exercise_without_a_reference_has_hidden_numbers_too(exercise: Exercise) -> None:
    exercise.reference.unlink()
    assert 0 <= drawn(exercise, submission(["w = 1.0"])) <= 1


RANDOM = re.compile(
    r"default_rng|np\.random\.(?!Generator)|^import random|torch\.(rand|manual_seed)", re.MULTILINE
)


def code(path: Path) -> str:
    """What a file imports and calls; what it only writes of, as the examples of mistakes do, is left out."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    imports = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(imports + [f"{ast.unparse(node.func)}(" for node in nodes if isinstance(node, ast.Call)])


def test_hidden_numbers_come_from_nowhere_else() -> None:
    """Outside the probe, which seeds the learner's own generators, one module alone makes random numbers."""
    files = [*PACKAGE.rglob("*.py"), *course_folder(None).glob("exercises/*/checks.py")]
    drawing = {path.name for path in files if "probe" not in path.parts and RANDOM.search(code(path))}
    assert drawing == {"hidden.py"}


@pytest.fixture
def graded(exercise: Exercise, kernels: Kernels, tmp_path: Path) -> Callable[[Settings], Report]:
    """`graded(settings)`: the report of a check that says what it drew."""
    (tmp_path / "a.py").write_text("w = 1.0")
    return lambda settings: grade(load(tmp_path / "a.py"), exercise, settings, kernels)


def test_checks_draw_from_the_secret(graded: Callable[[Settings], Report]) -> None:
    first, again, other = (by_id(graded(Settings(secret=secret)))["test_draws"] for secret in "aab")
    assert first == again
    assert first.reason != other.reason


def test_a_kernel_has_nothing_of_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SECRET", SECRET)
    look = "import os\nseen = float('tell-' + 'tale' in str(dict(os.environ)))"
    with (
        Kernels(Settings(secret=SECRET)) as kernels,
        ran(kernels, look, values=["seen"], limits=Limits()) as kernel,
    ):
        assert kernel.run.errors == ()
        assert scalar(kernel.run.values["seen"]) == 0
