"""What surrounds every command: its settings and language, and errors as one line with an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from grader.errors import GraderError
from grader.model import Language
from grader.options import LanguageChoice
from grader.settings import Settings, load_settings
from grader.text import spoken_in


@contextmanager
def answering(
    language: LanguageChoice | None, course: str | None, seed: int | None = None
) -> Iterator[tuple[Settings, Language]]:
    """Give the settings and the language; turn an error that is the user's to mend into one line and its exit code."""
    spoken = spoken_in(language)
    try:
        settings = load_settings(Path.cwd(), language=language, course=course, seed=seed)
        spoken = spoken_in(settings.language)
        yield settings, spoken
    except GraderError as error:
        from grader.report.writer import complain  # noqa: PLC0415 - rich is imported when there is something to say

        complain(error, spoken)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
