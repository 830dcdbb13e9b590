"""A report in words: schema `grader/report/v1`, which every format is made from.

Fields are added, never renamed. Text is worded here and nowhere before, in one language.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from grader.catalogue import mistake
from grader.exercise import Exercise
from grader.model import Confidence, Finding, Language, Parameters, Report, RunError, Sandbox, Text, Tier
from grader.picture import Curves, Descent, Pictures
from grader.text import say, shown

SCHEMA: Literal["grader/report/v1"] = "grader/report/v1"


class SubmissionPart(msgspec.Struct, frozen=True):
    """The file graded: its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


class CheckPart(msgspec.Struct, frozen=True):
    """One check. `reason` is the id of `message`; `because` names the check for which this one was skipped."""

    id: str
    title: str
    status: Literal["passed", "failed", "skipped"]
    score: float
    max_score: float
    message: str
    hint: str
    reason: str | None
    params: Parameters
    because: str | None


class ErrorPart(msgspec.Struct, frozen=True):
    """What stopped a cell: its kind, a sentence, and the place (cells and lines count from 1)."""

    kind: str
    message: str
    cell: int | None
    line: int | None
    first_line: int | None
    excerpt: list[str]


class SandboxPart(msgspec.Struct, frozen=True):
    """How the run was confined: its tier, the layers that held, and those that the machine lacks."""

    tier: Tier
    layers: list[str]
    missing: list[str]


class RunPart(msgspec.Struct, frozen=True):
    """The run: wall-clock seconds of the submission's own cells, its error, reruns, and how it was confined."""

    seconds: float
    error: ErrorPart | None
    reruns: int
    sandbox: SandboxPart | None = None


class ChangePart(msgspec.Struct, frozen=True):
    """Lines of a cell, from `line` on, and what a mend puts in their place."""

    cell: int
    line: int
    before: list[str]
    after: list[str]


class FindingPart(msgspec.Struct, frozen=True):
    """One mistake: its name in the catalogue, what was seen, what comes of it, and how to mend it.

    confidence: `confirmed` by a rerun of the mended submission, `likely` by what the run showed, `possible` by the source alone.
    score_after: what the rerun with this mend, and with those of the findings before it, was given.
    """

    mistake: str
    title: str
    confidence: Confidence
    cell: int | None
    line: int | None
    first_line: int | None
    excerpt: list[str]
    message: str
    why: str
    advice: str
    params: Parameters
    evidence: Parameters
    fix: list[ChangePart]
    score_after: float | None


class Document(msgspec.Struct, frozen=True):
    """A report as it is written. `score` is null where the submission could not be graded, or has no exercise.

    curves: of the training that made the result, as far as it was seen; curves_mended: of the last rerun that proved a mend;
    curves_reference: what the exercise's own descent does on the learner's data. A value that was not finite is null.
    """

    schema: Literal["grader/report/v1"]
    exercise: str
    title: str
    submission: SubmissionPart
    status: Literal["graded", "ungradable"]
    needs_review: list[str]
    notes: list[str]
    score: float | None
    max_score: float
    language: Language
    checks: list[CheckPart]
    run: RunPart
    findings: list[FindingPart]
    untried: int
    curves: Curves = msgspec.field(default_factory=Curves)
    curves_mended: Curves | None = None
    curves_reference: Curves | None = None


def reasons_to_review(report: Report, exercise: Exercise | None, language: Language) -> list[str]:
    """Why a person should look at a submission, in words."""
    words = _Words(exercise, language)
    return [words.say(reason) for reason in report.needs_review]


def word(report: Report, exercise: Exercise | None, language: Language) -> Document:
    """Put a report into words; `exercise` gives its own sentences (None where it is not known)."""
    words = _Words(exercise, language)
    pictures = report.pictures or Pictures()
    return Document(
        schema=SCHEMA,
        exercise=report.exercise,
        title=report.exercise if exercise is None else exercise.manifest.title[language],
        submission=SubmissionPart(_encodable(report.submission), report.sha256),
        status=report.status,
        needs_review=reasons_to_review(report, exercise, language),
        notes=[words.say(note) for note in report.notes],
        score=report.score,
        max_score=report.max_score,
        language=language,
        checks=[
            CheckPart(
                id=check.id,
                title=check.titles[language],
                status=check.status,
                score=check.score,
                max_score=check.max_score,
                message=words.say(check.reason),
                hint=words.say(check.hint),
                reason=None if check.reason is None else check.reason.id,
                params=words.params(check.reason),
                because=check.because,
            )
            for check in report.checks
        ],
        run=RunPart(
            round(report.seconds, 3), _error_part(report, words), report.reruns, _sandbox_part(report.sandbox)
        ),
        findings=[_finding_part(finding, words) for finding in report.findings],
        untried=report.untried,
        curves=_curves(pictures.own) or Curves(),
        curves_mended=_curves(pictures.mended),
        curves_reference=pictures.reference,
    )


def all_passed(report: Report | Document) -> bool:
    """Whether every point was given and no check failed, not even one without points."""
    return report.score == report.max_score and all(check.status != "failed" for check in report.checks)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a report."""
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(Document)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "grader report",
        **described,
    }


class _Words:
    def __init__(self, exercise: Exercise | None, language: Language) -> None:
        self._exercise = exercise
        self._language: Language = language

    def say(self, text: Text | None) -> str:
        if text is None:
            return ""
        wording = None
        if self._exercise is not None:
            wording = self._exercise.text(text.id, self._language, shown(text.params))
        return _encodable(say(text.id, self._language, text.params) if wording is None else wording)

    def of_mistake(self, finding: Finding) -> dict[str, str]:
        """What the catalogue says of a finding, filled with its own names and numbers."""
        words, params = mistake(finding.mistake).words[self._language], shown(finding.params)
        return {name: _encodable(words.say(name, params)) for name in ("title", "message", "why", "fix")}

    def params(self, text: Text | None) -> Parameters:
        return encodable({} if text is None else text.params)


def encodable(params: Parameters) -> Parameters:
    """Parameters as JSON can hold them: escapes stand for lone surrogates, which no JSON text may have."""
    return {name: _encodable(value) if isinstance(value, str) else value for name, value in params.items()}


def _finding_part(finding: Finding, words: "_Words") -> FindingPart:
    said = words.of_mistake(finding)
    excerpt = finding.excerpt
    return FindingPart(
        mistake=finding.mistake,
        title=said["title"],
        confidence=finding.confidence,
        cell=finding.cell,
        line=finding.line,
        first_line=None if excerpt is None else excerpt.first,
        excerpt=_encodable_lines(() if excerpt is None else excerpt.lines),
        message=said["message"],
        why=said["why"],
        advice=said["fix"],
        params=encodable(finding.params),
        evidence=encodable(finding.evidence),
        fix=[
            ChangePart(
                change.cell, change.line, _encodable_lines(change.before), _encodable_lines(change.after)
            )
            for change in finding.fix
        ],
        score_after=finding.score_after,
    )


def _curves(descent: Descent | None) -> Curves | None:
    """The curves of a training, with names that JSON can hold."""
    if descent is None:
        return None
    parameters = {_encodable(name): curve for name, curve in descent.curves.parameters.items()}
    return msgspec.structs.replace(descent.curves, parameters=parameters)


def _encodable_lines(lines: Iterable[str]) -> list[str]:
    return [_encodable(line) for line in lines]


def _encodable(text: str) -> str:
    """Write lone surrogates, which no JSON text can hold, as escapes; a file name or a message may have some."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _error_part(report: Report, words: _Words) -> ErrorPart | None:
    error = report.error
    if error is None:
        return None
    excerpt = report.excerpt
    return ErrorPart(
        kind=error.kind,
        message=words.say(Text(id=f"run-{error.kind}", params=_error_params(error))),
        cell=error.cell,
        line=error.line,
        first_line=None if excerpt is None else excerpt.first,
        excerpt=[] if excerpt is None else list(excerpt.lines),
    )


def _error_params(error: RunError) -> Parameters:
    message = error.message
    if error.kind.endswith("-limit") and message.isdecimal():
        message = f"{int(message):,}"
    return {"message": message, "cell": error.cell, "line": error.line}


def _sandbox_part(sandbox: Sandbox | None) -> SandboxPart | None:
    if sandbox is None:
        return None
    return SandboxPart(sandbox.tier, list(sandbox.layers), list(sandbox.missing))
