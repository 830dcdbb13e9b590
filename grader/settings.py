"""One typed Settings: defaults < `grader.toml` or `[tool.grader]` < environment < command line."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from grader.errors import UsageError
from grader.limits import ChosenLimits
from grader.model import Language, SandboxChoice

ENVIRONMENT_PREFIX = "GRADER_"

# What all generators take as a seed.
Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Settings(ChosenLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a grading depends on besides the submission and the exercise.

    seed: fixes the random numbers of the run and the hidden data.
    language: of messages and reports; None means the locale's.
    course: folder that holds `exercises/` and `reference/`; None means the one that came with grader.
    secret: the hidden data follow from it as well, so that who has the course cannot work them out; the same
    secret on two machines gives the same grades.
    sandbox: how kernels are confined; "auto" is the best that this machine can do, "none" not at all.

    The limits are those of `grader.model.Limits`; one that is not set is the exercise's, or the default.
    """

    seed: Seed = 0
    language: Language | None = None
    course: str | None = None
    secret: str = ""
    sandbox: SandboxChoice = "auto"


class _Tool(msgspec.Struct):
    grader: dict[str, Any] = {}


class _Pyproject(msgspec.Struct):
    """What is read of a pyproject.toml."""

    tool: _Tool = msgspec.field(default_factory=_Tool)


def load_settings(folder: Path, environment: Mapping[str, str] = os.environ, **chosen: object) -> Settings:
    """Merge the four sources, later ones winning; `chosen` holds what the command line gave (None: nothing).

    Raises UsageError where a file cannot be parsed or a value has the wrong type.
    """
    try:
        merged = _from_files(folder)
        for name in Settings.__struct_fields__:
            if (value := environment.get(ENVIRONMENT_PREFIX + name.upper())) is not None:
                merged[name] = value
        merged.update({name: value for name, value in chosen.items() if value is not None})
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError("settings-invalid", reason=str(error)) from None


def _from_files(folder: Path) -> dict[str, Any]:
    """Read grader.toml or, where there is none, `[tool.grader]` in pyproject.toml."""
    if (path := folder / "grader.toml").is_file():
        return _read_toml(path)
    if (path := folder / "pyproject.toml").is_file():
        return msgspec.convert(_read_toml(path), _Pyproject).tool.grader
    return {}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError("settings-unreadable", path=str(path), reason=str(error)) from None
