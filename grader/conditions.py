"""What a grade depends on besides the file handed in, as one digest: where it is the same, the same grade is given."""

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import msgspec

from grader import __version__
from grader.errors import CourseError
from grader.exercise import Exercise
from grader.limits import merged
from grader.settings import Settings

CACHES = "__pycache__"
WORD = b"grader: the secret of a grading"


def conditions(exercise: Exercise, settings: Settings) -> str:
    """A digest, in hexadecimal, of what an exercise's grades depend on: grader, the exercise's files, the limits in force, seed, secret.

    Where the course lies does not count, nor do caches and hidden files. Nothing can be read back out of it. Raises CourseError
    for a file that cannot be read.
    """
    parts = {
        "grader": __version__,
        "exercise": exercise.slug,
        "files": list(_files(exercise)),
        "limits": merged(exercise.manifest.limits, settings),
        "seed": settings.seed,
        "secret": _digest_of_secret(settings.secret),
    }
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _files(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Name and digest of each file: the reference, then those in the exercise's folder."""
    try:
        if exercise.reference.is_file():
            yield "reference", _digest_of_file(exercise.reference)
        for path in sorted(exercise.folder.rglob("*")):
            inside = path.relative_to(exercise.folder)
            if path.is_file() and not any(part == CACHES or part.startswith(".") for part in inside.parts):
                yield f"exercise/{inside.as_posix()!a}", _digest_of_file(path)
    except OSError as error:
        path = error.filename or exercise.folder
        raise CourseError("exercise-malformed", path=str(path), reason=error.strerror or "") from None


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_of_secret(secret: str) -> str:
    """Of a fixed word under the secret as key, so that the secret itself goes nowhere."""
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), WORD, "sha256").hex()
