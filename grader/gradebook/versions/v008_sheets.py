"""Adds the tables of platforms that were filled in, until who asked for them has taken them."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "008"
down_revision = "007"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "sheets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("assignment", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("made", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sheets"),
        sa.UniqueConstraint("person", name="uq_sheets_person"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_sheets_person"),
        sa.ForeignKeyConstraint(["assignment"], ["assignments.id"], name="fk_sheets_assignment"),
    )
