"""folder → Exercise: what a course's `exercises/<slug>/` and `reference/<slug>.py` hold."""

import hashlib
import importlib.util
import os
import tomllib
import traceback
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, TypedDict, TypeVar

import msgspec

from grader.errors import CourseError, UsageError
from grader.limits import ChosenLimits
from grader.model import Language, Watched

PACKAGE = Path(__file__).parent
T = TypeVar("T")

# Why a mistake is not named.
Reason = Annotated[str, msgspec.Meta(min_length=1)]


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


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number that training should find: how near to it a typed one is told of, and what training starts from instead."""

    value: float
    near: float
    start: float


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`exercise.toml`, field by field.

    version: a number for people, raised when a change of the checks can change a grade; `grader.conditions` tells by itself.
    title: by language. names: what the checks read from a finished run.
    checks: the sentences of the checks. text: sentences for `fail` and `skip`, by id and language.
    limits: those that differ from the defaults; settings go before them.
    answers: the numbers that training should find, by their names; all of them typed in is a mistake that is named.
    line: what reports draw of an exercise that fits a line.
    known_misses: mistakes that the self-test plants here and grader does not name, with the reason.
    reference_seconds: how long the reference runs on an ordinary machine; bounds what proving a mistake may cost.
    """

    version: int
    title: Wording
    names: tuple[str, ...]
    checks: dict[str, CheckText]
    watch: Watch = Watch()
    text: dict[str, Wording] = {}
    limits: ChosenLimits = ChosenLimits()
    answers: dict[str, Answer] = {}
    line: FittedLine | None = None
    known_misses: dict[str, Reason] = {}
    reference_seconds: float = 1.0


# The entries of these tables are converted one by one first: msgspec says of a table only that something is wrong in it.
TABLES: dict[str, Any] = {"checks": CheckText, "text": Wording, "answers": Answer, "known_misses": Reason}


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


def course_from(folder: Path, chosen: str | None) -> str | None:
    """The chosen course as it is named from another folder; None where none is chosen."""
    return None if chosen is None else Path(os.path.relpath(chosen, folder)).as_posix()


def slugs(course: Path) -> list[str]:
    """The exercises of a course, by folder name. Raises CourseError if it has none."""
    found = sorted(path.parent.name for path in (course / "exercises").glob("*/exercise.toml"))
    if not found:
        raise CourseError("course-empty", path=str(course))
    return found


def load_exercise(course: Path, slug: str) -> Exercise:
    """Read one exercise. Raises UsageError if there is none of that name, CourseError if it is malformed, or the course has none at all."""
    if slug not in (known := slugs(course)):
        raise UsageError("exercise-unknown", exercise=slug, known=", ".join(known))
    folder = course / "exercises" / slug
    return Exercise(
        slug=slug,
        folder=folder,
        reference=course / "reference" / f"{slug}.py",
        manifest=_manifest(folder / "exercise.toml"),
    )


def sha256_of(path: Path) -> bytes:
    """The SHA-256 of a file; that of nothing where an exercise has none."""
    return hashlib.sha256(path.read_bytes() if path.is_file() else b"").digest()


def _manifest(path: Path) -> Manifest:
    try:
        return _parsed(path.read_text("utf-8"))
    except OSError as error:
        raise CourseError("exercise-malformed", path=str(path), reason=error.strerror or "") from None
    except ValueError as error:  # of UTF-8, of TOML, of what an exercise is
        raise CourseError("exercise-malformed", path=str(path), reason=str(error)) from None


@lru_cache(maxsize=64)
def _parsed(text: str) -> Manifest:
    """Raises ValueError. A service asks for the same few again and again."""
    content = tomllib.loads(text)
    for table, of in TABLES.items():
        for name, entry in _entries(content.get(table)):
            _converted(entry, of, f"[{table}] {name}: ")
    return _converted(content, Manifest)


def _entries(table: object) -> Iterable[tuple[str, object]]:
    return table.items() if isinstance(table, dict) else ()


def _converted(content: object, of: type[T], where: str = "") -> T:
    """Raises ValueError that says where."""
    try:
        return msgspec.convert(content, of)
    except msgspec.ValidationError as error:
        said, _, place = str(error).partition(" - at ")
        place = place.strip("`").removeprefix("$").removeprefix(".")
        raise ValueError(f"{where}{said}{f' (in {place})' if place else ''}") from None


def load_reference(exercise: Exercise) -> ModuleType:
    """Import the reference solution, once per process until it is changed; it is trusted, and runs in this process.

    Raises CourseError if it is not there, or stops with an error.
    """
    if not exercise.reference.is_file():
        raise CourseError("reference-missing", exercise=exercise.slug, path=str(exercise.reference))
    try:
        content = hashlib.sha256(exercise.reference.read_bytes()).hexdigest()
        return _import_file(exercise.reference.resolve(), content)
    except Exception as error:  # noqa: BLE001 - an author's module may stop with any
        place = place_in(exercise.reference, error)
        raise CourseError("reference-broken", path=place, reason=type(error).__name__) from None


def place_in(file: Path, error: BaseException) -> str:
    """A file, with the line in it from which an exception came, if it did."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename) == file.resolve()
    ]
    if isinstance(error, SyntaxError) and error.filename == str(file.resolve()):
        lines.append(error.lineno)
    return f"{file}, line {lines[-1]}" if lines else str(file)


@cache
def _import_file(path: Path, content: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
