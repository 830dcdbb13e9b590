"""`grader batch` run again: a regrade that was killed goes on, and what grades depend on decides what is known."""

import re
import shutil
from pathlib import Path

import pytest

from tests.classes import EXERCISE, SLUG, WRONG, kept, slow_class, started, table, wait_for_results
from tests.command import Outcome, grader
from tests.courses import SLUG as SMALL
from tests.courses import write_course

ROOT = Path(__file__).parents[1]


def again(folder: Path, *options: str, **variables: str) -> Outcome:
    return grader("batch", "class", *EXERCISE, "--output", "grades", *options, folder=folder, **variables)


def known(outcome: Outcome) -> int:
    """How many a batch says were known from before."""
    said = re.findall(r"(\d+) known from before", outcome.err)
    return int(said[-1]) if said else 0


@pytest.mark.slow
def test_a_regrade_killed_half_way_goes_on_and_grades_nothing_twice(tmp_path: Path) -> None:
    folder = slow_class(tmp_path, 4)
    assert again(folder).code == 0
    killed = started(folder, "--regrade")
    wait_for_results(folder, 1, batch=2)
    killed.kill()
    killed.communicate()
    before = kept(folder, "select student from hand_ins where batch = 2 and result is not null")
    assert 1 <= len(before) < 4

    done = again(folder, "--regrade")
    assert done.code == 0, done.err
    assert "Going on with the regrade begun at" in done.err
    assert known(done) == len(before)
    assert len(table(folder)) == 4
    assert kept(folder, "select id, regrade, ended is null from batches") == [
        (1, None, 0),
        (2, 2, 1),
        (3, 2, 0),
    ]
    assert kept(folder, "select count(*) from hand_ins where batch = 3 and result is not null") == [(4,)]
    diff = grader("batch", "diff", *EXERCISE, "--output", "grades", folder=folder)
    assert (diff.code, diff.out) == (0, "Nothing has changed.\n")

    anew = again(folder, "--regrade")
    assert (anew.code, known(anew)) == (0, 0), anew.err
    assert "Going on" not in anew.err
    assert known(again(folder)) == 4


@pytest.mark.slow
def test_a_regrade_tries_once_more_what_could_not_be_graded(tmp_path: Path) -> None:
    """A check of this course breaks on one of two submissions, each time."""
    checks = """
        @pytest.mark.points(1)
        def test_w(run):
            assert 1 / (run.number("w") - 2)
    """
    write_course(tmp_path, checks, reference="w = 1.0\n")
    (tmp_path / "class").mkdir()
    for student, w in (("ann", 1.0), ("bob", 2.0)):
        (tmp_path / "class" / f"{student}.py").write_text(f"w = {w}\n")
    command = ("batch", "class", "--exercise", SMALL, "--course", ".", "--output", "grades", "--regrade")
    seen = []
    for _ in range(3):
        done = grader(*command, folder=tmp_path)
        assert (done.code, "1 ungradable" in done.err) == (3, True), done.err
        seen.append(("Going on" in done.err, known(done)))
    assert seen == [(False, 0), (True, 1), (False, 0)]


@pytest.mark.slow
def test_a_changed_check_limit_or_secret_grades_again_and_what_is_as_before_is_known(tmp_path: Path) -> None:
    """A lighter check gives more points; changed back, it gives the old ones again, though others came in between."""
    for part in ("exercises", "reference"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ann.py").write_text(WRONG)
    checks = tmp_path / "exercises" / SLUG / "checks.py"
    strict = checks.read_text("utf-8")

    def graded(*options: str, **variables: str) -> tuple[int, float]:
        """How many were known, and the points."""
        done = again(tmp_path, "--course", ".", *options, **variables)
        assert done.code == 0, done.err
        return known(done), float(table(tmp_path)["ann"]["score"])

    first = graded()
    assert graded() == (1, first[1])
    checks.write_text(
        f'{strict}\n\n@pytest.mark.points(1)\ndef test_gift(run):\n    """A gift."""\n', "utf-8"
    )
    manifest = checks.with_name("exercise.toml")
    told = manifest.read_text("utf-8")
    manifest.write_text(told.replace("[checks]\n", '[checks]\ntest_gift.zh = "礼物。"\n'), "utf-8")
    assert graded() == (0, first[1] + 1)
    diff = grader("batch", "diff", *EXERCISE, "--output", "grades", folder=tmp_path)
    assert re.fullmatch(r"ann: \d+ → \d+\..*\n", diff.out), diff
    checks.write_text(strict, "utf-8")
    manifest.write_text(told, "utf-8")
    assert graded() == (1, first[1])
    assert graded(GRADER_SECRET="one")[0] == 0
    assert graded(GRADER_SECRET="two")[0] == 0
    assert graded(GRADER_SECRET="one")[0] == 1
    assert graded(GRADER_CELL_SECONDS="12")[0] == 0
    stored = (tmp_path / "grades" / "gradebook.sqlite").read_bytes()
    assert b'"one"' not in stored
