"""`grader serve` and `grader course`: the web service, and the courses that are in it.

Heavy imports wait until a command needs them.
"""

import os
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from grader import forget_commands
from grader.answering import answering
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
from grader.service_store import (
    Code,
    DatabaseOption,
    FilesOption,
    KeepDays,
    SealOption,
    opened,
    require_packages,
    store_of,
)
from grader.text import say

serving = typer.Typer(rich_markup_mode=None)
app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Look after the courses of `grader serve`."
)
app.add_typer(forget_commands.app)


@serving.command()
def serve(  # noqa: PLR0913, PLR0917 - its options
    host: Annotated[
        str | None,
        typer.Option(help="The address to listen on; 127.0.0.1 by default, or as JupyterHub wants it."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65_535,
            help="The port; 0 for any that is free, 8000 by default, or as JupyterHub wants it.",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="The address that browsers reach it by, behind a proxy, as https://grader.example.org"
            " or https://hub.example.org/services/grader."
        ),
    ] = None,
    database: DatabaseOption = None,
    files: FilesOption = None,
    keep_days: KeepDays = None,
    seal: SealOption = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Submissions at a time on this machine; one a core by default.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, as tls://HOST:PORT.")
    ] = None,
    tls_ca: Annotated[Path | None, Authority] = None,
    tls_cert: Annotated[Path | None, Certificate] = None,
    tls_key: Annotated[Path | None, Key] = None,
    unsafe_no_tls: UnencryptedOption = False,
    language: LanguageOption = None,
    seed: SeedOption = None,
    course: CourseOption = None,
    unsafe_no_sandbox: UnsafeOption = False,
    lti_network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NETWORK",
            help="A private network that learning platforms may be in, as 10.1.0.0/16; may be given several times.",
        ),
    ] = None,
) -> None:
    """Serve a website: learners hand in notebooks and read their reports.

    Ctrl-C ends it: what is being graded is finished, and what waits is graded the next time. The log goes to the error channel, a line
    of JSON for each event.

    Exit codes: 0 it was stopped, 2 unusable request, 3 this machine must not grade others' files.
    """
    with answering(language, course, seed) as (settings, spoken):
        require_packages()
        from grader.executors import Way, certificates  # noqa: PLC0415
        from grader.web.engine import Means  # noqa: PLC0415
        from grader.web.hub import where  # noqa: PLC0415
        from grader.web.serving import Keeping, Place, require_reachable  # noqa: PLC0415
        from grader.web.serving import serve as run  # noqa: PLC0415
        from grader.web.store.clearing import claim  # noqa: PLC0415
        from grader.web.store.seals import seal_of  # noqa: PLC0415

        place = Place(*where(host, port, url, os.environ), tuple(lti_network or ()))
        require_reachable(place)
        way = Way(certificates(tls_ca, tls_cert, tls_key), unsafe_no_tls, spoken)
        means = Means(settings, way, cluster, jobs, isolated=not unsafe_no_sandbox)
        course_folder(settings.course)
        with opened(database, files) as store:
            claim(store)
            run(store, means, place, sys.stderr, partial(_tell, spoken), Keeping(keep_days, seal_of(seal)))


@app.command(short_help="Add a course.")
def add(
    code: Code,
    title: Annotated[str, typer.Option(help="What the course is called; its code by default.")] = "",
    database: DatabaseOption = None,
    language: LanguageOption = None,
) -> None:
    """Add a course, and show the code by which its teachers enter."""
    with store_of(database, language) as (store, spoken, _):
        from grader.web.store import courses  # noqa: PLC0415

        secret = store.write(courses.add, code, title or code)
        typer.echo(say("course-added", spoken, {"code": code, "secret": secret}))


@app.command(short_help="Have a course ask for an exercise.")
def assign(  # noqa: PLR0913 - its options
    code: Code,
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="As `grader exercises` lists it.")],
    deadline: Annotated[
        str | None,
        typer.Option(help="After which nothing is taken, as 2026-12-24T18:00, in this machine's time zone."),
    ] = None,
    attempts: Annotated[int | None, typer.Option(min=1, help="How many files a learner may hand in.")] = None,
    points: Annotated[
        float | None,
        typer.Option(min=0, help="What full marks are worth; as the exercise has it by default."),
    ] = None,
    *,
    database: DatabaseOption = None,
    language: LanguageOption = None,
    course: CourseOption = None,
) -> None:
    """Have a course ask for an exercise, or change how it does: what is not named is without limit."""
    with store_of(database, language, course) as (store, spoken, chosen):
        from grader.web.store import courses  # noqa: PLC0415

        load_exercise(course_folder(chosen.course), exercise)
        until = None if deadline is None else courses.moment(deadline)
        store.write(courses.assign, code, exercise, points=points, deadline=until, most=attempts)
        typer.echo(say("course-asks", spoken, {"code": code, "exercise": exercise}))


@app.command(short_help="Grade an assignment's attempts again.")
def regrade(  # noqa: PLR0913 - its options
    code: Code,
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="What the course asks for.")],
    anew: Annotated[bool, typer.Option("--anew", help="Also what nothing has changed for.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Let what was found count.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Forget what was found.")] = False,
    *,
    assignment: Annotated[
        int | None,
        typer.Option(help="Which, by its number in `grader course list`, where several links ask for it."),
    ] = None,
    database: DatabaseOption = None,
    language: LanguageOption = None,
    seed: SeedOption = None,
    course: CourseOption = None,
) -> None:
    """Have the attempts at an assignment graded again for which the exercise or a setting has changed since.

    The running service does it, or the next that is started. Asked once more, this shows what would change; what was found before stands
    until that is let count, here or on the service's page. Name the seed and the course folder that the service has.

    Exit codes: 0 done, 1 it cannot count yet or any more, 2 unusable request.
    """
    with store_of(database, language, course, seed) as (store, spoken, settings):
        from grader.web.regrade_command import Wish, carry_out  # noqa: PLC0415

        wish = Wish(code, exercise, assignment, anew=anew, confirm=count, drop=drop)

        def tell(text: Text) -> None:
            typer.echo(one_line(say(text.id, spoken, text.params)))

        done = carry_out(wish, store, settings, tell)
    raise typer.Exit(0 if done else 1)


@app.command("teacher-code", short_help="Give a course's teachers a new code.")
def teacher_code(code: Code, database: DatabaseOption = None, language: LanguageOption = None) -> None:
    """Give the teachers of a course a new code to enter by. The one before is worth nothing any more."""
    with store_of(database, language) as (store, spoken, _):
        from grader.web.store import courses  # noqa: PLC0415

        secret = store.write(courses.renew_teacher_code, code)
        typer.echo(say("course-teacher-code", spoken, {"code": code, "secret": secret}))


@app.command("list", short_help="List the courses.")
def list_(database: DatabaseOption = None, language: LanguageOption = None) -> None:
    """List the courses and what they ask for."""
    with store_of(database, language) as (store, spoken, _):
        from grader.web.store import courses  # noqa: PLC0415

        for code, title, assignments in store.read(courses.listed):
            typer.echo(one_line(say("course-line", spoken, {"code": code, "title": title})))
            often = Counter(one.exercise for one in assignments)
            for one in assignments:
                params = {
                    "exercise": one.exercise,
                    "deadline": one.deadline or "–",
                    "most": one.most or "–",
                    "points": "–" if one.points is None else one.points,
                }
                line = say("course-line-assignment", spoken, params)
                if often[one.exercise] > 1:
                    which = {"number": one.id, "title": one.title or "–"}
                    line = say("course-line-one-of-several", spoken, params | which)
                typer.echo(one_line(line))


def _tell(spoken: Language, url: str) -> None:
    typer.echo(say("service-at", spoken, {"url": url}))
    sys.stdout.flush()
