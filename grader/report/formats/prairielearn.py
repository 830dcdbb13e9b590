"""PrairieLearn's result of an external grader: write it to `/grade/results/results.json`.

It stays under 1 MB, as asked: where it would not, long texts are cut. A submission that could not be graded is `gradable: false` with the reasons as `format_errors`: no points are given or taken, and no
attempt is lost.
"""

from typing import Any

from grader.report.document import CheckPart, Document
from grader.report.escape import MAX_CHARACTERS, as_json, visible
from grader.report.formats import terminal
from grader.report.sentences import reasons, verdict
from grader.text import say

WORDS = {
    "en": "PrairieLearn's results.json of an external grader",
    "zh": "PrairieLearn 外部评分器的 results.json",
}
SUFFIX = ".prairielearn.json"
SCORES = True
MAX_BYTES = 1_000_000
MAX_REVIEW = 10
# How much of each text is kept, the first that fits.
CUTS = (MAX_CHARACTERS, 1_000, 100)


def render(document: Document) -> str:
    """A report as PrairieLearn reads it."""
    whole = terminal.within(document)
    for longest in CUTS:
        text = _encoded(_results(document, whole, longest))
        if len(text.encode()) < MAX_BYTES:
            return text
    return _encoded({**_results(document, whole, CUTS[-1]), "tests": []})


def _encoded(results: dict[str, Any]) -> str:
    return as_json(results) + "\n"


def _results(document: Document, whole: str, longest: int) -> dict[str, Any]:
    review = [visible(reason, longest) for reason in document.needs_review[:MAX_REVIEW]]
    if document.score is None:
        return {"gradable": False, "message": verdict(document), "format_errors": review}
    label = say("label-review", document.language)
    return {
        "gradable": True,
        "score": _share(document.score, document.max_score),
        "message": "\n".join([verdict(document), *(label + reason for reason in review)]),
        "output": visible(whole, 10 * longest, lines=longest),
        "tests": [_test(check, document, longest) for check in document.checks],
    }


def _share(score: float, of: float) -> float:
    return min(1.0, max(0.0, score / of)) if of > 0 else 0.0


def _test(check: CheckPart, document: Document, longest: int) -> dict[str, Any]:
    return {
        "name": visible(check.title, longest),
        "points": check.score,
        "max_points": check.max_score,
        "message": "\n".join(visible(words, longest) for words in reasons(check, document)),
    }
