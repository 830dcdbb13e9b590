"""The report as it is, by the published schema `grader/report/v1` (`grader schema`, [report.schema.json](report.schema.json)).

One report is indented; several are one a line.
"""

from grader.report.document import Document
from grader.report.escape import as_json

WORDS = {
    "en": "for programs: the whole report by a published schema; several are one a line",
    "zh": "给程序读：按公开的模式给出整份报告；多份报告时一行一份",
}
SUFFIX = ".json"
SUFFIX_TOGETHER = ".jsonl"


def render(document: Document) -> str:
    """Encode a report, so that it can also be read in a terminal."""
    return as_json(document, indented=True) + "\n"


def part(document: Document) -> str:
    """Encode a report in one line."""
    return as_json(document) + "\n"
