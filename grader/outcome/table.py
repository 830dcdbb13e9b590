"""`grades.csv`: a line for each student."""

from collections.abc import Sequence

from grader.exercise import Exercise
from grader.grades import Grade
from grader.lms.filling import shown_number
from grader.lms.sheets import neutral, written_table
from grader.model import Language, Text
from grader.outcome.standing import findings, standing
from grader.report.document import reasons_to_review
from grader.report.escape import one_line
from grader.text import say

COLUMNS = (
    *("student", "name", "score", "max_score", "status", "late", "attempts", "mistakes", "needs_review"),
    *("override_reason", "seconds", "file", "sha256"),
)


def grades_table(grades: Sequence[Grade], exercise: Exercise, language: Language) -> bytes:
    """The table as CSV. Texts that a spreadsheet would compute are made harmless; numbers stay numbers, and none is no zero."""
    return written_table([COLUMNS, *(_row(grade, exercise, language) for grade in grades)])


def cell(text: str) -> str:
    """A text as it stands in the table: on one line, with nothing in it that controls, reorders or computes."""
    return neutral(one_line(text))


def reviews(grade: Grade, exercise: Exercise, language: Language) -> list[str]:
    """Why a person should look, in words; of a file that cannot be read, why not."""
    if grade.problem is not None:
        return [problem(grade.problem, language)]
    return [] if grade.report is None else reasons_to_review(grade.report, exercise, language)


def problem(text: Text, language: Language) -> str:
    """Why a file has no report, in words."""
    return say(text.id, language, text.params)


def _row(grade: Grade, exercise: Exercise, language: Language) -> list[str]:
    handed, report = grade.handed_in, grade.report
    return [
        cell(grade.student),
        cell(grade.name),
        "" if grade.score is None else shown_number(grade.score),
        shown_number(report.max_score) if report is not None and report.max_score else "",
        standing(grade),
        "" if handed is None else ("yes" if handed.late else "no"),
        "0" if handed is None else str(handed.attempts),
        " ".join(finding.mistake for finding in findings(grade)),
        cell(" ".join(reviews(grade, exercise, language))),
        "" if grade.override is None else cell(grade.override.reason),
        "" if report is None else f"{report.seconds:.3f}",
        "" if handed is None else cell(handed.file),
        "" if handed is None else handed.sha256,
    ]
