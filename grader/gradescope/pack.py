"""The zip that Gradescope takes: `setup.sh`, `run_autograder`, grader as a wheel, one exercise, its settings.

A container there has 768 MB of memory and half a core, and grades one submission. So the limits are the exercise's own or
the teacher's, with times for a core that is half as fast, and with no more memory than is left beside grader itself.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from string import Template

import msgspec

from grader.errors import CourseError, UsageError
from grader.exercise import Exercise
from grader.gradescope.pins import constraints
from grader.gradescope.wheel import entry, own_wheel
from grader.limits import merged
from grader.model import Language, Limits
from grader.settings import Settings

SCRIPTS = ("setup.sh", "run_autograder")
PINS, SETTINGS, COURSE = "constraints.txt", "grader.toml", "course"
# A core of which there is half takes twice as long by the clock; processor time stays what it is.
SLOWER = 2.0
# Of 768 MB, what grader, PyTorch and its libraries leave to a submission (docs/gradescope.md has the figures).
MEMORY_MB = 448
SCRATCH_MB = 64
# Where pip looks for PyTorch, as it goes into a script of the shell.
ADDRESS = re.compile(r"https://[\w.:/~%+-]+")
CACHES = "__pycache__"


def autograder(exercise: Exercise, settings: Settings, language: Language, torch_index: str | None) -> bytes:
    """The zip. torch_index: where pip finds PyTorch, None for where it finds everything else.

    Raises UsageError for an index that is no https address, CourseError for a file of the exercise that cannot be read.
    """
    if torch_index is not None and not ADDRESS.fullmatch(torch_index):
        raise UsageError("torch-index-malformed", address=torch_index)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in SCRIPTS:
            script = _template(name).substitute(slug=exercise.slug, torch_index=torch_index or "")
            archive.writestr(entry(name, 0o755), script)
        archive.writestr(entry(PINS), constraints())
        archive.writestr(entry(SETTINGS, 0o600), _settings(exercise, settings, language))
        archive.writestr(*_entry(own_wheel()))
        for name, content in _course(exercise):
            archive.writestr(entry(f"{COURSE}/{name}", 0o600), content)
    return packed.getvalue()


def limits_there(exercise: Exercise, settings: Settings) -> Limits:
    """The limits in force in such a container."""
    own = merged(exercise.manifest.limits, settings)
    return msgspec.structs.replace(
        own,
        cell_seconds=SLOWER * own.cell_seconds,
        run_seconds=SLOWER * own.run_seconds,
        memory_mb=min(own.memory_mb or MEMORY_MB, MEMORY_MB),
        scratch_mb=min(own.scratch_mb, SCRATCH_MB),
    )


def _settings(exercise: Exercise, settings: Settings, language: Language) -> bytes:
    """All settings that a grade there depends on, the secret among them: nothing of the container's surroundings decides."""
    chosen = {
        "course": COURSE,
        "language": language,
        "sandbox": "container",
        "seed": settings.seed,
        "secret": settings.secret,
        **msgspec.structs.asdict(limits_there(exercise, settings)),
    }
    # What JSON writes of such a value is TOML as well.
    lines = (f"{name} = {msgspec.json.encode(value).decode()}\n" for name, value in chosen.items())
    return "".join(lines).encode()


def _course(exercise: Exercise) -> Iterator[tuple[str, bytes]]:
    try:
        yield f"reference/{exercise.slug}.py", exercise.reference.read_bytes()
        for path in sorted(exercise.folder.rglob("*")):
            inside = path.relative_to(exercise.folder)
            if path.is_file() and not any(part == CACHES or part.startswith(".") for part in inside.parts):
                yield f"exercises/{exercise.slug}/{inside.as_posix()}", path.read_bytes()
    except OSError as error:
        path = Path(error.filename or exercise.folder)
        raise CourseError("exercise-malformed", path=str(path), reason=error.strerror or "") from None


def _entry(file: tuple[str, bytes]) -> tuple[zipfile.ZipInfo, bytes]:
    return entry(file[0]), file[1]


def _template(name: str) -> "_Script":
    """A script; `%%` begins what is filled in, since `$` is the shell's."""
    return _Script(
        resources.files("grader").joinpath("templates", "gradescope", f"{name}.txt").read_text("utf-8")
    )


class _Script(Template):
    delimiter = "%%"
