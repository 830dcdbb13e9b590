"""Which learning platform a folder or zip is from, and who handed in what.

The latest attempt of a student counts; the others are kept with it. A file whose name says nothing, and an entry that an
archive cannot be trusted with, costs a line of its own.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import NamedTuple

from grader.errors import UnreadableSubmission, UsageError
from grader.lms import systems
from grader.lms.attempts import Attempt
from grader.lms.systems.nbgrader import SUBMITTED
from grader.lms.trees import Leaf, leaves
from grader.load import MAX_BYTES, MODULE_SUFFIX, NOTEBOOK_SUFFIX

PLAIN = "plain"
WANTED = (NOTEBOOK_SUFFIX, MODULE_SUFFIX)


class Turned(NamedTuple):
    """An attempt and its file."""

    attempt: Attempt
    leaf: Leaf


class Student(NamedTuple):
    """What one student handed in: the latest first."""

    id: str
    name: str
    turned_in: tuple[Turned, ...]


class Collected(NamedTuple):
    """What a folder or zip holds. system: the platform that it is from; strays: files of nobody, with the reason."""

    system: str
    students: tuple[Student, ...]
    strays: tuple[UnreadableSubmission, ...]


def names() -> list[str]:
    """The platforms that are known, the one that takes all last."""
    found = {module.name for module in pkgutil.iter_modules(systems.__path__)}
    return [*sorted(found - {PLAIN}), PLAIN]


@cache
def system(name: str) -> ModuleType:
    """The module of a platform. Raises UsageError for a name that is not known."""
    if name not in names():
        raise UsageError("system-unknown", name=name, known=", ".join(names()))
    return importlib.import_module(f"{systems.__name__}.{name}")


def collect(root: Path, assignment: str, chosen: str | None = None) -> Collected:
    """Find who handed in what in a folder or zip.

    assignment: the one that counts where there are several; chosen: the name of the platform, where it cannot be told.
    Raises UsageError if there is nothing to grade, or such a platform or assignment is not known.
    """
    found = list(leaves(root, WANTED, MAX_BYTES))
    files = [file for file in found if isinstance(file, Leaf)]
    strays = [file for file in found if not isinstance(file, Leaf)]
    name, paths = _recognised(_below(root, [file.path for file in files]), chosen)
    attempts = [system(name).attempt(path) for path in paths]
    turned = [Turned(attempt, file) for attempt, file in zip(attempts, files, strict=True) if attempt]
    strays += [
        UnreadableSubmission("file-of-nobody", path=file.shown, system=name)
        for attempt, file in zip(attempts, files, strict=True)
        if attempt is None
    ]
    if not turned:
        raise UsageError("batch-empty", path=str(root))
    return Collected(name, tuple(_students(_of_assignment(turned, root, assignment))), tuple(strays))


def _below(root: Path, paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """The paths with the folder's own name in front where that says what they are."""
    return [PurePosixPath(SUBMITTED, path) for path in paths] if root.name == SUBMITTED else list(paths)


def _recognised(paths: list[PurePosixPath], chosen: str | None) -> tuple[str, list[PurePosixPath]]:
    """The platform, and the paths as it made them: some archives have one more folder around everything."""
    known = names() if chosen is None else [chosen]
    while True:
        for name in known:
            if system(name).claims(paths):
                return name, paths
        inner = _without_wrapper(paths)
        if inner is None:
            return chosen or PLAIN, paths
        paths = inner


def _without_wrapper(paths: Sequence[PurePosixPath]) -> list[PurePosixPath] | None:
    """The paths below the one folder that all are in; None where there is none, or it is a student's."""
    if len({path.parts[0] for path in paths}) != 1 or any(len(path.parts) == 1 for path in paths):
        return None
    notebooks = [path for path in paths if path.suffix.lower() == NOTEBOOK_SUFFIX]
    if len(notebooks) < 2 and any(len(path.parts) == 2 for path in paths):  # noqa: PLR2004 - one notebook, and what belongs to it
        return None
    return [PurePosixPath(*path.parts[1:]) for path in paths]


def _of_assignment(turned: list[Turned], root: Path, assignment: str) -> list[Turned]:
    there = sorted({file.attempt.assignment for file in turned})
    if len(there) == 1:
        return turned
    if assignment not in there:
        raise UsageError("batch-assignments", path=str(root), known=", ".join(there), wanted=assignment)
    return [file for file in turned if file.attempt.assignment == assignment]


def _students(turned: list[Turned]) -> Iterator[Student]:
    by_student: dict[str, list[Turned]] = {}
    for file in turned:
        by_student.setdefault(file.attempt.student, []).append(file)
    for id, files in sorted(by_student.items()):
        files.sort(key=_lateness, reverse=True)
        yield Student(id, files[0].attempt.name, tuple(files))


def _lateness(file: Turned) -> tuple[tuple[int, ...], bool, int, float]:
    """What orders the files of a student: the attempt; in one attempt a notebook before a module, then the later one."""
    notebook = file.leaf.path.suffix.lower() == NOTEBOOK_SUFFIX
    return file.attempt.order, notebook, file.attempt.number, file.leaf.modified
