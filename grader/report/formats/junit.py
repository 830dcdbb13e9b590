"""JUnit XML, which every CI shows: a test suite for each submission, a test case for each check.

A failed check is a `failure` with its reason as `type`; one that was not looked at is `skipped`; a submission that could not be
graded is one `error`. Without an exercise the mistakes found are the failures. Points stand in the suite's properties, and the whole
report, as a terminal would show it, in `system-out`. What XML cannot hold is written as an escape.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grader.report.document import Document
from grader.report.escape import one_line, visible
from grader.report.formats import terminal
from grader.report.sentences import points, reasons
from grader.text import say

WORDS = {
    "en": "JUnit XML for CI: a test suite for each submission",
    "zh": "供持续集成使用的 JUnit XML：每份提交一个测试套件",
}
SUFFIX = ".xml"
HEAD = "<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"grader\">\n"
TAIL = "</testsuites>\n"


def render(document: Document) -> str:
    """A report as the only test suite."""
    return HEAD + part(document) + TAIL


def part(document: Document) -> str:
    """A report as a test suite."""
    cases = list(_cases(document))
    suite = Element(
        "testsuite",
        name=one_line(document.submission.name) or "-",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{max(0.0, document.run.seconds):.3f}",
    )
    properties = SubElement(suite, "properties")
    for name, value in _properties(document):
        SubElement(properties, "property", name=name, value=one_line(value))
    suite.extend(cases)
    SubElement(suite, "system-out").text = terminal.render(document)
    indent(suite)
    return tostring(suite, encoding="unicode") + "\n"


def _properties(document: Document) -> Iterator[tuple[str, str]]:
    yield "exercise", document.exercise
    yield "status", document.status
    if document.score is not None:
        yield "score", points(document.score)
        yield "max_score", points(document.max_score)
    if document.submission.sha256:
        yield "sha256", document.submission.sha256
    for reason in document.needs_review:
        yield "needs_review", reason


def _cases(document: Document) -> Iterator[Element]:
    if document.status == "ungradable":
        case = _case(document, say("label-ungradable", document.language))
        _add(case, "error", "ungradable", "\n".join(document.needs_review))
        yield case
    elif document.checks or document.score is not None:
        yield from _checks(document)
    else:
        yield from _mistakes(document)


def _checks(document: Document) -> Iterator[Element]:
    for check in document.checks:
        case = _case(document, check.title)
        words = "\n".join(reasons(check, document))
        if check.status == "skipped":
            _add(case, "skipped", check.because or "", words)
        elif check.status == "failed":
            worth = (
                f"{say('label-points', document.language)}: {points(check.score)}/{points(check.max_score)}"
            )
            _add(case, "failure", check.reason or "", f"{words}\n{worth}")
        yield case


def _mistakes(document: Document) -> Iterator[Element]:
    for finding in document.findings:
        case = _case(document, finding.title)
        _add(case, "failure", finding.mistake, f"{finding.message}\n{finding.advice}")
        yield case
    if not document.findings:
        yield _case(document, say("label-findings", document.language, {"count": 0}))


def _case(document: Document, title: str) -> Element:
    return Element("testcase", name=one_line(title) or "-", classname=one_line(document.exercise) or "grader")


def _add(case: Element, outcome: str, kind: str, words: str) -> None:
    words = visible(words.strip())
    message = words.partition("\n")[0]
    SubElement(case, outcome, type=one_line(kind), message=message).text = words
