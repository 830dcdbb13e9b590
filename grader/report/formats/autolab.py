"""Autolab's autograder output: the report for the student, and the scores as JSON in the last line.

The scores are `{"scores": {…}}` with one problem, which is named as the exercise is. A submission that could not be graded has no scores in that line. Autolab then says that grading failed, with this report, and leaves
a score that was there before as it is.
"""

from grader.report.document import Document
from grader.report.escape import as_json
from grader.report.formats import terminal

WORDS = {
    "en": "Autolab's autograder output: the report, and the scores in the last line",
    "zh": "Autolab 自动评分的输出：先是报告，最后一行是得分",
}
SUFFIX = ".autolab.txt"
SCORES = True


def render(document: Document) -> str:
    """A report as Autolab reads it."""
    scores = {} if document.score is None else {document.exercise: document.score}
    return f"{terminal.within(document)}\n{as_json({'scores': scores})}\n"
