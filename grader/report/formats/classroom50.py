"""Classroom 50's `result.json`. The names and links in it come from the environment that its runner gives.

Its scores are integers, so each point counts 100: partial credit is kept, and all submissions have the same maximum. A submission
that could not be graded has a maximum of 0, which is how that system writes an error; the command's exit code says so as well.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction  # whatever a check is worth, no product of it is too large
from typing import Any

from grader.report.document import CheckPart, Document
from grader.report.escape import as_json, one_paragraph
from grader.report.sentences import reasons
from grader.text import say

WORDS = {
    "en": "Classroom 50's result.json",
    "zh": "Classroom 50 的 result.json",
}
SUFFIX = ".classroom50.json"
SCORES = True
SCHEMA = "classroom50/result/v1"
PER_POINT = 100
UNKNOWN = "unknown"


def render(document: Document, environment: Mapping[str, str] = os.environ) -> str:
    """A report as Classroom 50 reads it."""
    tests = [_test(check, document) for check in document.checks] if document.score is not None else []
    results = {
        "schema": SCHEMA,
        **_context(environment),
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests or [_nothing(document)],
    }
    return as_json(results, indented=True) + "\n"


def _context(environment: Mapping[str, str]) -> dict[str, str]:
    """Who handed in what: the runner says it; outside it, nobody knows."""
    commit = environment.get("COMMIT_URL") or UNKNOWN
    return {
        "classroom": environment.get("CLASSROOM") or UNKNOWN,
        "assignment": environment.get("ASSIGNMENT") or UNKNOWN,
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environment.get("OWNER") or environment.get("USERNAME") or UNKNOWN,
        "submission": environment.get("SUBMISSION_TAG") or f"submit/{UNKNOWN}",
        "commit": commit,
        "release": environment.get("RELEASE_URL") or UNKNOWN,
        "review": environment.get("REVIEW_URL") or commit,
    }


def _test(check: CheckPart, document: Document) -> dict[str, Any]:
    most = max(0, round(PER_POINT * Fraction(check.max_score)))
    return {
        "test-name": one_paragraph(check.title) or check.id or "-",
        "passed": check.status == "passed",
        "score": min(most, max(0, round(PER_POINT * Fraction(check.score)))),
        "max-score": most,
        "message": "\n".join(map(one_paragraph, reasons(check, document))),
    }


def _nothing(document: Document) -> dict[str, Any]:
    why = "\n".join(map(one_paragraph, document.needs_review))
    passed = document.status == "graded"
    name = say("label-all-passed" if passed else "label-ungradable", document.language)
    return {"test-name": name, "passed": passed, "score": 0, "max-score": 0, "message": why}
