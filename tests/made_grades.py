"""A class with real reports and made-up, hostile names."""

import msgspec

from grader.errors import KernelFault
from grader.exercise import Exercise, course_folder, load_exercise
from grader.grade import grade, ungradable
from grader.grades import Grade, HandedIn, Override
from grader.kernel.pool import Kernels
from grader.load import load
from grader.model import Report, Text
from grader.settings import Settings
from tests.conftest import CORPUS

SLUG = "linear_regression"
FILES = ("s077.ipynb", "s012.py", "s009.py", "s002.py", "s003.py")
HOSTILE = '=cmd|"/C calc"!A0 \u202eypni\x00<script>alert(1)</script>\nsecond,;line'


def exercise() -> Exercise:
    return load_exercise(course_folder(None), SLUG)


def graded(kernels: Kernels) -> dict[str, Report]:
    """A few corpus files, really graded."""
    return {name: grade(load(CORPUS / SLUG / name), exercise(), Settings(), kernels) for name in FILES}


def one(student: str, name: str, report: Report | None, **fields: object) -> Grade:
    handed = HandedIn(
        file=f"{student}.ipynb",
        path=f"all.zip/{name}_{student}_assignsubmission_file/a.ipynb",
        sha256="" if report is None else report.sha256,
    )
    return msgspec.structs.replace(
        Grade(student=student, name=name, handed_in=handed, report=report), **fields
    )


def a_class(reports: dict[str, Report]) -> list[Grade]:
    """Right and wrong, a copy, an override, ungradable, unreadable, missing, late."""
    right, rebound, cut, doubled, other = reports.values()
    late = HandedIn(file="b.ipynb", path="all.zip/b.ipynb", sha256=doubled.sha256, attempts=3, late=True)
    failed = ungradable("c.ipynb", "c" * 64, SLUG, KernelFault("kernel-lost"))
    return [
        one("101", "Doe, Jane", right),
        one("102", HOSTILE, rebound),
        one("103", "Roe, Richard", cut, override=Override(score=7.5, reason="-ill", when="2026-01-01")),
        one("104", "王小明", doubled, handed_in=late),
        one("105", "Copy, Carl", right),
        one("106", "Own, Olga", other),
        one("107", "Broken, Bea", failed),
        one("108", "Unread, Udo", None, problem=Text(id="file-empty", params={"path": "d.ipynb"})),
        Grade(student="109", name="Missing, Mia"),
    ]
