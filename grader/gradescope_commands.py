"""`grader gradescope`: the zip from which Gradescope builds an autograder of one exercise."""

from pathlib import Path
from typing import Annotated

import typer

from grader.answering import answering
from grader.errors import UsageError
from grader.exercise import course_folder, load_exercise
from grader.options import CourseOption, LanguageOption, SeedOption
from grader.report.escape import one_line
from grader.text import say

app = typer.Typer()


@app.command(short_help="Make Gradescope's autograder of an exercise.")
def gradescope(  # noqa: PLR0913, PLR0917 - its options
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="An exercise, as `grader exercises` lists it.")],
    language: LanguageOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The zip to write; SLUG-gradescope.zip in this folder by default."),
    ] = None,
    torch_index: Annotated[
        str | None,
        typer.Option(
            "--torch-index",
            metavar="URL",
            help="Where pip finds PyTorch built for CPUs; without it, it takes the build of its own index, which may be one of some GB for GPUs.",
        ),
    ] = None,
    seed: SeedOption = None,
    course: CourseOption = None,
) -> None:
    """Write the zip that Gradescope takes: grader, one exercise, your settings.

    It holds the reference solution and your secret: give it to nobody but Gradescope.
    """
    with answering(language, course, seed) as (settings, spoken):
        from grader.gradescope.pack import autograder, limits_there  # noqa: PLC0415

        exercise = load_exercise(course_folder(settings.course), slug)
        path = output or Path(f"{slug}-gradescope.zip")
        content = autograder(exercise, settings, spoken, torch_index)
        try:
            path.write_bytes(content)
        except OSError as error:
            raise UsageError("file-not-written", path=str(path), reason=error.strerror or "") from None
        limits = limits_there(exercise, settings)
        told = {
            "path": str(path),
            "cell_seconds": limits.cell_seconds,
            "run_seconds": limits.run_seconds,
            "memory_mb": limits.memory_mb,
        }
        typer.echo(one_line(say("gradescope-written", spoken, told)))
