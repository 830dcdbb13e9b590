"""What is kept of a grade once its own page is written, so that a class of thousands fits into memory."""

import zlib
from typing import NamedTuple

import msgspec

from grader.grades import Grade
from grader.model import Finding, Report
from grader.similarity import Solution


class Brief(NamedTuple):
    """A grade without what only its own page shows. code: the sources of the code cells, packed; None where there are none."""

    grade: Grade
    code: bytes | None

    @property
    def solution(self) -> Solution | None:
        """The student's code, as it is compared with others'."""
        if self.code is None or self.grade.report is None:
            return None
        cells = msgspec.msgpack.decode(zlib.decompress(self.code), type=tuple[str, ...])
        return Solution(self.grade.student, cells, self.grade.report.sha256)


def brief(grade: Grade) -> Brief:
    """A grade in brief. Of the notebook the cells with a mistake stay, from which the class is shown a few lines."""
    report = grade.report
    if report is None:
        return Brief(grade, None)
    cells = [cell.source for cell in report.notebook if cell.number is not None]
    code = zlib.compress(msgspec.msgpack.encode(cells)) if report.notebook else None
    return Brief(msgspec.structs.replace(grade, report=_brief_report(report)), code)


def _brief_report(report: Report) -> Report:
    shown = {finding.cell for finding in report.findings if finding.cell is not None}
    return Report(
        exercise=report.exercise,
        submission=report.submission,
        sha256=report.sha256,
        status=report.status,
        score=report.score,
        max_score=report.max_score,
        findings=tuple(map(_brief_finding, report.findings)),
        needs_review=report.needs_review,
        seconds=report.seconds,
        notebook=tuple(
            msgspec.structs.replace(cell, outputs=()) for cell in report.notebook if cell.number in shown
        ),
    )


def _brief_finding(finding: Finding) -> Finding:
    return Finding(
        mistake=finding.mistake, confidence=finding.confidence, cell=finding.cell, line=finding.line
    )
