"""`grader push`: a class's grades, sent to Canvas or Moodle by their own interfaces.

Heavy imports wait until a command needs them.
"""

import os
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.answering import answering
from grader.batch_commands import ExerciseName, FolderOption, GradebookOption, book_of
from grader.errors import UsageError
from grader.model import Language, Parameters, Text
from grader.options import LanguageOption
from grader.report.escape import one_line
from grader.text import say

if TYPE_CHECKING:
    from grader.gradebook.book import Gradebook
    from grader.lms.push.plan import Delivery, Plan
    from grader.lms.push.platform import Platform

UNDELIVERED = 3
CANVAS_TOKEN, MOODLE_TOKEN = "CANVAS_TOKEN", "MOODLE_TOKEN"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Send a class's grades to a learning platform, where there is no LTI.",
)


class CanvasKey(StrEnum):
    """What a student may be called by."""

    id = "id"
    sis = "sis"
    login = "login"
    email = "email"
    integration = "integration"
    name = "name"


class MoodleKey(StrEnum):
    """What a student may be called by."""

    participant = "participant"
    idnumber = "idnumber"
    username = "username"
    email = "email"
    id = "id"
    name = "name"


Address = Annotated[str, typer.Option("--url", metavar="URL", help="The platform's address, https://…")]
CourseNumber = Annotated[int, typer.Option("--course-id", help="The course's number, as in its address.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="A file that holds the token and that you alone may read; else the environment has it.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show who would get what, and who is not found.")
]
LoopbackOption = Annotated[
    bool, typer.Option("--unsafe-no-tls", help="Allow http:// to this machine itself, as for a trial.")
]
BY = "What your students are called by, where it cannot be told: a kind of id that the platform has, or the name."


@app.command(short_help="Send grades to an assignment of Canvas.")
def canvas(  # noqa: PLR0913, PLR0917 - its options
    exercise: ExerciseName,
    url: Address,
    course_id: CourseNumber,
    assignment: Annotated[int, typer.Option(help="The assignment's number, as in its address.")],
    output: FolderOption = None,
    gradebook: GradebookOption = None,
    by: Annotated[CanvasKey | None, typer.Option(help=BY)] = None,
    dry_run: DryRun = False,
    token_file: TokenFile = None,
    unsafe_no_tls: LoopbackOption = False,
    language: LanguageOption = None,
) -> None:
    """Give the students of an assignment in Canvas their grades, each with a comment.

    The token is read from the variable CANVAS_TOKEN or from a file. Try --dry-run first. Each grade is sent once; the same command
    goes on where it was stopped, and sends what has changed since.

    Exit codes: 0 every grade is there, 2 unusable request, 3 some could not be delivered, 130 stopped by Ctrl-C.
    """
    with answering(language, None) as (_, spoken), book_of(output, gradebook) as book:
        address, token = _address(url, loopback=unsafe_no_tls), _token(token_file, CANVAS_TOKEN)
        try:
            from grader.lms.push.canvas import Canvas  # noqa: PLC0415
        except ImportError:
            raise UsageError("push-not-installed") from None
        platform = Canvas(address, token, course_id, assignment)
        code = _push(platform, book, exercise, spoken, by=by, dry=dry_run)
    raise typer.Exit(code)


@app.command(short_help="Send grades to an assignment of Moodle.")
def moodle(  # noqa: PLR0913, PLR0917 - its options
    exercise: ExerciseName,
    url: Address,
    course_id: CourseNumber,
    assignment: Annotated[
        str, typer.Option(help="The number in its address (…/mod/assign/view.php?id=…), or its title.")
    ],
    output: FolderOption = None,
    gradebook: GradebookOption = None,
    by: Annotated[MoodleKey | None, typer.Option(help=BY)] = None,
    dry_run: DryRun = False,
    token_file: TokenFile = None,
    unsafe_no_tls: LoopbackOption = False,
    language: LanguageOption = None,
) -> None:
    """Give the students of an assignment in Moodle their grades, each with a feedback comment.

    The token, of a web service that an administrator has set up, is read from the variable MOODLE_TOKEN or from a file. Try --dry-run
    first. Each grade is sent once, and takes the place of the grade and comment that are there; the same command goes on where it was
    stopped, and sends what has changed since.

    Exit codes: 0 every grade is there, 2 unusable request, 3 some could not be delivered, 130 stopped by Ctrl-C.
    """
    with answering(language, None) as (_, spoken), book_of(output, gradebook) as book:
        address, token = _address(url, loopback=unsafe_no_tls), _token(token_file, MOODLE_TOKEN)
        try:
            from grader.lms.push.moodle import Moodle  # noqa: PLC0415
        except ImportError:
            raise UsageError("push-not-installed") from None
        with Moodle(address, token, course_id, assignment) as platform:
            code = _push(platform, book, exercise, spoken, by=by, dry=dry_run)
    raise typer.Exit(code)


def _push(  # noqa: PLR0913 - its options
    platform: "Platform", book: "Gradebook", exercise: str, spoken: Language, *, by: str | None, dry: bool
) -> int:
    """Send what there is to send, and say what became of it; the exit code."""
    from grader.lms.push.deliver import deliver, patiently  # noqa: PLC0415
    from grader.lms.push.plan import light, plan  # noqa: PLC0415
    from grader.report.writer import say_aside  # noqa: PLC0415

    grades = [light(grade) for grade in book.each_grade(exercise)]
    assignment = patiently(platform.assignment, time.sleep)
    people = patiently(platform.people, time.sleep)
    found = plan(grades, assignment, people, platform.kind, book.pushed(exercise, platform.place), spoken, by)
    for text in (*found.notes, *found.left):
        say_aside(text, spoken)
    undelivered, sent = len(found.left), 0
    if dry:
        for delivery in found.deliveries:
            typer.echo(one_line(say("push-would", spoken, _shown(delivery, found))))
    else:
        begun = _remembering(book, exercise, platform.place)
        for delivery, trouble in deliver(found.deliveries, platform, begun, time.sleep):
            if trouble is None:
                typer.echo(one_line(say("push-sent", spoken, _shown(delivery, found))))
                sent += 1
            else:
                say_aside(trouble, spoken)
                undelivered += 1
    tally: Parameters = {"sent": sent, "known": found.known, "left": undelivered, "title": assignment.title}
    say_aside(Text(id="push-dry" if dry else "push-done", params=tally), spoken)
    return UNDELIVERED if undelivered else 0


def _remembering(book: "Gradebook", exercise: str, place: str) -> "Callable[[Delivery], Callable[[], None]]":
    from grader.gradebook.records import Pushed  # noqa: PLC0415

    def begun(delivery: "Delivery") -> Callable[[], None]:
        push = Pushed(
            student=delivery.student, person=delivery.person.id, points=delivery.points, says=delivery.says
        )
        number = book.push(exercise, place, push)
        return lambda: book.arrived(number)

    return begun


def _shown(delivery: "Delivery", found: "Plan") -> Parameters:
    return {
        "student": delivery.student,
        "person": f"{delivery.person.name} ({delivery.person.id})",
        "points": delivery.points,
        "most": found.assignment.most,
    }


def _address(url: str, *, loopback: bool) -> str:
    """The address, if a token may be sent there: encrypted, or to this machine itself. Raises UsageError."""
    from ipaddress import ip_address  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    try:
        parts = urlsplit(url)
    except ValueError:
        raise UsageError("push-address-malformed", url=url) from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.username:
        raise UsageError("push-address-malformed", url=url)
    if parts.scheme == "https":
        return url
    try:
        here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        here = False
    if not (here and loopback):
        raise UsageError("push-in-the-clear", url=url)
    return url


def _token(file: Path | None, variable: str) -> str:
    """The token; it is no argument, since everybody on the machine may read those. Raises UsageError."""
    if file is None:
        token = os.environ.get(variable, "")
    else:
        try:
            if os.name == "posix" and file.stat().st_mode & 0o077:
                raise UsageError("push-token-open", path=str(file))
            token = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise UsageError("push-token-unread", path=str(file), reason=reason or "") from None
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise UsageError("push-token-missing", variable=variable)
    return token
