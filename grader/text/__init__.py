"""The sentences that people read, one file per language; ids and parameters are the same in each."""

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from grader.model import Language


@cache
def catalogue(language: Language) -> dict[str, str]:
    """All sentences of a language, by id."""
    return tomllib.loads(resources.files(__name__).joinpath(f"{language}.toml").read_text("utf-8"))


def spoken_in(chosen: str | None) -> Language:
    """The chosen language, else the locale's, by the variables that gettext reads."""
    if chosen is None:
        names = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
        chosen = next((value for name in names if (value := os.environ.get(name))), "en")
    return "zh" if chosen.startswith("zh") else "en"


def say(id: str, language: Language, params: Mapping[str, object] | None = None) -> str:
    """Word a sentence. Numbers are rounded to what a reader can use. Raises KeyError for an unknown id."""
    return catalogue(language)[id].format(**shown(params or {}))


def shown(params: Mapping[str, object]) -> dict[str, object]:
    """Parameters as they are shown: floats with five significant digits, the rest as they are."""
    return {name: _number(value) if isinstance(value, float) else value for name, value in params.items()}


def _number(value: float) -> str:
    text = f"{value:.5g}"
    return text.replace("-", "−") if not text.startswith(("inf", "nan", "-inf")) else text
