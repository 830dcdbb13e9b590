"""The table by which a folder of files knows the database that it belongs to."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "009"
down_revision = "008"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "origins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_origins"),
    )
