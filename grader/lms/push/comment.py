"""What a student reads beside the grade: the report in a few lines. Nothing in it is the student's own text."""

from grader.catalogue import mistake
from grader.grades import Grade
from grader.model import Language
from grader.text import say


def summary(grade: Grade, language: Language) -> list[str]:
    """The lines: the points, what a person decided, what did not pass, and the mistakes that are no mere guesses."""
    report = grade.report
    lines = []
    if report is not None and grade.score is not None:
        params = {"score": grade.score, "max_score": report.max_score}
        lines.append(say("push-comment-score", language, params))
    if grade.override is not None:
        return [*lines, grade.override.reason]
    if report is None:
        return lines
    failed = [check.titles[language] for check in report.checks if check.status == "failed"]
    if failed:
        lines.append(say("push-comment-failed", language, {"checks": " ".join(failed)}))
    found = dict.fromkeys(one.mistake for one in report.findings if one.confidence != "possible")
    if found:
        titles = "; ".join(mistake(name).words[language].title for name in found)
        lines.append(say("push-comment-mistakes", language, {"mistakes": titles}))
    return lines
