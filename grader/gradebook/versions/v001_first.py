"""The first tables: results, batches, what was handed in, and overrides."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "001"
down_revision = None


def upgrade(op: Operations) -> None:
    """Make the tables."""
    op.create_table(
        "results",
        sa.Column("id", sa.Integer(), nullable=False),
        *_text("sha256", "exercise"),
        sa.Column("exercise_version", sa.Integer(), nullable=False),
        *_text("grader_version"),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_text("status"),
        sa.Column("score", sa.Double()),
        sa.Column("max_score", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        *_text("digest", "report", "when"),
        sa.PrimaryKeyConstraint("id", name="pk_results"),
        sa.UniqueConstraint(
            *("exercise", "sha256", "exercise_version", "grader_version", "seed", "number"),
            name="uq_results_exercise",
        ),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        *_text("exercise", "source", "started"),
        sa.Column("ended", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_exercise", "batches", ["exercise"])
    op.create_table(
        "hand_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        *_text("student", "name"),
        *(sa.Column(name, sa.Text()) for name in ("file", "path", "sha256")),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_hand_ins"),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="fk_hand_ins_batch"),
        sa.UniqueConstraint("batch", "student", name="uq_hand_ins_batch"),
    )
    op.create_index("ix_hand_ins_student", "hand_ins", ["student"])
    op.create_table(
        "overrides",
        sa.Column("id", sa.Integer(), nullable=False),
        *_text("exercise", "student"),
        sa.Column("score", sa.Double()),
        *_text("reason", "when"),
        sa.PrimaryKeyConstraint("id", name="pk_overrides"),
    )
    op.create_index("ix_overrides_exercise", "overrides", ["exercise", "student"])


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]
