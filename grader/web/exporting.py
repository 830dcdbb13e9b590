"""Grades for platforms that take them as a file: their own table is uploaded, and given back with the scores filled in."""

from starlette.datastructures import UploadFile
from starlette.responses import Response

from grader.errors import UsageError
from grader.lms import upload
from grader.lms.filling import Filled
from grader.lms.sheets import sheet
from grader.model import Text, said_by
from grader.outcome.tasks import task_of
from grader.web.classes import grades_of
from grader.web.learner import as_file, file_name
from grader.web.service import Call, Refusal
from grader.web.store import sheets
from grader.web.store.records import Asked
from grader.web.titles import alike, title

# Of a platform's table; one of ten thousand students has less.
MOST_MB = 5
LONGEST_COLUMN = 500


def offer(call: Call) -> Response:
    """The platforms, and the form for their table."""
    return _offer(call, call.assignment())


def fill(call: Call) -> Response:
    """Fill in a table. It is read here, and not kept; what is given back is kept for a day, for this visitor alone."""
    asked = call.assignment()
    try:
        filled = _filled(call, asked)
    except UsageError as error:
        return _offer(call, asked, said_by(error))
    if not filled.files:
        return _offer(call, asked, Text(id="export-no-sheet"))
    number = call.service.store.write(sheets.keep, call.who.person, asked.id, filled)
    return call.go(f"/assignments/{asked.id}/exports/{number}")


def filled(call: Call) -> Response:
    """What was filled in, and what could not be."""
    asked = call.assignment()
    return call.page(
        "export", asked=asked, title=title(call, asked), number=call.number("sheet"), filled=_own(call)
    )


def filled_file(call: Call) -> Response:
    """The table itself."""
    call.assignment()
    ((name, content),) = _own(call).files.items()
    return as_file(content, name, "text/csv; charset=utf-8")


def _filled(call: Call, asked: Asked) -> Filled:
    """Raises UsageError where the table is not the platform's, has no column for the exercise, or is none."""
    exercise, grades = call.service.exercise(asked.exercise), grades_of(call, asked)
    column = call.field("column")[:LONGEST_COLUMN] or None
    given = None if call.form is None else call.form.get("file")
    with call.service.reading:
        table = None
        if isinstance(given, UploadFile) and given.filename:
            content, name = given.file.read(), file_name(given.filename)
            if len(content) > 1_000_000 * MOST_MB:
                raise UsageError("sheet-too-large", path=name, limit_mb=MOST_MB)
            table = sheet(content, name)
        return upload.fill(
            call.field("platform"), table, grades, task_of(grades, exercise, call.spoken, column)
        )


def _offer(call: Call, asked: Asked, why: Text | None = None) -> Response:
    return call.page(
        "exports",
        200 if why is None else 422,
        asked=asked,
        title=title(call, asked),
        platforms=upload.titles(),
        chosen=call.field("platform"),
        column=call.field("column") or _column(call, asked),
        most_mb=MOST_MB,
        why=why,
    )


def _column(call: Call, asked: Asked) -> str:
    """Where there are several assignments to an exercise, its own title does not say which column is meant."""
    return asked.title if call.form is None and len(alike(call, asked)) > 1 else ""


def _own(call: Call) -> Filled:
    """The table in the address. Raises Refusal where it is another's, or gone."""
    found = call.service.store.read(sheets.kept, call.number("sheet"), call.who.person)
    if found is None or found[0] != call.number("assignment"):
        raise Refusal(404, Text(id="export-gone"))
    return found[1]
