"""The options and arguments that several commands share, each described once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LanguageChoice(StrEnum):
    """The languages of messages and reports."""

    en = "en"
    zh = "zh"


class Described(StrEnum):
    """What has a schema."""

    report = "report"
    doctor = "doctor"
    class_ = "class"


Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Notebooks (.ipynb), modules (.py), or archives of them (.zip)."),
]
ExerciseOption = Annotated[
    str | None, typer.Option("--exercise", help="The exercise, where the notebook does not name its own.")
]
LanguageOption = Annotated[
    LanguageChoice | None, typer.Option("--language", help="Language of the report; the locale's by default.")
]
CourseOption = Annotated[
    str | None,
    typer.Option("--course", help="Folder with exercises/ and reference/; grader's own by default."),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", help="Write to this file instead of the screen; with several formats, into this folder."
    ),
]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="How to write the report, as `grader formats` lists it; for the terminal by default. May be given several times.",
    ),
]
OpenOption = Annotated[
    bool,
    typer.Option(
        "--open", help="Open the report in the browser, as HTML; without --output, a temporary file of it."
    ),
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Fixes random numbers and hidden data.")]
UnsafeOption = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        help="Run others' files even where nothing isolates them from your files and network.",
    ),
]
WatchOption = Annotated[
    bool, typer.Option("--watch", help="Grade the file again each time it is saved, until Ctrl-C.")
]
# One help for each: a table of the options is read line by line.
Authority = typer.Option(help="For tls://…: the authority that signed the scheduler's certificate, in PEM.")
Certificate = typer.Option(help="For tls://…: this machine's certificate, in PEM.")
Key = typer.Option(
    help="For tls://…: the key of that certificate, in PEM. Without all three, Dask's configuration."
)
UnencryptedOption = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-tls",
        help="Send submissions and grades to another machine in the clear, over a network that nobody else reaches.",
    ),
]
