"""The pipeline from one end to the other, where its parts meet."""

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Report
from grader.settings import Settings
from tests.conftest import CORPUS


def test_exercises_follow_each_other_in_one_process(kernels: Kernels) -> None:
    # pytest imports every check file under the one name `checks`
    for slug, file in (("temperature", "s004.py"), ("linear_module", "s009.py"), ("temperature", "s004.py")):
        exercise = load_exercise(course_folder(None), slug)
        report = grade(load(CORPUS / slug / file), exercise, Settings(), kernels)
        assert (report.status, report.score) == ("graded", 10.0)
        assert {check.id for check in report.checks} == set(exercise.manifest.checks)


@pytest.mark.parametrize(
    "cell",
    [
        ">>> x = 1\n!touch {path}",
        ";touch\n!touch {path}",
        "get_ipython().system('touch {path}') if False else 0\n%sx touch {path}\nnot python at all",
        "%%bash\ntouch {path}",
        "names = !touch {path}",
    ],
)
def test_no_shell_line_is_run_even_where_the_rest_of_the_cell_is_broken(
    cell: str, tmp_path: Path, grade_cells: Callable[..., Report]
) -> None:
    made = tmp_path / "made"
    grade_cells([cell.format(path=made), "print('on')"])
    assert not made.exists()
