"""Sentences that several formats say: the verdict, what is known of a mend, why a check failed."""

from collections.abc import Iterator

from grader.report.document import CheckPart, Document, FindingPart
from grader.text import say


def verdict(document: Document) -> str:
    """The score, or how many mistakes were found, or that there is none."""
    if document.status == "ungradable":
        return say("label-ungradable", document.language)
    if document.score is None:
        return say("label-findings", document.language, {"count": len(document.findings)})
    return f"{say('label-score', document.language)} {points(document.score)} / {points(document.max_score)}"


def reasons(check: CheckPart, document: Document) -> list[str]:
    """Why a check did not pass, and its hint; each where there is one."""
    hint = say("label-hint", document.language) + check.hint if check.hint else ""
    return [words for words in (check.message, hint) if words]


def with_worth(document: Document) -> Iterator[tuple[FindingPart, str]]:
    """The findings, the first that matters most, each with what is known of its mend."""
    confirmed = 0
    for finding in document.findings:
        confirmed += finding.confidence == "confirmed"
        yield finding, _worth(finding, confirmed, document)


def points(score: float) -> str:
    """Points without needless zeros."""
    return f"{score:.2f}".rstrip("0").rstrip(".")


def _worth(finding: FindingPart, number: int, document: Document) -> str:
    if finding.confidence == "likely":
        return say("label-likely", document.language)
    if finding.confidence == "possible":
        return say("label-possible", document.language)
    if finding.score_after is None:
        return say("label-proven", document.language)
    score = {"score": points(finding.score_after), "max_score": points(document.max_score)}
    if number == 1:
        return say("label-proven-one", document.language, score)
    together = {"count": number, "score": score["score"], "max_score": score["max_score"]}
    return say("label-proven-more", document.language, together)
