"""How a student stands: what became of what was handed in, and the mistakes in it."""

from collections.abc import Sequence
from typing import Literal

from grader.grades import Grade
from grader.model import Finding

Standing = Literal["graded", "ungradable", "unreadable", "missing"]
SURENESS = ("confirmed", "likely", "possible")


def standing(grade: Grade) -> Standing:
    """Unreadable is a file that is no notebook; ungradable one that the grader failed on; missing who handed in nothing."""
    if grade.report is not None:
        return grade.report.status
    return "missing" if grade.handed_in is None and grade.problem is None else "unreadable"


def findings(grade: Grade) -> list[Finding]:
    """The mistakes, the surest first, each once."""
    found: dict[str, Finding] = {}
    for sureness in SURENESS:
        for finding in () if grade.report is None else grade.report.findings:
            if finding.confidence == sureness:
                found.setdefault(finding.mistake, finding)
    return list(found.values())


def max_score(grades: Sequence[Grade]) -> float:
    """The most that the exercise gives; 0 where no submission could be graded."""
    return max((grade.report.max_score for grade in grades if grade.report is not None), default=0.0)
