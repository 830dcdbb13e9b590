"""The tables of the web service: courses, assignments, people, visits, attempts, jobs, deliveries."""

from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

revision = "003"
down_revision = "002"


def upgrade(op: Operations) -> None:
    """Make the tables."""
    _table(op, "courses", *_text("code", "title", "teacher", "created"), unique=(["code"], ["teacher"]))
    _table(
        op,
        "assignments",
        *_to("course"),
        *_text("exercise"),
        sa.Column("points", sa.Double()),
        sa.Column("deadline", sa.Text()),
        sa.Column("most", sa.Integer()),
        *_to("batch"),
        unique=(["course", "exercise"],),
        foreign={"course": "courses", "batch": "batches"},
    )
    _table(
        op,
        "people",
        *_to("course"),
        *_text("key", "pseudonym", "name", "role", "created"),
        unique=(["course", "key"], ["pseudonym"]),
        foreign={"course": "courses"},
    )
    _table(
        op,
        "visits",
        *_text("token"),
        *_to("person"),
        *_text("expires"),
        unique=(["token"],),
        foreign={"person": "people"},
    )
    _table(
        op,
        "attempts",
        *_to("assignment", "person"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_text("sha256", "file", "received", "state"),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("result", sa.Integer()),
        unique=(["assignment", "person", "number"],),
        foreign={"assignment": "assignments", "person": "people", "result": "results"},
    )
    op.create_index("ix_attempts_person", "attempts", ["person"])
    _table(
        op,
        "jobs",
        *_to("attempt"),
        *_text("state"),
        *(sa.Column(name, sa.Text()) for name in ("owner", "until")),
        sa.Column("tries", sa.Integer(), nullable=False),
        unique=(["attempt"],),
        foreign={"attempt": "attempts"},
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])
    _table(
        op,
        "deliveries",
        *_to("assignment", "person"),
        *_text("destination"),
        *(sa.Column(name, sa.Double()) for name in ("score", "full")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("wanted", "sent", "tries")),
        *(sa.Column(name, sa.Text()) for name in ("due", "error", "owner", "until")),
        unique=(["assignment", "person"],),
        foreign={"assignment": "assignments", "person": "people"},
    )
    op.create_index("ix_deliveries_due", "deliveries", ["due"])


def _table(
    op: Operations,
    name: str,
    *columns: sa.Column[Any],
    unique: tuple[list[str], ...],
    foreign: dict[str, str] | None = None,
) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        *(sa.UniqueConstraint(*each, name=f"uq_{name}_{each[0]}") for each in unique),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{name}_{column}")
            for column, other in (foreign or {}).items()
        ),
        # No number is given twice: what was under way with somebody who has been forgotten must not meet who came after.
        sqlite_autoincrement=True,
    )


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _to(*names: str) -> list[sa.Column[int]]:
    """Columns for the numbers of rows elsewhere."""
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]
