"""The picture of a class in words: schema `grader/class/v1`, which its page is made from.

Fields are added, never renamed. All texts are in one language.
"""

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any, Literal

import msgspec

from grader.catalogue import mistake
from grader.exercise import Exercise
from grader.grades import Grade
from grader.model import Confidence, Language
from grader.outcome.names import file_name
from grader.outcome.standing import Standing, findings, max_score, standing
from grader.outcome.table import reviews
from grader.report.overview.excerpts import ExcerptPart, excerpts
from grader.similarity import Group

SCHEMA: Literal["grader/class/v1"] = "grader/class/v1"
BINS = 10
SLOWEST = 5


class BinPart(msgspec.Struct, frozen=True):
    """How many students have a score from `low` up to, and without, `high`; full marks alone have low = high."""

    low: float
    high: float
    count: int


class ScoresPart(msgspec.Struct, frozen=True):
    """The scores of those who have one. Null where nobody has."""

    max_score: float
    count: int
    mean: float | None
    median: float | None
    lowest: float | None
    highest: float | None
    bins: list[BinPart]


class MistakePart(msgspec.Struct, frozen=True):
    """One mistake, and how many students made it: where a rerun proved it, where it was seen, where it is a guess."""

    mistake: str
    title: str
    confirmed: int
    likely: int
    possible: int
    excerpts: list[ExcerptPart]


class MadePart(msgspec.Struct, frozen=True):
    """A mistake of one student."""

    mistake: str
    confidence: Confidence


class StudentPart(msgspec.Struct, frozen=True):
    """One student. report: the address of the report beside this file, where there is one. override: a person's reason."""

    student: str
    name: str
    status: Standing
    score: float | None
    max_score: float | None
    late: bool
    attempts: int
    mistakes: list[MadePart]
    needs_review: list[str]
    override: str | None
    seconds: float | None
    file: str | None
    sha256: str | None
    report: str | None


class SecondsPart(msgspec.Struct, frozen=True):
    """How long the submissions' own cells ran. slowest: the students, the slowest first."""

    median: float | None
    slowest: list[str]


class PairPart(msgspec.Struct, frozen=True):
    """Two solutions side by side. alike: which part of what few others have is in both; page: its address, where there is one."""

    one: str
    other: str
    alike: float
    page: str | None


class GroupPart(msgspec.Struct, frozen=True):
    """Students whose solutions are near-identical: a hint to look, not a verdict."""

    students: list[str]
    identical: bool
    pairs: list[PairPart]


class Document(msgspec.Struct, frozen=True):
    """A class. counts: how many students there are of each status."""

    schema: Literal["grader/class/v1"]
    exercise: str
    title: str
    language: Language
    counts: dict[Standing, int]
    scores: ScoresPart
    seconds: SecondsPart
    mistakes: list[MistakePart]
    similar: list[GroupPart]
    students: list[StudentPart]


def word(
    grades: Sequence[Grade],
    exercise: Exercise,
    language: Language,
    similar: Sequence[Group] = (),
    pages: Sequence[Sequence[str | None]] = (),
) -> Document:
    """Put a class into words. pages: for each group and each pair in it the address of its page."""
    students = [_student(grade, exercise, language) for grade in grades]
    ran = sorted((one for one in students if one.seconds is not None), key=lambda one: -(one.seconds or 0))
    return Document(
        schema=SCHEMA,
        exercise=exercise.slug,
        title=exercise.manifest.title[language],
        language=language,
        counts=_counts(students),
        scores=_scores(grades),
        seconds=SecondsPart(
            round(median(one.seconds or 0 for one in ran), 3) if ran else None,
            [one.student for one in ran[:SLOWEST]],
        ),
        mistakes=_mistakes(grades, language),
        similar=[
            _group(group, pages[number] if number < len(pages) else ())
            for number, group in enumerate(similar)
        ],
        students=students,
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a class."""
    described: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(Document)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "grader class",
        **described,
    }


def render(document: Document) -> bytes:
    """The document as JSON; as bytes, since that of a large class should not be in memory twice."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def report_address(grade: Grade) -> str | None:
    """Where a student's report is, beside the page of the class; None of whom there is none."""
    return None if grade.report is None else f"reports/{file_name(grade.student)}.html"


def encodable(text: str) -> str:
    """Write lone surrogates, which no JSON text can hold, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _student(grade: Grade, exercise: Exercise, language: Language) -> StudentPart:
    handed, report = grade.handed_in, grade.report
    return StudentPart(
        student=encodable(grade.student),
        name=encodable(grade.name),
        status=standing(grade),
        score=grade.score,
        max_score=None if report is None or not report.max_score else report.max_score,
        late=handed is not None and handed.late,
        attempts=0 if handed is None else handed.attempts,
        mistakes=[MadePart(finding.mistake, finding.confidence) for finding in findings(grade)],
        needs_review=[encodable(reason) for reason in reviews(grade, exercise, language)],
        override=None if grade.override is None else encodable(grade.override.reason),
        seconds=None if report is None or report.status != "graded" else round(report.seconds, 3),
        file=None if handed is None else encodable(handed.file),
        sha256=None if handed is None else handed.sha256,
        report=report_address(grade),
    )


def _counts(students: Sequence[StudentPart]) -> dict[Standing, int]:
    counts: dict[Standing, int] = {"graded": 0, "ungradable": 0, "unreadable": 0, "missing": 0}
    for student in students:
        counts[student.status] += 1
    return counts


def _scores(grades: Sequence[Grade]) -> ScoresPart:
    scores = [grade.score for grade in grades if grade.score is not None]
    most = max_score(grades)
    return ScoresPart(
        max_score=most,
        count=len(scores),
        mean=round(fmean(scores), 3) if scores else None,
        median=round(median(scores), 3) if scores else None,
        lowest=min(scores, default=None),
        highest=max(scores, default=None),
        bins=_bins(scores, most),
    )


def _bins(scores: Sequence[float], most: float) -> list[BinPart]:
    """Ten bins, and one for full marks alone."""
    if not most:
        return []
    counts = [0] * (BINS + 1)
    for score in scores:
        counts[max(0, min(BINS, int(score / most * BINS + 1e-9)))] += 1
    edges = [round(most * number / BINS, 4) for number in range(BINS + 1)]
    return [BinPart(edge, edges[min(number + 1, BINS)], counts[number]) for number, edge in enumerate(edges)]


def _mistakes(grades: Sequence[Grade], language: Language) -> list[MistakePart]:
    made: dict[str, dict[str, int]] = {}
    for grade in grades:
        for finding in findings(grade):
            counts = made.setdefault(finding.mistake, {"confirmed": 0, "likely": 0, "possible": 0})
            counts[finding.confidence] += 1
    shown = excerpts(grades)
    parts = [
        MistakePart(
            mistake=name, title=mistake(name).words[language].title, excerpts=shown.get(name, []), **counts
        )
        for name, counts in made.items()
    ]
    return sorted(parts, key=lambda part: (-part.confirmed, -part.likely, -part.possible, part.mistake))


def _group(group: Group, pages: Sequence[str | None]) -> GroupPart:
    addresses = [*pages, *[None] * (len(group.pairs) - len(pages))]
    return GroupPart(
        students=[encodable(student) for student in group.students],
        identical=group.identical,
        pairs=[
            PairPart(encodable(pair.one), encodable(pair.other), pair.alike, page)
            for pair, page in zip(group.pairs, addresses, strict=True)
        ],
    )
