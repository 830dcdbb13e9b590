"""Each student's report as a page of its own: made once, by this process or by workers, and the same from both."""

from pathlib import Path

import pytest

from grader.exercise import Exercise
from grader.grades import Grade
from grader.kernel.pool import Kernels
from grader.model import Language
from grader.outcome.reports import Press, write_reports
from grader.workers import Workers
from tests import made_grades
from tests.pages import parsed

pytestmark = pytest.mark.slow  # it grades several files


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return made_grades.exercise()


@pytest.fixture(scope="module")
def grades(kernels: Kernels) -> list[Grade]:
    return made_grades.a_class(made_grades.graded(kernels))


def test_a_report_is_written_anew_only_if_it_changed(
    grades: list[Grade], exercise: Exercise, tmp_path: Path
) -> None:
    def written(grade: Grade, language: Language = "en") -> Path | None:
        ((of, path),) = write_reports(tmp_path, [grade], exercise, language, None)
        assert of == grade
        return path

    path = written(grades[0])
    assert path is not None
    path.write_bytes(b"<!-- mine -->" + path.read_bytes())
    assert written(grades[0]) == path
    assert path.read_bytes().startswith(b"<!-- mine -->")
    written(grades[0], "zh")
    assert 'lang="zh-Hans"' in path.read_text("utf-8")[:100]
    nobody = next(grade for grade in grades if grade.report is None)
    assert written(nobody) is None
    parsed(path.read_text("utf-8"))


def test_workers_make_the_same_pages(grades: list[Grade], exercise: Exercise, tmp_path: Path) -> None:
    with Workers(2) as workers:
        press = Press(workers, 3, None)
        made_there = list(write_reports(tmp_path / "there", grades, exercise, "en", press))
    made_here = list(write_reports(tmp_path / "here", grades, exercise, "en", None))
    there, here = (
        {grade.student: path and path.read_bytes() for grade, path in made}
        for made in (made_there, made_here)
    )
    assert there == here
    assert set(here) == {grade.student for grade in grades}


def test_a_page_whose_worker_fails_is_made_here(
    grades: list[Grade], exercise: Exercise, tmp_path: Path
) -> None:
    with Workers(1) as workers:
        press = Press(workers, 3, str(tmp_path / "no course"))
        ((_, path),) = write_reports(tmp_path, grades[:1], exercise, "en", press)
    assert path is not None
    parsed(path.read_text("utf-8"))
