"""folder → Exercise: what a course's `exercises/<slug>/` and `reference/<slug>.py` hold."""

import importlib.util
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, TypedDict

import msgspec

from grader.errors import CourseError, UsageError
from grader.limits import ChosenLimits
from grader.model import Language, Watched

PACKAGE = Path(__file__).parent


class Wording(TypedDict):
    """A sentence in each language."""

    en: str
    zh: str


class CheckText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sentence of a check in the languages other than that of its docstring."""

    zh: str


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names (and functions, for what they return) of which every version is kept for the checks."""

    names: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    at_least: int = 1


class FittedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of an exercise that fits a line: the names of its data and parameters, and the descent that reports draw beside the learner's.

    rate, steps: the learning rate and number of full-batch steps of that descent.
    """

    x: str
    y: str
    slope: str
    intercept: str
    rate: float
    steps: Annotated[int, msgspec.Meta(ge=1, le=20_000)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`exercise.toml`, field by field.

    version: raised when a change of the checks can change a grade.
    title: by language. names: what the checks read from a finished run.
    checks: the sentences of the checks. text: sentences for `fail` and `skip`, by id and language.
    limits: those that differ from the defaults; settings go before them.
    line: what reports draw of an exercise that fits a line.
    reference_seconds: how long the reference runs on an ordinary machine; bounds what proving a mistake may cost.
    """

    version: int
    title: Wording
    names: tuple[str, ...]
    checks: dict[str, CheckText]
    watch: Watch = Watch()
    text: dict[str, Wording] = {}
    limits: ChosenLimits = ChosenLimits()
    line: FittedLine | None = None
    reference_seconds: float = 1.0


class Exercise(msgspec.Struct, frozen=True):
    """One exercise of a course."""

    slug: str
    folder: Path
    reference: Path
    manifest: Manifest

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the checks read from a finished run."""
        return self.manifest.names

    @property
    def watched(self) -> Watched | None:
        """What of a run is kept in all its versions; versions hold at least `at_least` numbers."""
        watch = self.manifest.watch
        if not watch.names and not watch.returns:
            return None
        return Watched(names=watch.names, returns=watch.returns, at_least=watch.at_least)

    @property
    def checks(self) -> Path:
        """The pytest file."""
        return self.folder / "checks.py"

    @property
    def starter(self) -> Path:
        """The notebook that learners start from."""
        return self.folder / "starter.ipynb"

    def task(self, language: Language) -> str:
        """The task text, in Markdown."""
        return (self.folder / f"task.{language}.md").read_text("utf-8")

    def text(self, id: str, language: Language, params: Mapping[str, object]) -> str | None:
        """A sentence of this exercise; None if it has none of that id."""
        wording = self.manifest.text.get(id)
        return None if wording is None else wording[language].format(**params)


def course_folder(chosen: str | None) -> Path:
    """The folder with `exercises/` and `reference/`: the chosen one, else the one that came with grader.

    An installed wheel carries it inside the package; in a checkout it stands beside the package.
    """
    if chosen is not None:
        folder = Path(chosen)
        if not (folder / "exercises").is_dir():
            raise UsageError("course-missing", path=chosen)
        return folder
    inside = PACKAGE / "course"
    return inside if inside.is_dir() else PACKAGE.parent


def slugs(course: Path) -> list[str]:
    """The exercises of a course, by folder name."""
    return sorted(path.parent.name for path in (course / "exercises").glob("*/exercise.toml"))


def load_exercise(course: Path, slug: str) -> Exercise:
    """Read one exercise. Raises UsageError if there is none of that name, CourseError if it is malformed."""
    if slug not in slugs(course):
        raise UsageError("exercise-unknown", exercise=slug, known=", ".join(slugs(course)))
    folder = course / "exercises" / slug
    try:
        manifest = msgspec.convert(tomllib.loads((folder / "exercise.toml").read_text("utf-8")), Manifest)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CourseError("exercise-malformed", exercise=slug, reason=str(error)) from None
    return Exercise(
        slug=slug, folder=folder, reference=course / "reference" / f"{slug}.py", manifest=manifest
    )


def load_reference(exercise: Exercise) -> ModuleType:
    """Import the reference solution, once per process; it is trusted, and runs in this process."""
    if not exercise.reference.is_file():
        raise CourseError("reference-missing", exercise=exercise.slug, path=str(exercise.reference))
    return _import_file(exercise.reference.resolve())


@cache
def _import_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
