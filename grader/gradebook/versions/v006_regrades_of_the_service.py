"""Adds the regrades of the web service, whose results count only when a teacher lets them."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "006"
down_revision = "005"


def upgrade(op: Operations) -> None:
    """Make the tables, and have jobs say of which regrade they are."""
    op.create_table(
        "regrades",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer()),
        sa.Column("person", sa.Integer()),
        sa.Column("anew", sa.Boolean(), nullable=False),
        sa.Column("began", sa.Text(), nullable=False),
        sa.Column("settled", sa.Text()),
        sa.Column("ended", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_regrades"),
        *_to("regrades", assignment="assignments", attempt="attempts", person="people"),
    )
    op.create_index("ix_regrades_assignment", "regrades", ["assignment"])
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("regrade", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer()),
        *(sa.Column(name, sa.Text()) for name in ("change", "identity", "report")),
        *(sa.Column(name, sa.Double()) for name in ("score", "max_score")),
        sa.Column("why", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
        sa.UniqueConstraint("regrade", "attempt", name="uq_trials_regrade"),
        *_to("trials", regrade="regrades", attempt="attempts", before="results"),
    )
    with op.batch_alter_table("jobs", table_kwargs={"sqlite_autoincrement": True}) as jobs:
        jobs.add_column(sa.Column("regrade", sa.Integer()))
        jobs.create_foreign_key("fk_jobs_regrade", "regrades", ["regrade"], ["id"])


def _to(table: str, **others: str) -> list[sa.ForeignKeyConstraint]:
    """Columns that hold the numbers of rows elsewhere."""
    return [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")
        for column, other in others.items()
    ]
