"""The command line: one command, one call. Heavy imports wait until a command needs them."""

import gc
import shlex
import sys
from collections.abc import Callable
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from grader import (
    __version__,
    batch_commands,
    gradescope_commands,
    lti_commands,
    push_commands,
    service_commands,
)
from grader.answering import answering
from grader.checking import Request, check_one, diagnose_one, on_each
from grader.errors import UsageError
from grader.exercise import course_folder, course_from, load_exercise, slugs
from grader.options import (
    CourseOption,
    Described,
    ExerciseOption,
    Files,
    FormatOption,
    LanguageOption,
    OpenOption,
    OutputOption,
    SeedOption,
    UnsafeOption,
    WatchOption,
)
from grader.report.browser import page_for, show_page
from grader.report.discovery import TERMINAL, format_of, names
from grader.report.escape import one_line
from grader.settings import Settings
from grader.text import say

app = typer.Typer(
    name="grader",
    help="Grade PyTorch gradient-descent notebooks, and say why they fail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(batch_commands.app, name="batch")
app.add_typer(service_commands.serving)
app.add_typer(service_commands.app, name="course")
app.add_typer(gradescope_commands.app)
app.add_typer(push_commands.app, name="push")
app.add_typer(lti_commands.app, name="lti")


@app.command()
def check(  # noqa: PLR0913, PLR0917 - its options
    files: Files,
    exercise: ExerciseOption = None,
    language: LanguageOption = None,
    format: FormatOption = None,
    output: OutputOption = None,
    seed: SeedOption = None,
    course: CourseOption = None,
    watch: WatchOption = False,
    open: OpenOption = False,
    unsafe_no_sandbox: UnsafeOption = False,
) -> None:
    """Run a submission, check its result and report.

    Exit codes: 0 everything passed, 1 some check failed, 2 unusable request or file, 3 could not be graded; with --watch, that of the
    last report, or 130 if it was interrupted while it graded.
    """
    with answering(language, course, seed) as (settings, spoken):
        if exercise is not None:
            load_exercise(course_folder(settings.course), exercise)
        request = Request(
            files, _formats(format), output, spoken, isolated=not unsafe_no_sandbox, watch=watch
        )
        code = _reported(request, settings, partial(check_one, exercise, settings), opened=open)
    raise typer.Exit(code)


@app.command()
def diagnose(  # noqa: PLR0913, PLR0917 - its options
    files: Files,
    language: LanguageOption = None,
    format: FormatOption = None,
    output: OutputOption = None,
    seed: SeedOption = None,
    open: OpenOption = False,
    unsafe_no_sandbox: UnsafeOption = False,
) -> None:
    """Name the mistakes of any PyTorch notebook or module, without an exercise.

    Exit codes: 0 nothing was found, 1 something was, 2 unusable request or file, 3 it could not be run.
    """
    with answering(language, None, seed) as (settings, spoken):
        request = Request(
            files, _formats(format), output, spoken, isolated=not unsafe_no_sandbox, graded=False
        )
        code = _reported(request, settings, partial(diagnose_one, settings), opened=open)
    raise typer.Exit(code)


@app.command()
def explain(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[MISTAKE]", help="A mistake's name, as reports give it; all by default."),
    ] = None,
    language: LanguageOption = None,
) -> None:
    """Explain a mistake: what it is, an example, and how to mend it.

    Without a name, all mistakes are listed.
    """
    with answering(language, None) as (_, spoken):
        from grader.catalogue import all_mistakes, mistake  # noqa: PLC0415
        from grader.report.explain import page  # noqa: PLC0415
        from grader.report.writer import show_markdown  # noqa: PLC0415

        if name is None:
            for known in all_mistakes().values():
                typer.echo(f"{known.name:<30} {known.words[spoken].title}")
        else:
            show_markdown(page(mistake(name), spoken))


@app.command()
def exercises(language: LanguageOption = None, course: CourseOption = None) -> None:
    """List the exercises of the course."""
    with answering(language, course) as (settings, spoken):
        folder = course_folder(settings.course)
        for slug in slugs(folder):
            typer.echo(f"{slug:<22} {load_exercise(folder, slug).manifest.title[spoken]}")


@app.command()
def formats(language: LanguageOption = None) -> None:
    """List the formats that a report can be written in."""
    with answering(language, None) as (_, spoken):
        for name in names():
            typer.echo(f"{name:<22} {format_of(name).words[spoken]}")


@app.command()
def start(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="An exercise, as `grader exercises` lists it.")],
    language: LanguageOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="The file to write; SLUG.ipynb in this folder by default.")
    ] = None,
    course: CourseOption = None,
) -> None:
    """Write the starter notebook of an exercise, with its task, to work in."""
    from grader.starter import starter_notebook, write_new  # noqa: PLC0415 - imports nbformat

    with answering(language, course) as (settings, spoken):
        path = output or Path(f"{slug}.ipynb")
        exercise = load_exercise(course_folder(settings.course), slug)
        write_new(path, starter_notebook(exercise, spoken, course_from(path.parent, settings.course)))
        options = "" if course is None else f" --course {shlex.quote(course)}"
        typer.echo(one_line(say("start-written", spoken, {"path": str(path), "options": options})))


@app.command()
def new(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="Its name: small letters, digits and _.")],
    language: LanguageOption = None,
    title: Annotated[str | None, typer.Option("--title", help="Its title, until you translate it.")] = None,
    course: Annotated[
        str | None,
        typer.Option("--course", help="The course, made where there is none; this folder by default."),
    ] = None,
) -> None:
    """Write a small exercise, to be turned into your own."""
    with answering(language, course) as (settings, spoken):
        from grader.authoring import course_for_new, new_exercise  # noqa: PLC0415

        folder = course_for_new(settings.course)
        for path in new_exercise(folder, slug, title):
            typer.echo(one_line(str(path)))
        typer.echo(say("new-written", spoken, {"slug": slug, "course": one_line(shlex.quote(str(folder)))}))


@app.command()
def schema(
    of: Annotated[
        Described, typer.Argument(metavar="[report|doctor|class]", help="Of what.")
    ] = Described.report,
) -> None:
    """Print the JSON Schema of a report, a class, or `grader doctor --json`."""
    import json  # noqa: PLC0415

    from grader.report import doctor, document  # noqa: PLC0415
    from grader.report.overview import document as overview  # noqa: PLC0415

    described = {Described.report: document, Described.doctor: doctor, Described.class_: overview}[of]
    typer.echo(json.dumps(described.json_schema(), indent=2, ensure_ascii=False))


@app.command()
def doctor(
    language: LanguageOption = None,
    course: CourseOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print it as JSON, by `grader schema doctor`.")
    ] = False,
) -> None:
    """Try how submissions can be isolated here, and say what would help.

    Exit codes: 0 others' submissions can be graded here, 1 they cannot, 2 unusable request.
    """
    with answering(language, course) as (settings, spoken):
        from grader.doctor import examine  # noqa: PLC0415
        from grader.report import doctor as words  # noqa: PLC0415
        from grader.report.writer import screen  # noqa: PLC0415

        document = words.word(examine(settings), __version__, spoken)
        if json:
            typer.echo(words.render(document))
        else:
            words.show(document, screen())
    raise typer.Exit(0 if document.sound else 1)


@app.command()
def selftest(  # noqa: PLR0913, PLR0917 - its options
    course: Annotated[
        str | None, typer.Argument(metavar="[COURSE]", help="Its folder; grader's own by default.")
    ] = None,
    exercise: Annotated[list[str] | None, typer.Option(help="Only this exercise; may come again.")] = None,
    mistake: Annotated[list[str] | None, typer.Option(help="Only this mistake; may come again.")] = None,
    plants: Annotated[int, typer.Option(min=1, help="Ways to plant each mistake in each exercise.")] = 2,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Gradings at a time; one a core by default.")
    ] = None,
    language: LanguageOption = None,
    seed: SeedOption = None,
) -> None:
    """Test a course: what is right is right, and planted mistakes are named.

    Exit codes: 0 no gap, 1 a gap that is not known, 2 unusable request or course, 3 could not be graded.
    """
    with answering(language, course, seed) as (settings, spoken):
        from grader.report import selftest as words  # noqa: PLC0415 - with torch's parts, which take a while
        from grader.report.writer import counting, screen  # noqa: PLC0415
        from grader.selftest import selftest as test  # noqa: PLC0415

        folder = course_folder(settings.course)
        with counting(spoken) as progress:
            result = test(folder, settings, exercise or (), mistake or (), plants, jobs, progress)
        words.show(result, screen(), spoken)
    raise typer.Exit(3 if result.ungradable else 1 if result.gaps or result.stale else 0)


@app.callback(invoke_without_command=True)
def _common(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def _reported(request: Request, settings: Settings, one: Callable[..., int], *, opened: bool) -> int:
    """Do one thing with each file, and give the exit code; `opened`: the report is a page, which is shown in the browser."""
    if opened:
        request = request._replace(formats=["html"], output=request.output or page_for(request.files))
    code = on_each(request, settings, one)
    if opened and request.output is not None:
        show_page(request.output)
    return code


def _formats(chosen: list[str] | None) -> list[str]:
    """The names of the formats. Raises UsageError for one that is not known, before anything is started."""
    for name in chosen or ():
        if name not in names():
            raise UsageError("format-unknown", name=name, known=", ".join(names()))
    return chosen or [TERMINAL]


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A screen without the letters of a report still shows it.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    finally:
        gc.freeze()  # the process ends with all that it has, so looking for what could be freed would be time lost
