"""`grader batch`: a class's submissions, graded and written down; what a regrade changed; what a person decided.

Heavy imports wait until a command needs them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer
from typer.core import TyperGroup

from grader.answering import answering
from grader.errors import UsageError
from grader.exercise import course_folder, load_exercise
from grader.model import Language, Text
from grader.options import CourseOption, LanguageOption, SeedOption, UnsafeOption
from grader.text import say

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from grader.round import Tally

GRADEBOOK = "gradebook.sqlite"
# So many more than there are workers are on their way, so that none of them waits.
AHEAD = 2


class _RunByDefault(TyperGroup):
    """`grader batch PATH …` is short for `grader batch run PATH …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name in front where none is given."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_RunByDefault, no_args_is_help=True, rich_markup_mode=None)

ExerciseName = Annotated[
    str, typer.Option("--exercise", help="The exercise, as `grader exercises` lists it.")
]
OutputFolder = Annotated[
    Path, typer.Option("--output", help="The folder for grades and reports; made if need be.")
]
GradebookOption = Annotated[
    str | None,
    typer.Option(
        "--gradebook",
        metavar="FILE|URL",
        help="Where results are kept: a SQLite file, gradebook.sqlite in the output folder by default, or a postgresql:// URL.",
    ),
]
Student = Annotated[str, typer.Argument(metavar="STUDENT", help="The student, as grades.csv names them.")]
Certificate = typer.Option(help="For a cluster at tls://…: a file in PEM; all three are needed.")


@app.command()
def run(  # noqa: PLR0913, PLR0917 - its options
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder or .zip, as the learning platform gives it.")
    ],
    exercise: ExerciseName,
    output: OutputFolder,
    system: Annotated[
        str | None, typer.Option(help="The learning platform, where the names of the files do not tell it.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="A CSV file of all students, to see who is missing.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="The platform's own CSV file, to be filled in: Canvas's gradebook, Moodle's worksheet."
        ),
    ] = None,
    gradebook: GradebookOption = None,
    regrade: Annotated[bool, typer.Option("--regrade", help="Grade again what was graded before.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Submissions at a time; one a core by default.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="A Dask scheduler, tcp://… or tls://…; `local` starts one here."
        ),
    ] = None,
    tls_ca: Annotated[Path | None, Certificate] = None,
    tls_cert: Annotated[Path | None, Certificate] = None,
    tls_key: Annotated[Path | None, Certificate] = None,
    language: LanguageOption = None,
    seed: SeedOption = None,
    course: CourseOption = None,
    unsafe_no_sandbox: UnsafeOption = False,
) -> None:
    """Grade all submissions of a class, and write grades, reports and a page for the class.

    What was graded before is not graded again, so that the same command goes on where it was stopped.

    Exit codes: 0 every submission has its result, 2 unusable request, 3 some could not be graded, 130 stopped by Ctrl-C.
    """
    with answering(language, course, seed) as (settings, spoken):
        loaded = load_exercise(course_folder(settings.course), exercise)
        certificates = _certificates(tls_ca, tls_cert, tls_key)
        from grader.gradebook.book import open_gradebook  # noqa: PLC0415
        from grader.interrupts import stopping_politely  # noqa: PLC0415
        from grader.lms.recognise import collect  # noqa: PLC0415
        from grader.report.progress import progress, tallied  # noqa: PLC0415
        from grader.report.writer import complain, tell  # noqa: PLC0415
        from grader.round import Asked, Round  # noqa: PLC0415

        collected = collect(path, exercise, system)
        for stray in collected.strays:
            complain(stray, spoken)
        _make(output)
        asked = Asked(path, loaded, settings, regrade=regrade, isolated=not unsafe_no_sandbox)
        began = time.monotonic()
        with (
            open_gradebook(gradebook or str(output / GRADEBOOK)) as book,
            _executor(cluster, certificates, jobs) as (executor, workers),
            stopping_politely(lambda: tell(Text(id="round-stopping"), spoken)) as stopping,
        ):
            with progress(len(collected.students), spoken) as told:
                graded = Round(asked, collected, book, told)
                tally = graded.grade(executor, AHEAD * workers, stopping)
            grades = book.grades(exercise, graded.batch)
    raise typer.Exit(_exit_code(tally, stopped=tally.done < tally.students))


def _exit_code(tally: "Tally", *, stopped: bool) -> int:
    if stopped:
        return 130
    return 3 if tally.ungradable else 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("file-not-written", path=str(folder), reason=error.strerror or "") from None
