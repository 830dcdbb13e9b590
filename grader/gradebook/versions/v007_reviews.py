"""Adds who has looked at an attempt that a person should look at."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "007"
down_revision = "006"


def upgrade(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("result", sa.Integer()),
        sa.Column("person", sa.Integer()),
        sa.Column("decided", sa.Boolean(), nullable=False),
        sa.Column("when", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], name="fk_reviews_attempt"),
        sa.ForeignKeyConstraint(["result"], ["results.id"], name="fk_reviews_result"),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_reviews_person"),
    )
    op.create_index("ix_reviews_attempt", "reviews", ["attempt"])
