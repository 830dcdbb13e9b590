"""The formats that there are: the modules of `grader.report.formats`."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from grader.errors import UsageError
from grader.model import Language, Report
from grader.report import formats

if TYPE_CHECKING:  # the command line lists the formats before it needs one
    from grader.report.document import Document

TERMINAL = "terminal"


class Format:
    """One format; what its module owes is told in `grader.report.formats`."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self._module = module
        self.words: Mapping[Language, str] = module.WORDS

    @property
    def docs(self) -> str:
        """What it is for, as Markdown."""
        return (self._module.__doc__ or "").strip()

    @property
    def joins(self) -> bool:
        """Whether several reports make one text; else each has a file of its own."""
        return hasattr(self._module, "part")

    @property
    def scores(self) -> bool:
        """Whether whoever reads it waits for points."""
        return bool(getattr(self._module, "SCORES", False))

    def suffix(self, *, together: bool = False) -> str:
        """What the name of a file ends in, of one report or of several together."""
        own = str(self._module.SUFFIX)
        return str(getattr(self._module, "SUFFIX_TOGETHER", own)) if together else own

    @property
    def draws(self) -> bool:
        """Whether it shows more than words, the learner's own figures among it."""
        return bool(getattr(self._module, "DRAWS", False))

    def render(self, document: "Document", report: Report | None = None) -> str:
        """One report as a whole text."""
        if self.draws:
            return str(self._module.render(document, report))
        return str(self._module.render(document))

    def part(self, document: "Document") -> str:
        """A report as one of several."""
        return str(self._module.part(document))

    @property
    def head(self) -> str:
        """What stands before several reports."""
        return str(getattr(self._module, "HEAD", ""))

    @property
    def tail(self) -> str:
        """What stands after several reports."""
        return str(getattr(self._module, "TAIL", ""))


def names() -> list[str]:
    """The names of the formats, the one for people first."""
    found = {module.name for module in pkgutil.iter_modules(formats.__path__)}
    return [TERMINAL, *sorted(found - {TERMINAL})]


@cache
def format_of(name: str) -> Format:
    """One format; only its own module is imported. Raises UsageError for a name that is not known."""
    if name not in names():
        raise UsageError("format-unknown", name=name, known=", ".join(names()))
    return Format(name, importlib.import_module(f"{formats.__name__}.{name}"))
