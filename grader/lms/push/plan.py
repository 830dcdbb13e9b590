"""What there is to send: to whom, how many points, with which comment; and who gets nothing, and why."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from grader.gradebook.records import Pushed
from grader.grades import Grade
from grader.lms.filling import note, scaled
from grader.lms.push.comment import summary
from grader.lms.push.people import candidates
from grader.lms.push.platform import Assignment, Person
from grader.model import Language, Parameters, Text

# Points are sent with so many decimals; they are compared as they are sent.
DECIMALS = 4


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One grade to send. says: a digest of it; again: it may have arrived already."""

    student: str
    name: str
    person: Person
    points: float
    comment: str
    says: str
    again: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """known: how many were sent before, as they are. left: who has a score and gets none; notes: what else is to be said."""

    assignment: Assignment
    deliveries: tuple[Delivery, ...]
    known: int
    left: tuple[Text, ...]
    notes: tuple[Text, ...]


def light(grade: Grade) -> Grade:
    """A grade without what is drawn and shown of its run: of a large class, all are held at once."""
    if grade.report is None:
        return grade
    return msgspec.structs.replace(
        grade, report=msgspec.structs.replace(grade.report, notebook=(), pictures=None)
    )


def plan(  # noqa: PLR0913, PLR0917 - all of them are looked at together
    grades: Sequence[Grade],
    assignment: Assignment,
    people: Sequence[Person],
    kind_of: Callable[[Grade], str | None],
    sent: Mapping[str, Pushed],
    language: Language,
    by: str | None = None,
) -> Plan:
    """Find out what there is to send. kind_of: as a platform's `kind`; sent: what was before, by student; by: a kind that was asked for."""
    scored = [grade for grade in grades if grade.score is not None]
    found = candidates(scored, people, kind_of, by)
    wanted = Counter(persons[0].id for persons in found.values() if len(persons) == 1)
    most = max((grade.report.max_score for grade in scored if grade.report is not None), default=0.0)
    notes = [note("push-no-score", grade.student, grade.name) for grade in grades if grade.score is None]
    if not assignment.comments:
        notes.insert(0, Text(id="push-without-comments"))
    if most and most != assignment.most:
        notes.insert(0, Text(id="push-scaled", params={"max_score": most, "most": assignment.most}))
    deliveries, left, known = [], [], 0
    for grade in scored:
        persons = found[grade.student]
        if (trouble := _trouble(grade, persons, wanted)) is not None:
            left.append(trouble)
        elif persons[0].excused:
            notes.append(note("push-excused", grade.student, grade.name))
        else:
            before = sent.get(grade.student)
            delivery = _delivery(
                grade, persons[0], scaled(grade.score or 0.0, most, assignment.most), before, language
            )
            if before is not None and before.delivered and before.says == delivery.says:
                known += 1
            else:
                deliveries.append(delivery)
    return Plan(
        assignment=assignment,
        deliveries=tuple(deliveries),
        known=known,
        left=tuple(left),
        notes=tuple(notes),
    )


def _trouble(grade: Grade, persons: Sequence[Person], wanted: Mapping[str, int]) -> Text | None:
    if not persons:
        return note("push-nobody", grade.student, grade.name)
    called = "; ".join(f"{one.name} ({one.id})" for one in persons)
    params: Parameters = {"student": grade.student, "name": grade.name or grade.student, "people": called}
    if len(persons) > 1:
        return Text(id="push-several", params=params)
    return Text(id="push-shared", params=params) if wanted[persons[0].id] > 1 else None


def _delivery(
    grade: Grade, person: Person, points: float, before: Pushed | None, language: Language
) -> Delivery:
    points = round(points, DECIMALS)
    return Delivery(
        student=grade.student,
        name=grade.name or grade.student,
        person=person,
        points=points,
        comment="\n".join(summary(grade, language)),
        says=_digest(grade, person, points),
        again=before is not None and not before.delivered,
    )


def _digest(grade: Grade, person: Person, points: float) -> str:
    """Equal for grades that say the same, in whichever language they say it."""
    report = grade.report
    parts = (
        person.id,
        points,
        "" if grade.override is None else grade.override.reason,
        [] if report is None else [check.id for check in report.checks if check.status == "failed"],
        [] if report is None else [one.mistake for one in report.findings if one.confidence != "possible"],
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
