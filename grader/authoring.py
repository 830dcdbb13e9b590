"""Writes a new exercise into a course: a small real one, which its author turns into another.

Its files stand in `grader/templates/exercise/`, in which `$slug` and the like are filled in.
"""

import json
import keyword
import re
from importlib import resources
from pathlib import Path
from string import Template

from grader.errors import UsageError

# Also the name of a Python module; as long as a notebook may name its exercise.
SLUG = re.compile(r"[a-z][a-z0-9_]{0,99}")
TITLES = {"en": "How far does a spring stretch?", "zh": "弹簧会伸长多少？"}


def course_for_new(chosen: str | None) -> Path:
    """The course that a new exercise goes into: the chosen one, which need not be there yet, else the current folder.

    Raises UsageError if the current folder is no course.
    """
    if chosen is None and not Path("exercises").is_dir():
        raise UsageError("course-not-here", path=str(Path.cwd()))
    return Path(chosen or ".")


def new_exercise(course: Path, slug: str, title: str | None = None) -> list[Path]:
    """Write an exercise of that name, with a title for both languages if one is given; returns the files.

    Raises UsageError, before anything is written, for a name or title that cannot be, or a file that is there already.
    """
    if not SLUG.fullmatch(slug) or keyword.iskeyword(slug):
        raise UsageError("slug-unusable", slug=slug, like=_like(slug))
    titles = TITLES if title is None else dict.fromkeys(TITLES, title)
    if not all(text.strip() and text.isprintable() for text in titles.values()):
        raise UsageError("title-unusable")
    filled = {
        "slug": slug,
        **{f"title_{language}": text for language, text in titles.items()},
        # What JSON writes of a printable text is TOML as well.
        **{f"toml_{language}": json.dumps(text, ensure_ascii=False) for language, text in titles.items()},
    }
    contents = {path: Template(_template(name)).substitute(filled) for name, path in _paths(course, slug)}
    for path in contents:
        if path.exists() or path.is_symlink():
            raise UsageError("exercise-file-exists", path=str(path))
    for path, content in contents.items():
        _write(path, content)
    return [*contents]


def _paths(course: Path, slug: str) -> list[tuple[str, Path]]:
    """Each template, and the file that is made from it."""
    folder = course / "exercises" / slug
    names = ("exercise.toml", "task.en.md", "task.zh.md", "checks.py")
    return [*((name, folder / name) for name in names), ("reference.py", course / "reference" / f"{slug}.py")]


def _template(name: str) -> str:
    return resources.files("grader").joinpath("templates", "exercise", f"{name}.txt").read_text("utf-8")


def _like(slug: str) -> str:
    """A name like the one that was asked for, which can be."""
    plain = re.sub(r"[^a-z0-9]+", "_", slug.lower()).strip("_0123456789")
    return plain[:50] if SLUG.fullmatch(plain) and not keyword.iskeyword(plain) else "fit_a_spring"


def _write(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        if path.exists():
            raise UsageError("exercise-file-exists", path=str(path)) from None
        reason = error.strerror or ""
        raise UsageError("exercise-file-not-written", path=str(path), reason=reason) from None
