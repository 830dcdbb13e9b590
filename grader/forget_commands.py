"""`grader course forget`, `remove` and `expire`: what the service forgets.

Heavy imports wait until a command needs them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.model import Language
from grader.options import LanguageOption
from grader.report.escape import one_line
from grader.service_store import Code, DatabaseOption, FilesOption, store_of
from grader.text import say

if TYPE_CHECKING:
    from grader.web.store.forgetting import Kept
    from grader.web.store.store import Store

YesOption = Annotated[bool, typer.Option("--yes", help="Do it; without this, only what would go is told.")]

app = typer.Typer(rich_markup_mode=None)


@app.command(short_help="Forget a person.")
def forget(  # noqa: PLR0913 - its options
    code: Code,
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO",
            help="By name, by the code of their own, or as the address of their page calls them.",
        ),
    ],
    *,
    yes: YesOption = False,
    database: DatabaseOption = None,
    files: FilesOption = None,
    language: LanguageOption = None,
) -> None:
    """Forget a person in a course: name, attempts, files, reports, visits, where scores go.

    Of a score that a teacher gave it stays that there was one, of nobody and without its reason. What others have handed in too stays
    theirs. The service may run meanwhile. Backups, and the gradebook of a learning platform, are not reached.
    """
    with _cleared(database, files, language) as (store, spoken):
        from grader.web.store import clearing, forgetting  # noqa: PLC0415

        person, name = store.read(forgetting.whom, code, who)
        kept = store.read(forgetting.kept, [person])
        if yes:
            clearing.forget(store, person)
        _tell(kept, name, spoken, done=yes)


@app.command(short_help="Remove a course with all in it.")
def remove(
    code: Code,
    *,
    yes: YesOption = False,
    database: DatabaseOption = None,
    files: FilesOption = None,
    language: LanguageOption = None,
) -> None:
    """Remove a course: everybody in it, as `grader course forget` does, then what it asks for. Called again, it goes on."""
    with _cleared(database, files, language) as (store, spoken):
        from grader.web.store import clearing, forgetting  # noqa: PLC0415

        kept = store.read(forgetting.kept, store.read(forgetting.everyone, code))
        if yes:
            clearing.remove(store, code)
        _tell(kept, code, spoken, done=yes)


@app.command(short_help="Forget what is old.")
def expire(
    keep_days: Annotated[int, typer.Option(min=1, help="How many days something is kept.")],
    database: DatabaseOption = None,
    files: FilesOption = None,
    language: LanguageOption = None,
) -> None:
    """Forget what was handed in more than so many days ago, as `grader serve --keep-days` does by itself; for cron, where none runs.

    Who has nothing here any more and did not come for as long is forgotten too. Files that belong to no attempt are taken away.
    """
    with _cleared(database, files, language) as (store, spoken):
        from grader.web.store import clearing  # noqa: PLC0415

        cleared = clearing.expire(store, keep_days)
        swept = clearing.sweep(store)
        params = {"attempts": cleared.attempts, "people": cleared.people, "files": swept}
        typer.echo(say("course-expired", spoken, params))


@contextmanager
def _cleared(
    database: str | None, files: Path | None, language: LanguageOption
) -> "Iterator[tuple[Store, Language]]":
    """What the service remembers, whose files may be taken away; and the language."""
    with store_of(database, language, files=files) as (store, spoken, _):
        from grader.web.store import clearing  # noqa: PLC0415

        clearing.claim(store)
        yield store, spoken


def _tell(kept: "Kept", what: str, spoken: Language, *, done: bool) -> None:
    params = {"what": what, **kept._asdict()}
    typer.echo(one_line(say("course-forgetting", spoken, params)))
    typer.echo(say("course-forgotten" if done else "course-forget-yes", spoken, params))
