"""Brings the tables of a database up to what this program knows, by Alembic's steps in `versions/`."""

from collections.abc import Callable
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.orm import Session

from grader.errors import GradebookError
from grader.gradebook import versions

# Where a database says which step it has. A name of our own: another program's Alembic may be at home there.
VERSION_TABLE = "gradebook_version"
# Held while a PostgreSQL database is looked at and changed, so that of two programs one waits; any number will do.
LOCK = 0x67726164

Steps = Callable[[tuple[str, ...], MigrationContext], list[MigrationStep]]


def upgrade(session: Session, place: str) -> None:
    """Make the tables, or bring them up to date, in the session's transaction.

    Raises GradebookError for a database that a newer program has changed, and for one that holds something else.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
    steps = _steps()
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "fn": _up_to_newest(steps)}
    )
    _require_ours(context, connection, steps, place)
    context.run_migrations(op=Operations(context))


def _steps() -> ScriptDirectory:
    (folder,) = versions.__path__
    return ScriptDirectory(str(Path(folder).parent), version_locations=[folder])


def _up_to_newest(steps: ScriptDirectory) -> Steps:
    def missing(heads: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        # `implicit_base`: also the steps beside those that were taken, which know nothing of each other.
        ahead = reversed([*steps.iterate_revisions("heads", heads or "base", implicit_base=True)])
        return [MigrationStep.upgrade_from_script(steps.revision_map, step) for step in ahead]

    return missing


def _require_ours(
    context: MigrationContext, connection: Connection, steps: ScriptDirectory, place: str
) -> None:
    heads = set(context.get_current_heads())
    if heads - {step.revision for step in steps.walk_revisions()}:
        raise GradebookError("gradebook-newer", place=place)
    if not heads and (tables := inspect(connection).get_table_names()):
        raise GradebookError("gradebook-not-ours", place=place, tables=", ".join(sorted(tables)[:5]))
