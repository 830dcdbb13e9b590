"""Moodle: its grading worksheet, filled in, and a zip with each student's report as feedback file.

A row is known by the number in its first column, `Participant 123`, else by a name that only one has. Headings are in the language of whoever downloaded the sheet, so
where they are not English a column is known by what stands in it: `Maximum Grade` holds one number all the way down, and
the grade stands before it; the comments are the last. What a teacher wrote as a comment stays. The zip needs no worksheet.
"""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from grader.catalogue import mistake
from grader.errors import UsageError
from grader.grades import Grade
from grader.lms.filling import Filled, Task, absent, note, scaled, shown_number
from grader.lms.roster import name_keys, unique
from grader.lms.sheets import Sheet, neutral, number
from grader.lms.systems.moodle import FOLDER
from grader.model import Text

WORDS = {
    "en": "the grading worksheet, filled in, and a zip of feedback files",
    "zh": "填好成绩的评分表，和反馈文件的压缩包",
}
TITLE = "Moodle"
FROM_TABLE = False

FILE = "moodle.csv"
IDENTIFIER = re.compile(r"\D*?(\d+)")
NAME = 1
GRADE, MOST, COMMENTS = "Grade", "Maximum Grade", "Feedback comments"


class Columns(NamedTuple):
    """Where things stand; None where there is no such column."""

    grade: int
    most: int | None
    comments: int | None


def fill(table: Sheet | None, grades: Sequence[Grade], task: Task) -> Filled:
    """Fill in the worksheet, where there is one. Raises UsageError if this is none."""
    feedback = {
        grade.student: own for grade in grades if grade.report is not None and (own := _folder(grade))
    }
    if table is None:
        return Filled(feedback=feedback)
    rows = [row for row in range(1, len(table.rows)) if _participant(table, row)]
    columns = _columns(table, rows)
    matches = _matched(table, rows, grades)
    values, notes, scales = {}, list[Text](), set[float]()
    for row in rows:
        student = _participant(table, row)
        grade, score = matches.get(row), None
        if grade is None or (score := grade.score) is None:
            notes.append(note("upload-row-left", student, table.value(row, NAME)))
            continue
        most = "" if columns.most is None else table.value(row, columns.most)
        scales.add(number(most) or task.max_score)
        values[row, columns.grade] = shown_number(scaled(score, task.max_score, number(most)), most)
        if columns.comments is not None and not table.value(row, columns.comments):
            values[row, columns.comments] = _comment(grade, task)
    for scale in sorted(scales - {task.max_score}):
        notes.insert(
            0,
            Text(id="upload-scaled", params={"max_score": task.max_score, "most": scale, "path": table.name}),
        )
    matched = {grade.student for grade in matches.values()}
    return Filled(
        files={FILE: table.filled(values)}, feedback=feedback, notes=(*notes, *absent(grades, matched))
    )


def _participant(table: Sheet, row: int) -> str:
    """The number of a row; nothing where it has none."""
    found = IDENTIFIER.fullmatch(table.value(row, 0))
    return "" if found is None else found[1]


def _matched(table: Sheet, rows: Sequence[int], grades: Sequence[Grade]) -> dict[int, Grade]:
    """Whose each row is: by number, and of those who are left by a name that stands in one row and is one student's."""
    by_student = {grade.student.strip(): grade for grade in grades}
    found = {row: grade for row in rows if (grade := by_student.get(_participant(table, row))) is not None}
    owners = unique({place: name_keys(grade.name) for place, grade in enumerate(grades)})
    there = {grade.student for grade in found.values()}
    for key, row in unique({row: name_keys(table.value(row, NAME)) for row in rows}).items():
        place = owners.get(key)
        if row not in found and place is not None and grades[place].student not in there:
            found[row] = grades[place]
            there.add(grades[place].student)
    return found


def _columns(table: Sheet, rows: Sequence[int]) -> Columns:
    titles = [cell.value.strip() for cell in table.rows[0]]
    if not rows or len(titles) < 2:  # noqa: PLR2004 - an identifier and something to fill in
        raise UsageError("moodle-no-worksheet", path=table.name)
    if GRADE in titles:
        places = {title: column for column, title in enumerate(titles)}
        return Columns(places[GRADE], places.get(MOST), places.get(COMMENTS))
    for column in range(2, len(titles)):
        maxima = {table.value(row, column) for row in rows}
        if len(maxima) == 1 and (number(maxima.pop()) or 0) > 0:
            last = len(titles) - 1
            return Columns(column - 1, column, last if last > column + 2 else None)
    raise UsageError("moodle-no-worksheet", path=table.name)


def _comment(grade: Grade, task: Task) -> str:
    """The mistakes in a few words, as the HTML that Moodle takes comments for; what a person decided stands first."""
    said = [] if grade.override is None else [grade.override.reason]
    found = () if grade.report is None else grade.report.findings
    said += [mistake(one.mistake).words[task.language].title for one in found if one.confidence != "possible"]
    return neutral("<br>".join(escape(one) for one in said))


def _folder(grade: Grade) -> str:
    """The folder that Moodle gave out; where that is not known, one that it would take; nothing for whom it cannot know."""
    path = "" if grade.handed_in is None else grade.handed_in.path
    for part in re.split(r"[\\/]", path):
        if FOLDER.fullmatch(part) and part.isprintable():
            return part
    known = grade.student.isascii() and grade.student.isdecimal()
    return f"Participant_{grade.student}_assignsubmission_file" if known else ""
