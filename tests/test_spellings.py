"""The course's two most asked-about mistakes are named first and proven, however they are spelt; look-alikes are not accused.

These are ten of them; `make spellings` runs all.
"""

from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.measure.corpus_records import Graded
from tests.spellings import all_spellings, is_told
from tests.spellings.records import Spelling

EACH = 22


@pytest.mark.slow
@pytest.mark.parametrize("spelling", all_spellings()[::EACH], ids=lambda spelling: spelling.name)
def test_spelling(spelling: Spelling, kernels: Kernels, tmp_path: Path) -> None:
    label = spelling.write(tmp_path)
    exercise = load_exercise(course_folder(None), spelling.exercise)
    graded = Graded(label, 0, grade(load(tmp_path / label.file), exercise, Settings(), kernels))
    assert is_told(graded), graded.report.findings
