"""Who is in the class: a table of students, and so who handed in nothing.

Its columns are found by their headings, in English or Chinese; without any that is known the first column holds the ids.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader.grades import Grade
from grader.lms.sheets import Sheet, read_sheet

IDS = (
    "id",
    "student id",
    "student",
    "sis user id",
    "sis login id",
    "username",
    "login",
    "sid",
    "user",
    "学号",
    "用户名",
    "账号",
)
NAMES = ("name", "full name", "student name", "display name", "姓名", "名字")
EMAILS = ("email", "email address", "e-mail", "mail", "邮箱", "电子邮件", "电子邮箱")
FIRST, LAST = ("first name", "given name"), ("last name", "surname", "family name")


class Enrolled(NamedTuple):
    """One student. keys: all that a learning platform may call this one by."""

    id: str
    name: str
    email: str
    keys: frozenset[str]


def read_roster(path: Path) -> list[Enrolled]:
    """The students of a table. Raises UsageError if it is none."""
    table = read_sheet(path)
    titles = [cell.value.strip().lower().replace("_", " ") for cell in table.rows[0]]
    ids = [column for title in IDS for column, own in enumerate(titles) if own == title]
    name, email = _column(titles, NAMES), _column(titles, EMAILS)
    first, last = _column(titles, FIRST), _column(titles, LAST)
    known = [*ids, *(column for column in (name, email) if column is not None)]
    own_ids = ids or ([0] if email is None else [])
    found = []
    for row in range(1 if known else 0, len(table.rows)):
        own = _text(table, row, name) or f"{_text(table, row, first)} {_text(table, row, last)}".strip()
        address = _text(table, row, email)
        values = [value for column in own_ids if (value := table.value(row, column))]
        if values or address:
            keys = {*values, *([address, address.partition("@")[0]] if address else [])}
            found.append(
                Enrolled((values or [address])[0], own, address, frozenset(folded(key) for key in keys))
            )
    return found


def with_roster(grades: Sequence[Grade], roster: Sequence[Enrolled]) -> list[Grade]:
    """The grades, named as in the roster, and after them who handed in nothing. A student whom it does not list stays."""
    by_key = {key: enrolled for enrolled in reversed(roster) for key in enrolled.keys}
    names = [one.name for one in roster]
    by_name = {key: roster[place] for key, place in unique(dict(enumerate(map(name_keys, names)))).items()}
    there, found = set[str](), []
    for grade in grades:
        enrolled = by_key.get(folded(grade.student)) or _called(grade.name, by_name)
        if enrolled is not None:
            there.add(enrolled.id)
            grade = msgspec.structs.replace(grade, name=enrolled.name or grade.name)  # noqa: PLW2901
        found.append(grade)
    return found + [Grade(student=one.id, name=one.name) for one in roster if one.id not in there]


def folded(text: str) -> str:
    """A name as it is compared: `Doe, Jane`, `doejane` and `DOE JANE` are one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum()) or plain.strip()


def name_keys(name: str) -> frozenset[str]:
    """All that a name may be shortened to: whichever of its words is put first, the others follow in their order."""
    words = [word for word in re.split(r"[\s,]+", name) if word]
    return frozenset(folded("".join(words[at:] + words[:at])) for at in range(len(words)))


def unique(keys: Mapping[int, Iterable[str]]) -> dict[str, int]:
    """Whose each key is, of those that are one's alone."""
    counts = Counter(key for own in keys.values() for key in own)
    return {key: whose for whose, own in keys.items() for key in own if key and counts[key] == 1}


def _called(name: str, by_name: Mapping[str, Enrolled]) -> Enrolled | None:
    found = {one.id: one for key in name_keys(name) if (one := by_name.get(key)) is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def _column(titles: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((titles.index(title) for title in wanted if title in titles), None)


def _text(table: Sheet, row: int, column: int | None) -> str:
    return "" if column is None else table.value(row, column)
