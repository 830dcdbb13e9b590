"""Where each format of a request is written: the screen, a file, or a file for each submission in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from grader.errors import UsageError
from grader.report.discovery import TERMINAL, Format, format_of

WHOLE = "report"


class Place(NamedTuple):
    """Where one format goes: into a file, or with a folder alone into a file for each submission; with neither, the screen."""

    format: Format
    file: Path | None = None
    folder: Path | None = None


def places(names: Sequence[str], output: Path | None, *, several: bool) -> list[Place]:
    """The place of each format.

    One format goes to the screen, or to the file (or into the folder) that `output` names. With several, those for people stay on
    the screen; one that is left is written as if it were alone, more of them into the folder `output`. Raises UsageError for what
    does not fit together.
    """
    formats = [format_of(name) for name in dict.fromkeys(names)]
    written = [each for each in formats if each.name != TERMINAL] if len(formats) > 1 else formats
    if output is None:
        _demand_screen(formats, several=several)
        return [Place(formats[0])]
    on_screen = [Place(each) for each in formats if each not in written]
    return on_screen + _in_output(written, output, several=several)


def _demand_screen(formats: Sequence[Format], *, several: bool) -> None:
    if len(formats) > 1:
        raise UsageError("formats-need-output", formats=", ".join(each.name for each in formats))
    if several and not formats[0].joins:
        raise UsageError("format-needs-folder", format=formats[0].name)


def _in_output(formats: Sequence[Format], output: Path, *, several: bool) -> list[Place]:
    needs_folder = len(formats) > 1 or (several and not formats[0].joins)
    if not needs_folder and not output.is_dir():
        return [Place(formats[0], output)]
    if output.exists() and not output.is_dir():
        raise UsageError("output-not-folder", path=str(output))
    return [_in_folder(each, output, several=several) for each in formats]


def _in_folder(format: Format, folder: Path, *, several: bool) -> Place:
    if several and not format.joins:
        return Place(format, folder=folder)
    return Place(format, folder / f"{WHOLE}{format.suffix(together=several)}", folder)
