"""Each student's report as a page of its own."""

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import NamedTuple

import msgspec

from grader import __version__
from grader.exercise import Exercise, course_folder, load_exercise
from grader.grades import Grade
from grader.model import Language, Report
from grader.outcome.names import file_name
from grader.outcome.placing import as_bytes, put
from grader.report.discovery import format_of
from grader.report.document import word

FOLDER = "reports"


def report_path(folder: Path, student: str) -> Path:
    """Where the report of a student is."""
    return folder / FOLDER / f"{file_name(student)}.html"


class Press(NamedTuple):
    """Who makes pages: workers, of which so many pages may be asked at once. course: where they find the exercise."""

    executor: Executor
    at_once: int
    course: str | None


class _Ordered(NamedTuple):
    """A page that is being made. stamp: what its file is to end in."""

    grade: Grade
    path: Path
    stamp: bytes
    page: "Future[bytes]"


def write_reports(
    folder: Path, grades: Iterable[Grade], exercise: Exercise, language: Language, press: Press | None
) -> Iterator[tuple[Grade, Path | None]]:
    """Write the report of each student who has one; gives the grades as they come, with where their reports are.

    A page that is there already is kept; without a press all are made here. Raises OSError.
    """
    under_way = deque[_Ordered]()
    for grade in grades:
        report = grade.report
        if report is None:
            yield grade, None
            continue
        path, stamp = report_path(folder, grade.student), _stamp(report, exercise, language)
        if _ends_in(path, stamp):
            yield grade, path
        elif press is None:
            put(path, _page(report, exercise, language) + stamp)
            yield grade, path
        else:
            packed = msgspec.msgpack.encode(report)
            page = press.executor.submit(page_packed, press.course, language, packed)
            under_way.append(_Ordered(grade, path, stamp, page))
            if len(under_way) >= press.at_once:
                yield _put(under_way.popleft(), exercise, language)
    while under_way:
        yield _put(under_way.popleft(), exercise, language)


def page_packed(course: str | None, language: Language, packed: bytes) -> bytes:
    """What a worker does for a page: from a report in MessagePack."""
    report = msgspec.msgpack.decode(packed, type=Report)
    return _page(report, load_exercise(course_folder(course), report.exercise), language)


def _put(ordered: _Ordered, exercise: Exercise, language: Language) -> tuple[Grade, Path]:
    """Write a page that was asked for; where its worker failed, it is made here, and what is wrong with it shows here."""
    assert ordered.grade.report is not None
    failed = ordered.page.exception() is not None
    page = _page(ordered.grade.report, exercise, language) if failed else ordered.page.result()
    put(ordered.path, page + ordered.stamp)
    return ordered.grade, ordered.path


def _page(report: Report, exercise: Exercise, language: Language) -> bytes:
    return as_bytes(format_of("html").render(word(report, exercise, language), report))


def _stamp(report: Report, exercise: Exercise, language: Language) -> bytes:
    """A comment for the end of a page that tells what it was made from."""
    made_from = as_bytes(f"{__version__} {exercise.slug} {exercise.manifest.version} {language} {report!r}")
    return b"<!-- " + hashlib.sha256(made_from).hexdigest().encode() + b" -->\n"


def _ends_in(path: Path, stamp: bytes) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(stamp), os.SEEK_END)
            return file.read() == stamp
    except OSError:
        return False
