"""Under which conditions a result was found, which regrade a batch is of, and which result a hand-in has in it."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "002"
down_revision = "001"

SAME = "uq_results_exercise"


def upgrade(op: Operations) -> None:
    """Add the columns. What was graded before has no known conditions, so it is graded once more."""
    with op.batch_alter_table("results") as results:
        results.add_column(sa.Column("conditions", sa.Text(), nullable=False, server_default=""))
        results.drop_constraint(SAME, type_="unique")
        results.create_unique_constraint(
            SAME,
            ["exercise", "sha256", "exercise_version", "grader_version", "seed", "conditions", "number"],
        )
    op.add_column("batches", sa.Column("regrade", sa.Integer()))
    op.add_column("batches", sa.Column("conditions", sa.Text()))
    with op.batch_alter_table("hand_ins") as hand_ins:
        hand_ins.add_column(sa.Column("result", sa.Integer()))
        hand_ins.create_foreign_key("fk_hand_ins_result", "results", ["result"], ["id"])
