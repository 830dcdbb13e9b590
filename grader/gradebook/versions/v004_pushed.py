"""Adds what was sent to a learning platform."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "004"
down_revision = "003"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "pushes",
        sa.Column("id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("exercise", "place", "student", "person", "says", "when")
        ),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pushes"),
    )
    op.create_index("ix_pushes_exercise", "pushes", ["exercise", "place", "student"])
