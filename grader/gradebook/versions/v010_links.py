"""Each link of a learning platform asks for its exercise by itself, and the scores that a person gave there count there alone."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "010"
down_revision = "009"

ONCE = "uq_assignments_course"


def upgrade(op: Operations) -> None:
    """Have an assignment be its link's. One that several links led to stays with the newest, whose terms it has, and so do its attempts.

    A column that scores go to, of a link that leads elsewhere by now, gets none of it any more.
    """
    _change_assignments(op)
    op.execute(
        "UPDATE assignments SET link = coalesce((SELECT links.link FROM links WHERE links.assignment = assignments.id"
        " ORDER BY links.id DESC LIMIT 1), '')"
    )
    op.execute("DELETE FROM deliveries WHERE assignment NOT IN (SELECT assignment FROM links)")
    op.drop_table("links")
    with op.batch_alter_table("overrides") as overrides:
        overrides.add_column(sa.Column("batch", sa.Integer()))
        overrides.create_foreign_key("fk_overrides_batch", "batches", ["batch"], ["id"])
    op.execute(
        "UPDATE overrides SET batch = (SELECT assignments.batch FROM assignments"
        " JOIN people ON people.course = assignments.course"
        " WHERE people.pseudonym = overrides.student AND assignments.exercise = overrides.exercise)"
    )


def _change_assignments(op: Operations) -> None:
    """SQLite makes the table anew. While it is away nothing may refer to it, but for what it has again when all is done."""
    anew = op.get_bind().dialect.name == "sqlite"
    if anew:
        op.execute("PRAGMA defer_foreign_keys = ON")
        op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM assignments")
        op.execute("DELETE FROM assignments")
    with op.batch_alter_table("assignments", table_kwargs={"sqlite_autoincrement": True}) as assignments:
        for name in ("link", "title"):
            assignments.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
        assignments.drop_constraint(ONCE, type_="unique")
        assignments.create_unique_constraint(ONCE, ["course", "exercise", "link"])
    if anew:
        op.execute(
            "INSERT INTO assignments (id, course, exercise, points, deadline, most, batch)"
            " SELECT id, course, exercise, points, deadline, most, batch FROM kept"
        )
        op.execute("DROP TABLE kept")
