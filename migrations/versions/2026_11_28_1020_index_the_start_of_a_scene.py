"""index the start of a scene

Postgres refuses a row whose index entry is larger than 2,704 bytes, and a follow must not be lost
for its scene. Older code reads the same without these indexes, but slower where it filters by
scene.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Table, scene, kind, time.
_LISTS = (
    ("follow_events", "scene", "action", "occurred_at"),
    ("subscription_events", "popup_scene", "action", "occurred_at"),
    ("followers", "scene", "following", "followed_at"),
)
_CHARACTERS = 129


def upgrade() -> None:
    for table, scene, kind, time in _LISTS:
        _replace_indexes(table, sa.text(f'"left"({scene}, {_CHARACTERS})'), scene, kind, time)


def downgrade() -> None:
    """Also where a scene is too long for its index: it is cut, as the older code can't hold it."""
    for table, scene, kind, time in _LISTS:
        op.execute(
            f"UPDATE {table} SET {scene} = left({scene}, {_CHARACTERS - 1}) "  # noqa: S608 - constants of this module
            f"WHERE length({scene}) >= {_CHARACTERS}"
        )
        _replace_indexes(table, sa.text(scene), scene, kind, time)


def _replace_indexes(table: str, indexed: sa.TextClause, scene: str, kind: str, time: str) -> None:
    for name, order in (("arrival", ["position"]), ("time", [time, "position"])):
        op.drop_index(f"ix_{table}_scene_{name}", table)
        op.create_index(
            f"ix_{table}_scene_{name}",
            table,
            ["appid", indexed, kind, *order],
            postgresql_where=sa.text(f"{scene} IS NOT NULL"),
        )
