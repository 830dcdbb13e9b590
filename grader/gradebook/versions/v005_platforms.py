"""The tables of what comes by LTI: platforms, courses and links there, logins, keys, when scores were sent."""

from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations

revision = "005"
down_revision = "004"


def upgrade(op: Operations) -> None:
    """Make the tables."""
    _table(
        op,
        "platforms",
        *_text(
            *("issuer", "client_id", "deployments", "login_url", "token_url"),
            *("jwks_url", "token_audience", "name", "frames"),
        ),
        unique=(["issuer", "client_id"],),
    )
    _table(
        op,
        "contexts",
        *_to("platform"),
        *_text("deployment", "context"),
        *_to("course"),
        sa.Column("roster", sa.Text()),
        unique=(["platform", "deployment", "context"], ["course"]),
        foreign={"platform": "platforms", "course": "courses"},
    )
    _table(
        op,
        "links",
        *_to("course"),
        *_text("link"),
        *_to("assignment"),
        unique=(["course", "link"],),
        foreign={"course": "courses", "assignment": "assignments"},
    )
    _table(op, "choices", *_to("person"), *_text("record"), foreign={"person": "people"})
    for name in ("frames", "language"):
        op.add_column("visits", sa.Column(name, sa.Text()))
    _table(op, "invitations", *_text("token"), _seconds("expires"), unique=(["token"],))
    _table(op, "logins", *_text("state", "record"), _seconds("expires"), unique=(["state"],))
    op.create_index("ix_logins_expires", "logins", ["expires"])
    _table(op, "chests", *_text("keys"))
    _table(op, "stamps", *_text("of"), sa.Column("last", sa.BigInteger(), nullable=False), unique=(["of"],))


def _table(
    op: Operations,
    name: str,
    *columns: sa.Column[Any],
    unique: tuple[list[str], ...] = (),
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
    )


def _text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _to(*names: str) -> list[sa.Column[int]]:
    """Columns for the numbers of rows elsewhere."""
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _seconds(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=False)
