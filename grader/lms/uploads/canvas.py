"""Canvas: a gradebook that Canvas exported, with the column of one assignment filled in.

A column that Canvas does not know would make a new assignment, so there has to be one. Students are known by `ID`, else by their
SIS user or login id, else by a name that only one of them has. Whoever is excused (`EX`) stays so.
"""

import re
from collections.abc import Iterator, Sequence

from grader.errors import UsageError
from grader.grades import Grade
from grader.lms.filling import Filled, Task, absent, note, scaled, shown_number
from grader.lms.roster import folded, name_keys, unique
from grader.lms.sheets import Sheet, number
from grader.model import Text

WORDS = {"en": "a gradebook export, filled in", "zh": "填好成绩的成绩册导出文件"}
TITLE = "Canvas"
FROM_TABLE = True

FILE = "canvas.csv"
TITLED = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)", re.DOTALL)
IDS = ("SIS User ID", "SIS Login ID")
EXCUSED = "EX"
POINTS = "Points Possible"


def fill(table: Sheet, grades: Sequence[Grade], task: Task) -> Filled:
    """Fill in the column. Raises UsageError if this is no such export, or the column cannot be told."""
    titles = [cell.value.strip().lstrip("\ufeff") for cell in table.rows[0]]
    if "ID" not in titles[:4] or "Section" not in titles:
        raise UsageError("canvas-no-header", path=table.name)
    column = _column(titles, task, table.name)
    points = next((row for row in range(1, len(table.rows)) if table.value(row, 0) == POINTS), None)
    given = "" if points is None else table.value(points, column)
    rows = [row for row in range((points or 0) + 1, len(table.rows)) if _is_student(table, row, titles)]
    matches = dict(_matched(table, rows, titles, grades))
    values, notes = {}, list[Text]()
    for row in rows:
        grade, score = matches.get(row), None
        student, name = table.value(row, titles.index("ID")), table.value(row, 0)
        if table.value(row, column).upper() == EXCUSED:
            notes.append(note("upload-excused", student, name))
        elif grade is None or (score := grade.score) is None:
            notes.append(note("upload-row-left", student, name))
        else:
            values[row, column] = shown_number(scaled(score, task.max_score, number(given)), given)
    if (most := number(given)) and task.max_score and most != task.max_score:
        notes.insert(
            0,
            Text(id="upload-scaled", params={"max_score": task.max_score, "most": most, "path": table.name}),
        )
    matched = {grade.student for grade in matches.values()}
    return Filled(files={FILE: table.filled(values)}, notes=(*notes, *absent(grades, matched)))


def _column(titles: Sequence[str], task: Task, path: str) -> int:
    assignments = {
        column: found for column, title in enumerate(titles) if (found := TITLED.fullmatch(title)) is not None
    }
    wanted = [folded(title) for title in ([task.column] if task.column else task.titles)]
    fitting = [
        column
        for column, found in assignments.items()
        if {folded(found["title"]), folded(found[0]), found["id"]} & set(wanted)
    ]
    if len(fitting) != 1:
        raise UsageError(
            "canvas-column-unknown",
            path=path,
            title=task.column or task.titles[0],
            known=", ".join(found[0] for found in assignments.values()),
        )
    return fitting[0]


def _is_student(table: Sheet, row: int, titles: Sequence[str]) -> bool:
    known = [titles.index(title) for title in ("ID", *IDS) if title in titles]
    return any(table.value(row, column) for column in known)


def _matched(
    table: Sheet, rows: Sequence[int], titles: Sequence[str], grades: Sequence[Grade]
) -> Iterator[tuple[int, Grade]]:
    """Rows and grades of the same student: the surer signs first."""
    left, free = set(range(len(grades))), set(rows)
    columns = [titles.index(title) for title in ("ID", *IDS) if title in titles]
    for column, by_name in [*((column, False) for column in columns), (0, True)]:
        keys = name_keys if by_name else _as_it_is
        found = unique({row: keys(table.value(row, column)) for row in rows})
        owners = unique(
            {place: keys(grade.name if by_name else grade.student) for place, grade in enumerate(grades)}
        )
        for key, place in owners.items():
            row = found.get(key)
            if row in free and place in left:
                left.remove(place)
                free.remove(row)
                yield row, grades[place]


def _as_it_is(text: str) -> frozenset[str]:
    return frozenset([text.strip()])
