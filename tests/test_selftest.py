"""The self-test of a course: through the command, on grader's own course and on one written for the test."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from grader.catalogue import all_mistakes
from grader.model import Change
from grader.report.selftest import show
from grader.selftest import Kind, Outcome, Result, Trial
from tests.command import grader
from tests.courses import SLUG, write_course

REFERENCE = """\
import torch

w = torch.tensor([1.0], requires_grad=True)
x = torch.tensor([1.0, 2.0, 3.0])
y = 2 * x
for step in range(200):
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
    w.grad.zero_()
"""
STRICT = """
    @pytest.mark.points(1)
    def test_w(run):
        '''w is 2.'''
        if abs(run.number("w") - 2) > 1e-3:
            fail("too-small", name="w", seen=run.number("w"), wanted=2)

    @pytest.mark.points(1)
    def test_gradients(run):
        '''Each backward starts from zero.'''
        calls = [call for training in run.trace.trainings for call in training.seen]
        if not calls or any(leaf.before is not None and any(leaf.before.data) for call in calls for leaf in call.leaves):
            fail("look-again", name="w")
"""
LAX = """
    @pytest.mark.points(1)
    def test_runs(run):
        '''It runs to its end.'''
        if run.record.errors:
            fail("look-again", name="w")
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one exercise, with a starter that does nothing; its checks are still to be written."""
    write_course(tmp_path, STRICT, reference=REFERENCE)
    folder = tmp_path / "exercises" / SLUG
    for language in ("en", "zh"):
        (folder / f"task.{language}.md").write_text("Find w.\n")
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "c",
        "metadata": {},
        "execution_count": None,
        "outputs": [],
    }
    notebook = {"cells": [cell | {"source": "w = 0.0"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "starter.ipynb").write_text(json.dumps(notebook))
    return tmp_path


def weaken(course: Path) -> None:
    """Let the exercise check next to nothing."""
    from textwrap import dedent

    checks = course / "exercises" / SLUG / "checks.py"
    head = checks.read_text().split("@pytest")[0]
    checks.write_text(head + dedent(LAX))
    toml = course / "exercises" / SLUG / "exercise.toml"
    kept = [line for line in toml.read_text().splitlines() if not line.startswith("test_")]
    toml.write_text("\n".join(kept).replace("[checks]", '[checks]\ntest_runs.zh = "能运行"'))


# ---- the command --------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_planted_mistake_is_caught_named_and_confirmed(tmp_path: Path) -> None:
    done = grader("selftest", "--exercise", "minimise_parabola", "--mistake", "leaf-rebound", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("A  minimise_parabola\n")
    assert "leaf-rebound  ✔✔✔\n" in done.out
    assert done.out.endswith("1 submissions tried, 0 gaps, 0 known misses.\n")


@pytest.mark.slow
def test_a_course_elsewhere_is_tested_by_its_own_checks(course: Path) -> None:
    """Few mistakes can be planted in it, and it is none of grader's exercises."""
    chosen = [
        part
        for name in ("gradients-not-zeroed", "leaf-rebound", "step-missing")
        for part in ("--mistake", name)
    ]
    done = grader("selftest", ".", *chosen, "--jobs", "1", folder=course)
    assert done.code == 0, done.out
    assert f"A  {SLUG}\n" in done.out
    assert "gradients-not-zeroed  ✔✔✔\n" in done.out
    assert "step-missing" not in done.out


@pytest.mark.slow
def test_equivalents_are_right_and_a_check_that_sees_nothing_is_a_gap(course: Path) -> None:
    weaken(course)
    done = grader("selftest", str(course), "--language", "en", folder=course)
    assert done.code == 1
    rows = dict(line.split() for line in done.out.splitlines() if len(line.split()) == 2)
    assert rows["reference"] == rows["cleared-by-none"] == rows["optimizer-in-place-of-updates"] == "✔"
    assert rows["starter"] == "✘"
    assert f"{SLUG}: the starter notebook has full marks as it is." in done.out
    assert f"{SLUG}: training-too-short keeps full marks and is not named." in done.out
    assert "− for step in range(200):" in done.out
    assert "+ for step in range(20):" in done.out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("checks", "mistake", "code", "says"),
    [
        (LAX, "training-too-short", 0, "0 gaps, 1 known misses."),
        (
            STRICT,
            "leaf-rebound",
            1,
            "leaf-rebound is named by now; take it from the known misses, in exercise.toml",
        ),
    ],
    ids=["missed", "stale"],
)
def test_a_course_lists_its_own_known_misses(
    course: Path, checks: str, mistake: str, code: int, says: str
) -> None:
    if checks == LAX:
        weaken(course)
    with (course / "exercises" / SLUG / "exercise.toml").open("a") as file:
        file.write(f'\n[known_misses]\n"{mistake}" = "It is one of ours."\n')
    done = grader("selftest", ".", "--mistake", mistake, "--jobs", "1", "--plants", "1", folder=course)
    assert done.code == code, done.out
    assert says in done.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["--mistake", "leaf-rebond"],
            "There is no mistake called `leaf-rebond`. Did you mean: leaf-rebound",
        ),
        (["--exercise", "linear"], "There is no exercise `linear`."),
        (["nowhere"], "nowhere is not a course"),
    ],
)
def test_what_cannot_be_tested_is_said(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = grader("selftest", *arguments, folder=tmp_path)
    assert done.code == 2
    assert done.err.startswith(says)


def test_a_course_without_exercises_or_without_a_reference_is_incomplete(course: Path) -> None:
    (course / "reference" / f"{SLUG}.py").unlink()
    done = grader("selftest", ".", folder=course)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"The exercise `{SLUG}` has no reference solution")
    (course / "exercises" / SLUG / "exercise.toml").unlink()
    done = grader("selftest", ".", folder=course)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(". has no exercise")


# ---- what counts as a gap -----------------------------------------------------------------------


def outcome(kind: Kind = "mistake", *, score: float = 1.0, named: bool = False, known: str | None = None,
            found: tuple[str, ...] = ()) -> Outcome:  # fmt: skip
    """What came of a trial worth two points."""
    from grader.model import Submission

    submission = Submission(name="a.py", sha256="", exercise=None, cells=(), original=())
    changes = (Change(cell=1, line=1, before=("a\x1b[31m",), after=("b",)),)
    trial = Trial("small", kind, "leaf-rebound", submission, changes, known=known)
    return Outcome(trial, score, 2.0, found, "likely" if named else None)


def test_a_mistake_has_to_be_named_and_a_right_form_to_be_left_alone() -> None:
    gaps = [outcome(), outcome(score=2.0), outcome("starter", score=2.0), outcome("rewrite"),
            outcome("rewrite", score=2.0, found=("leaf-rebound",))]  # fmt: skip
    sound = [
        outcome(named=True),
        outcome(score=2.0, named=True),
        outcome("starter"),
        outcome("rewrite", score=2.0),
    ]
    assert Result((*gaps, *sound)).gaps == gaps


def test_a_known_miss_is_no_gap_and_one_that_is_none_any_more_is_told() -> None:
    missed, met = outcome(known="why"), outcome(named=True, known="why")
    assert Result((missed, met)).gaps == []
    assert Result((missed, met)).stale == []
    assert Result((met, met)).stale == [met.trial]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_result_is_shown_harmlessly(language: str) -> None:
    console = Console(file=io.StringIO(), width=100)
    broken = Outcome(Trial("small", "mistake", "leaf-rebound", reason="ValueError: [red]x\x1b[0m"))
    show(Result((outcome(), broken, outcome(known="why", named=True))), console, language)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "\x1b" not in shown
    assert "[red]x" in shown
    assert "leaf-rebound" in shown


def test_many_mistakes_can_be_planted() -> None:
    planted = [name for name, one in all_mistakes().items() if one.plantable]
    assert len(planted) >= 50
