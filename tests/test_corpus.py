"""Thirty labelled submissions, spread over exercises and labels, do as their labels say; `make corpus` runs all.

In every run of the suite are one right one and one wrong one of each exercise; the others are slow ends.
"""

import itertools
from pathlib import Path

import pytest

from grader.exercise import course_folder, load_exercise
from grader.grade import grade
from grader.kernel.pool import Kernels
from grader.load import load
from grader.settings import Settings
from tests.measure.corpus import CORPUS, read_labels
from tests.measure.corpus_records import Graded, Label
from tests.measure.soak import reports

EACH = 2
MORE_LINES = 2  # linear_regression has as many files as the six others together, and more kinds of mistakes


def spread(labels: list[Label]) -> list[Label]:
    """The same thirty every time: evenly spaced among the right and the wrong ones of each exercise."""
    chosen: list[Label] = []
    by_kind = sorted(labels, key=lambda label: (label.exercise, label.right, label.file))
    for (exercise, _), group in itertools.groupby(by_kind, key=lambda label: (label.exercise, label.right)):
        rows = list(group)
        count = EACH * (MORE_LINES if exercise == "linear_regression" else 1)
        chosen += [rows[len(rows) * k // count] for k in range(count)]
    return chosen


THIRTY = spread(read_labels(CORPUS))
IN_EVERY_RUN = {(label.exercise, label.right): label.file for label in reversed(THIRTY)}.values()


def test_the_choice_is_thirty_and_has_both_labels_of_every_exercise() -> None:
    assert len(THIRTY) >= 30
    assert len(IN_EVERY_RUN) == 14


@pytest.mark.parametrize(
    "label",
    [
        pytest.param(one, id=one.file, marks=() if one.file in IN_EVERY_RUN else pytest.mark.slow)
        for one in THIRTY
    ],
)
def test_graded_as_labelled(label: Label, kernels: Kernels) -> None:
    exercise = load_exercise(course_folder(None), label.exercise)
    graded = Graded(label, 0, grade(load(CORPUS / label.file), exercise, Settings(), kernels))
    assert graded.as_labelled, [check for check in graded.report.checks if check.score < check.max_score]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "slug"),
    [("linear_regression/s077.ipynb", "linear_regression"), ("linear_regression/s012.py", "linear_regression"),
     ("temperature/s005.ipynb", "temperature")],
)  # fmt: skip
def test_three_grades_of_one_file_give_one_report(file: str, slug: str, kernels: Kernels) -> None:
    assert len(reports(CORPUS / Path(file), slug, 3, kernels)) == 1
