"""Gradescope's `results.json`: write it to `/autograder/results/results.json`.

Every test is visible, since hiding one hides the student's total. Text of a submission is shown as text. A submission that could
not be graded gets a test without points that failed, and the output says why, and that the score is none: Gradescope asks for a
number, so there is a 0, for a person to replace.
"""

import html
from typing import Any

from grader.report.document import CheckPart, Document
from grader.report.escape import as_json, one_paragraph
from grader.report.formats import terminal
from grader.report.sentences import reasons
from grader.text import say

WORDS = {
    "en": "Gradescope's results.json",
    "zh": "Gradescope 的 results.json",
}
SUFFIX = ".gradescope.json"
SCORES = True


def render(document: Document) -> str:
    """A report as Gradescope reads it."""
    graded = document.score is not None
    results: dict[str, Any] = {
        "score": document.score if graded else 0.0,
        "execution_time": document.run.seconds,
        "output": _output(document),
        "output_format": "html",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": _tests(document),
        "extra_data": {
            "grader": document.schema,
            "exercise": document.exercise,
            "status": document.status,
            "sha256": document.submission.sha256,
            "sandbox": None if document.run.sandbox is None else document.run.sandbox.tier,
            "needs_review": list(map(one_paragraph, document.needs_review)),
        },
    }
    return as_json(results, indented=True) + "\n"


def _output(document: Document) -> str:
    words = terminal.within(document)
    if document.score is None:
        words = f"{say('label-no-grade', document.language)}\n\n{words}"
    return f"<pre>{html.escape(words)}</pre>"


def _tests(document: Document) -> list[dict[str, Any]]:
    if document.score is None:
        why = "\n".join(map(one_paragraph, document.needs_review))
        name = say("label-ungradable", document.language)
        return [{"name": name, "status": "failed", "output": why, "visibility": "visible"}]
    return [_test(number, check, document) for number, check in enumerate(document.checks, start=1)]


def _test(number: int, check: CheckPart, document: Document) -> dict[str, Any]:
    return {
        "number": str(number),
        "name": one_paragraph(check.title) or check.id or "-",
        "score": check.score,
        "max_score": check.max_score,
        "status": "passed" if check.status == "passed" else "failed",
        "output": "\n".join(map(one_paragraph, reasons(check, document))),
        "visibility": "visible",
        "extra_data": {"id": check.id, "outcome": check.status, "reason": check.reason},
    }
