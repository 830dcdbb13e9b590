"""A small class's gradebook, to be sent somewhere."""

from pathlib import Path

import msgspec

from grader.gradebook.book import open_gradebook
from grader.grades import Grade, HandedIn
from grader.model import CheckResult, Report
from tests.gradebooks import EXERCISE, graded, identity

FAILED = CheckResult(
    id="test_slope",
    titles={"en": "w is the slope.", "zh": "w 是斜率。"},
    status="failed",
    score=0,
    max_score=3,
)


def handed_in(student: str, name: str, path: str) -> Grade:
    file = HandedIn(file="work.ipynb", path=path, sha256=sha256_of(student))
    return Grade(student=student, name=name, handed_in=file)


def sha256_of(student: str) -> str:
    return f"{sum(student.encode()):064d}"


def report(student: str, score: float, *mistakes: str) -> Report:
    made = graded(score, *mistakes, sha256=sha256_of(student))
    return msgspec.structs.replace(made, checks=(FAILED,) if score < 10 else ())


def fill(place: Path, *students: tuple[Grade, Report | None]) -> Path:
    """A batch of these students, in a gradebook that may be there already; None: nothing could be graded."""
    with open_gradebook(str(place)) as book:
        batch = book.begin(EXERCISE, "all.zip")
        for grade, own in students:
            if own is None:
                book.hand_in(batch, grade)
            else:
                book.keep(identity(own.sha256), own, batch, [grade])
    return place
