"""The files that a learning platform takes back: which of its tables is filled in, and by whom."""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from types import ModuleType

from grader.errors import UsageError
from grader.grades import Grade
from grader.lms import uploads
from grader.lms.filling import Filled, Task
from grader.lms.sheets import Sheet


def names() -> list[str]:
    """The platforms that take a file of their own; for the others `grades.csv` is what there is."""
    return sorted(module.name for module in pkgutil.iter_modules(uploads.__path__))


def titles() -> dict[str, str]:
    """What these platforms are called, by name."""
    return {name: platform(name).TITLE for name in names()}


@cache
def platform(name: str) -> ModuleType:
    """The module of a platform. Raises UsageError for a name that is not known."""
    if name not in names():
        raise UsageError("system-unknown", name=name, known=", ".join(names()))
    return importlib.import_module(f"{uploads.__name__}.{name}")


def fill(name: str, table: Sheet | None, grades: Sequence[Grade], task: Task) -> Filled:
    """Make the files for a platform from the table that it gave out, if it gives one; none where that is missing.

    Raises UsageError if the table is not the platform's, or has no column for the exercise. With no grades, it tries just that.
    """
    module = platform(name)
    if module.FROM_TABLE and table is None:
        return Filled()
    filled: Filled = module.fill(table, grades, task)
    return filled
