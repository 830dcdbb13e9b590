"""Writes what a batch leaves behind into a folder: tables, JSON, the reports, the page of the class, and what the platform takes back."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from grader.errors import GraderError, UsageError
from grader.exercise import Exercise
from grader.grades import Grade
from grader.lms import upload
from grader.lms.roster import read_roster, with_roster
from grader.lms.sheets import read_sheet
from grader.model import Language, Text, said_by
from grader.outcome.brief import Brief, brief
from grader.outcome.placing import as_bytes, put
from grader.outcome.reports import Press, report_path, write_reports
from grader.outcome.table import grades_table
from grader.outcome.tasks import task_of
from grader.report import overview
from grader.report.overview import document as overviews
from grader.report.overview.pairs import source
from grader.similarity import Group, groups
from grader.starter import given_code

FEEDBACK = "moodle-feedback.zip"
IN_FEEDBACK = "report.html"
# Pages of two solutions side by side; a class that shares one file has a page for each further student.
MOST_PAGES = 500


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a teacher gave beside the submissions.

    system: the platform that they are from. sheet: its gradebook export or worksheet, to be filled in; column: of which
    assignment, where it cannot be told. roster: who is in the class.
    """

    system: str = "plain"
    sheet: Path | None = None
    column: str | None = None
    roster: Path | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were written, and what has to be said about them."""

    files: tuple[Path, ...]
    notes: tuple[Text, ...]


def write_all(  # noqa: PLR0913, PLR0917 - the grades, and all that files are made from besides
    folder: Path,
    grades: Iterable[Grade],
    exercise: Exercise,
    language: Language,
    given: Given | None = None,
    press: Press | None = None,
) -> Written:
    """Write everything; the folder is made if need be, and files of an earlier batch in it are replaced.

    press: who makes the reports' pages, if not this process.

    The grades are taken once, in any order; tables have them by student. Raises CourseError if the exercise's starter cannot be read,
    and UsageError if the folder cannot be written, or a given table cannot be read; what the platform's table lacks is a note,
    for by then the grades are known.
    """
    given = given or Given()
    roster = None if given.roster is None else read_roster(given.roster)
    try:
        briefs, files = _each_page(folder, grades, exercise, language, press)
        known = [one.grade for one in briefs]
        everyone = known if roster is None else with_roster(known, roster)
        files += _files(folder, everyone, briefs, exercise, language)
        uploaded, notes = _upload(folder, everyone, exercise, language, given)
    except OSError as error:
        raise UsageError(
            "file-not-written", path=str(error.filename or folder), reason=error.strerror or ""
        ) from None
    return Written(files=(*files, *uploaded), notes=tuple(notes))


def try_table(exercise: Exercise, given: Given) -> None:
    """Raise UsageError if the given tables could not be filled in or read: worth knowing before a night of grading."""
    if given.roster is not None:
        read_roster(given.roster)
    if given.sheet is not None:
        if given.system not in upload.names():
            raise UsageError("sheet-of-no-platform", path=str(given.sheet), known=", ".join(upload.names()))
        upload.fill(given.system, read_sheet(given.sheet), (), task_of((), exercise, "en", given.column))


def _each_page(
    folder: Path, grades: Iterable[Grade], exercise: Exercise, language: Language, press: Press | None
) -> tuple[list[Brief], list[Path]]:
    """Write each student's page; the grades in brief, by student, and the pages."""
    briefs, files = list[Brief](), list[Path]()
    for grade, path in write_reports(folder, grades, exercise, language, press):
        if path is not None:
            files.append(path)
        briefs.append(brief(grade))
    return sorted(briefs, key=lambda one: one.grade.student), files


def _files(
    folder: Path, grades: Sequence[Grade], briefs: Sequence[Brief], exercise: Exercise, language: Language
) -> Iterator[Path]:
    """Write what is about the class. grades: of everyone, named as in the roster."""
    yield put(folder / "grades.csv", grades_table(grades, exercise, language))
    solutions = (solution for one in briefs if (solution := one.solution) is not None)
    similar = groups(solutions, given_code(exercise))
    document = overviews.word(grades, exercise, language, similar, _addresses(similar))
    for stale in (folder / "similar").glob("*.html"):
        stale.unlink()
    yield from _pair_pages(folder, document, briefs)
    yield put(folder / "class.json", overviews.render(document))
    yield put(folder / "index.html", as_bytes(overview.render(document)))


# ---- similar solutions --------------------------------------------------------------------------


def _addresses(similar: Sequence[Group]) -> list[list[str | None]]:
    """Where the page of each pair is; identical files have none, for there is nothing to compare."""
    left, found = MOST_PAGES, list[list[str | None]]()
    for number, group in enumerate(similar, start=1):
        own: list[str | None] = []
        for pair in range(1, len(group.pairs) + 1):
            wanted = not group.identical and left > 0
            left -= wanted
            own.append(f"similar/{number}-{pair}.html" if wanted else None)
        found.append(own)
    return found


def _pair_pages(folder: Path, document: overviews.Document, briefs: Sequence[Brief]) -> Iterator[Path]:
    of = {overviews.encodable(one.grade.student): one for one in briefs}
    names = {student.student: overview.called(student) for student in document.students}
    for group in document.similar:
        for pair in group.pairs:
            if pair.page is None:
                continue
            left, right = of[pair.one].solution, of[pair.other].solution
            if left is not None and right is not None:
                called = names[pair.one], names[pair.other]
                page = overview.render_pair(
                    source(left.cells), source(right.cells), pair, called, document.language
                )
                yield put(folder / pair.page, as_bytes(page))


# ---- what the platform takes back ---------------------------------------------------------------


def _upload(
    folder: Path, grades: Sequence[Grade], exercise: Exercise, language: Language, given: Given
) -> tuple[list[Path], list[Text]]:
    if given.system not in upload.names():
        return [], []
    try:
        table = None if given.sheet is None else read_sheet(given.sheet)
        filled = upload.fill(given.system, table, grades, task_of(grades, exercise, language, given.column))
    except GraderError as error:
        return [], [said_by(error)]
    files = [put(folder / name, content) for name, content in filled.files.items()]
    if filled.feedback:
        files.append(_feedback(folder, filled.feedback))
    return files, list(filled.notes)


def _feedback(folder: Path, feedback: dict[str, str]) -> Path:
    """The zip of the reports that were just written, from disk, so that a class of thousands does not have to fit into memory."""
    path, beside = folder / FEEDBACK, folder / f".{FEEDBACK}"
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, own in feedback.items():
            archive.write(report_path(folder, student), f"{own}/{IN_FEEDBACK}")
    beside.replace(path)
    return path
