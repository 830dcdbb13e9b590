"""`grader batch`: a class's submissions, graded and written down; what a regrade changed; what a person decided.

Heavy imports wait until a command needs them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from grader.answering import answering
from grader.errors import UsageError
from grader.exercise import course_folder, load_exercise
from grader.model import Language, Text
from grader.options import (
    Authority,
    Certificate,
    CourseOption,
    Key,
    LanguageOption,
    SeedOption,
    UnencryptedOption,
    UnsafeOption,
)
from grader.report.escape import one_line
from grader.text import say

if TYPE_CHECKING:
    from grader.gradebook.book import Gradebook
    from grader.gradebook.records import Changed
    from grader.round import Tally

GRADEBOOK, PAGE = "gradebook.sqlite", "index.html"


class _RunByDefault(TyperGroup):
    """`grader batch PATH …` is short for `grader batch run PATH …`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name in front where none is given."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Grade a class, and look after its grades.\n\n`grader batch PATH …` is short for `grader batch run PATH …`.",
)

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
FolderOption = Annotated[
    Path | None, typer.Option("--output", help="The folder of a batch, for its gradebook.")
]
Student = Annotated[str, typer.Argument(metavar="STUDENT", help="The student, as grades.csv names them.")]


@app.command(short_help="Grade a class: grades, reports, a page.")
def run(  # noqa: PLR0913, PLR0917 - its options
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder or .zip that the learning platform gave out.")
    ],
    exercise: ExerciseName,
    output: OutputFolder,
    system: Annotated[
        str | None,
        typer.Option(
            help="The learning platform (canvas, moodle, …), where the names of the files do not tell it."
        ),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="A CSV file of all students, to see who has handed in nothing.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="The gradebook exported from Canvas, or Moodle's worksheet, as CSV; the output folder gets a copy with the scores filled in."
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(help="The title of the assignment's column in that file, where it cannot be told."),
    ] = None,
    gradebook: GradebookOption = None,
    regrade: Annotated[
        bool,
        typer.Option(
            "--regrade",
            help="Grade everybody again, or go on with that where it was broken off; `diff` then shows what changed.",
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Submissions at a time on this machine; one a core by default.")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="A Dask scheduler, as tls://HOST:PORT; `local` starts one here."
        ),
    ] = None,
    tls_ca: Annotated[Path | None, Authority] = None,
    tls_cert: Annotated[Path | None, Certificate] = None,
    tls_key: Annotated[Path | None, Key] = None,
    unsafe_no_tls: UnencryptedOption = False,
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
        from grader.batch import portable, warming  # noqa: PLC0415
        from grader.executors import Way, certificates, opened  # noqa: PLC0415
        from grader.gradebook.book import open_gradebook  # noqa: PLC0415
        from grader.interrupts import stopping_politely  # noqa: PLC0415
        from grader.lms.recognise import collect  # noqa: PLC0415
        from grader.outcome.reports import Press  # noqa: PLC0415 - as below
        from grader.outcome.write import Given, try_table, write_all  # noqa: PLC0415
        from grader.report.progress import progress  # noqa: PLC0415
        from grader.report.writer import complain, say_aside  # noqa: PLC0415
        from grader.round import Asked, Round  # noqa: PLC0415

        loaded = load_exercise(course_folder(settings.course), exercise)
        way = Way(certificates(tls_ca, tls_cert, tls_key), unsafe_no_tls, spoken)
        collected = collect(path, exercise, system)
        for stray in collected.strays:
            complain(stray, spoken)
        given = Given(system=collected.system, sheet=sheet, column=column, roster=roster)
        try_table(loaded, given)
        _make(output)
        asked = Asked(path, loaded, settings, regrade=regrade, isolated=not unsafe_no_sandbox)
        with (
            open_gradebook(gradebook or str(output / GRADEBOOK)) as book,
            opened(cluster, way, jobs, warming(loaded, settings, isolated=asked.isolated)) as (
                executor,
                at_once,
            ),
        ):
            with (
                progress(len(collected.students), spoken) as told,
                stopping_politely(lambda: told.aside(Text(id="round-stopping"))) as stopping,
            ):
                graded = Round(asked, collected, book, told.tell)
                if graded.regrade is not None and graded.regrade.batch != graded.regrade.first:
                    told.aside(Text(id="round-regrade", params={"began": graded.regrade.began}))
                tally = graded.grade(executor, at_once, stopping)
            press = Press(executor, at_once(), portable(settings)["course"])
            written = write_all(output, book.each_grade(exercise, graded.batch), loaded, spoken, given, press)
        for note in written.notes:
            say_aside(note, spoken)
        _say_the_end(tally, output, spoken)
    raise typer.Exit(_exit_code(tally))


@app.command(short_help="Show what the last regrade changed.")
def diff(
    exercise: ExerciseName,
    output: FolderOption = None,
    gradebook: GradebookOption = None,
    language: LanguageOption = None,
) -> None:
    """Show whose points or mistakes are other than before: after a regrade, or a new attempt.

    Name the folder of the batch, or its gradebook.

    Exit codes: 0 nothing changed, 1 something did, 2 unusable request.
    """
    with answering(language, None) as (_, spoken), book_of(output, gradebook) as book:
        changes = book.changes(exercise)
        for changed in changes:
            typer.echo(one_line(say("batch-changed", spoken, _changed(changed, spoken))))
        if not changes:
            typer.echo(say("batch-unchanged", spoken))
    raise typer.Exit(1 if changes else 0)


@app.command(short_help="Give a student a score of your own.")
def override(  # noqa: PLR0913 - its options
    student: Student,
    score: Annotated[
        float | None,
        typer.Argument(metavar="[SCORE]", help="The points to give; without them an override is withdrawn."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it stands beside the grade.")] = "",
    *,
    exercise: ExerciseName,
    output: FolderOption = None,
    gradebook: GradebookOption = None,
    language: LanguageOption = None,
) -> None:
    """Give a student a score of your own, which counts through regrades; or withdraw it.

    Name the folder of the batch, or its gradebook. The files in the folder follow when the batch is run again.
    """
    with answering(language, None) as (_, spoken), book_of(output, gradebook) as book:
        if score is None:
            book.withdraw(exercise, student)
            said = Text(id="override-withdrawn", params={"student": student})
        else:
            book.override(exercise, student, score, reason)
            said = Text(id="override-kept", params={"student": student, "score": score})
        typer.echo(one_line(say(said.id, spoken, said.params)))


@contextmanager
def book_of(output: Path | None, gradebook: str | None) -> "Iterator[Gradebook]":
    """The gradebook of a batch that has been run. Raises UsageError if none is named."""
    from grader.gradebook.book import open_gradebook  # noqa: PLC0415

    if gradebook is None and output is None:
        raise UsageError("gradebook-not-named")
    if gradebook is None and output is not None and not (output / GRADEBOOK).is_file():
        raise UsageError("gradebook-missing", path=str(output / GRADEBOOK))
    with open_gradebook(gradebook or f"{output}/{GRADEBOOK}") as book:
        yield book


def _changed(changed: "Changed", spoken: Language) -> dict[str, object]:
    from grader.catalogue import mistake  # noqa: PLC0415

    def named(names: tuple[str, ...]) -> str:
        return "; ".join(mistake(name).words[spoken].title for name in names) or "–"

    before, after = changed.before, changed.after
    return {
        "student": changed.name or changed.student,
        "before": "–" if before.score is None else before.score,
        "after": "–" if after.score is None else after.score,
        "mistakes_before": named(before.mistakes),
        "mistakes_after": named(after.mistakes),
    }


def _say_the_end(tally: "Tally", folder: Path, spoken: Language) -> None:
    from grader.report.progress import tallied  # noqa: PLC0415
    from grader.report.writer import say_aside  # noqa: PLC0415

    words = tallied(tally, spoken)
    say_aside(
        Text(id="round-done", params={"done": tally.done, "of": tally.students, "tally": words}), spoken
    )
    if tally.done < tally.students:
        say_aside(Text(id="round-stopped", params={"done": tally.done, "of": tally.students}), spoken)
    say_aside(Text(id="round-written", params={"path": str(folder), "page": str(folder / PAGE)}), spoken)


def _exit_code(tally: "Tally") -> int:
    if tally.done < tally.students:
        return 130
    return 3 if tally.ungradable else 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("file-not-written", path=str(folder), reason=error.strerror or "") from None
