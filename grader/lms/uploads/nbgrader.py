"""nbgrader: a table with the columns of its own `grades.csv`. Who has no score has none in it, where nbgrader would write a zero."""

from collections.abc import Sequence

from grader.grades import Grade
from grader.lms.filling import Filled, Task, note, shown_number
from grader.lms.sheets import Sheet, neutral, written_table
from grader.report.escape import one_line

WORDS = {"en": "a table like its own grades.csv", "zh": "与它自己的 grades.csv 格式相同的表格"}
TITLE = "nbgrader"
FROM_TABLE = False

FILE = "nbgrader.csv"
COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


def fill(table: Sheet | None, grades: Sequence[Grade], task: Task) -> Filled:
    """Write the table."""
    rows = [_row(grade, task) for grade in grades]
    notes = [note("upload-row-left", grade.student, grade.name) for grade in grades if grade.score is None]
    return Filled(files={FILE: written_table([COLUMNS, *rows])[3:]}, notes=tuple(notes))


def _row(grade: Grade, task: Task) -> list[str]:
    last, _, first = grade.name.partition(", ")
    score = "" if grade.score is None else shown_number(grade.score)
    penalty = "" if grade.score is None else "0"
    texts = (task.exercise, "", "", grade.student, last, first, "")
    return [*(neutral(one_line(text)) for text in texts), score, penalty, score, shown_number(task.max_score)]
