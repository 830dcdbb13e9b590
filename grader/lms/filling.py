"""What filling in a learning platform's own table gives, and what it leaves: the records that `grader.lms.uploads` speaks in."""

from collections.abc import Sequence

import msgspec

from grader.grades import Grade
from grader.model import Language, Text


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What is filled in. titles: what the exercise may be called; column: the one that was asked for, by its title or number.

    max_score: the most that the exercise gives; 0 where no submission could be graded, so that nobody knows.
    """

    exercise: str
    titles: tuple[str, ...]
    max_score: float
    language: Language = "en"
    column: str | None = None


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """Files for the platform, by name, and what has to be said about them.

    feedback: of a zip with reports, the folder of each student, by the student. notes: who has no row, which rows stay as they were.
    """

    files: dict[str, bytes] = {}
    feedback: dict[str, str] = {}
    notes: tuple[Text, ...] = ()


def note(id: str, student: str, name: str = "") -> Text:
    """A note about one student."""
    return Text(id=id, params={"student": student, "name": name or student})


def absent(grades: Sequence[Grade], matched: set[str]) -> list[Text]:
    """A note for each student who has a score and no row."""
    return [
        note("upload-no-row", grade.student, grade.name)
        for grade in grades
        if grade.student not in matched and grade.handed_in is not None
    ]


def scaled(score: float, max_score: float, most: float | None) -> float:
    """A score on the platform's own scale, on which full marks are `most`."""
    if most is None or not max_score or most == max_score:
        return score
    return score * most / max_score


def shown_number(value: float, like: str = "") -> str:
    """A number as a platform reads it; with a comma where `like`, a number of its own, has one."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if "," in like and "." not in like else text
