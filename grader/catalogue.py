"""The catalogue of mistakes: the modules of `grader.mistakes`, and those that other packages add.

Another package adds one by an entry point of the group `grader.mistakes` that names its module.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING

import msgspec

from grader import mistakes
from grader.errors import UsageError
from grader.evidence.edits import Edit
from grader.evidence.suspicion import Suspicion, Words
from grader.model import Language

if TYPE_CHECKING:  # reading a case takes numpy, which the command line does without until it must
    from grader.evidence.case import Case

GROUP = "grader.mistakes"
# A part of a mistake's documentation: `- exercise: why it is not named there`.
KNOWN_MISSES = re.compile(r"^## Known misses\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
KNOWN_MISS = re.compile(r"^- (\w+): (.+)$", re.MULTILINE)


class Mistake:
    """One mistake of the catalogue."""

    def __init__(self, name: str, module: ModuleType) -> None:
        self.name = name
        self._module = module
        self.words: Mapping[Language, Words] = module.TEXT

    @property
    def docs(self) -> str:
        """The documentation, as Markdown."""
        return (self._module.__doc__ or "").strip()

    @property
    def known_misses(self) -> dict[str, str]:
        """The exercises in which it is known not to be named, with the reason: the list under `## Known misses`."""
        section = KNOWN_MISSES.search(self.docs + "\n## ")
        return {} if section is None else dict(KNOWN_MISS.findall(section[1]))

    @property
    def accepted(self) -> frozenset[str]:
        """The names that are true of what is planted: its own, and those that say as much."""
        return frozenset({self.name, *getattr(self._module, "ALSO_NAMED", ())})

    @property
    def mends(self) -> bool:
        """Whether there is a repair."""
        return hasattr(self._module, "repair")

    @property
    def tunes(self) -> bool:
        """Whether it is about a number that suits one loop and not another: once another mistake is mended, it is no mistake of its own."""
        return bool(getattr(self._module, "TUNES", False))

    def detect(self, case: "Case") -> list[Suspicion]:
        """What it suspects in a case."""
        return [msgspec.structs.replace(one, mistake=self.name) for one in self._module.detect(case)]

    def repairs(self, case: "Case", suspicion: Suspicion) -> list[list[Edit]]:
        """The ways to mend it, best first."""
        return [list(edits) for edits in self._module.repair(case, suspicion) if edits] if self.mends else []

    @property
    def plantable(self) -> bool:
        """Whether it is known how to put it into a right solution."""
        return hasattr(self._module, "plant")

    def plants(self, case: "Case") -> list[list[Edit]]:
        """The ways to put it into a right solution; none where it cannot be made there."""
        return [list(edits) for edits in self._module.plant(case) if edits] if self.plantable else []


@cache
def all_mistakes() -> dict[str, Mistake]:
    """Every mistake, by its name."""
    modules: dict[str, ModuleType] = {}
    for found in pkgutil.iter_modules(mistakes.__path__):
        modules[found.name.replace("_", "-")] = importlib.import_module(f"{mistakes.__name__}.{found.name}")
    for entry in entry_points(group=GROUP):
        modules[entry.name] = entry.load()
    return {name: Mistake(name, module) for name, module in sorted(modules.items())}


def mistake(name: str) -> Mistake:
    """One mistake. Raises UsageError for a name that is not in the catalogue, with the nearest ones."""
    known = all_mistakes()
    if name not in known:
        raise UsageError("mistake-unknown", name=name, known=", ".join(_nearest(name, known)))
    return known[name]


def _nearest(name: str, known: Iterable[str]) -> list[str]:
    import difflib  # noqa: PLC0415 - only for a message

    return difflib.get_close_matches(name, known, n=3, cutoff=0.3) or sorted(known)
