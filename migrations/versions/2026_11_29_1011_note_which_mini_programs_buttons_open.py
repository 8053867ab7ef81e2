"""note which mini-programs the buttons of menus open

A new column alone, filled for the versions that are kept. A worker of an earlier release leaves it
empty in what it publishes, and arrivals from there are then looked at as before.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0101"
down_revision: str | None = "0100"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A position such as `c1-2-3` has the numbers of the conditional menu, the button and the one in its
# sub-menu, each from 1.
FILL: Final = """
UPDATE menu_buttons b SET mini_program = v.sent #>> (
    CASE WHEN p.places[2] IS NULL THEN ARRAY['button']
         ELSE ARRAY['conditional', CAST(CAST(p.places[2] AS int) - 1 AS text), 'button'] END
    || CAST(CAST(p.places[3] AS int) - 1 AS text)
    || CASE WHEN p.places[5] IS NULL THEN CAST(ARRAY[] AS text[])
            ELSE ARRAY['sub_button', CAST(CAST(p.places[5] AS int) - 1 AS text)] END
    || ARRAY['appid']
)
FROM menu_versions v, menu_buttons o CROSS JOIN LATERAL (
    SELECT regexp_match(o.position, '^(c([0-9]+)-)?([0-9]+)(-([0-9]+))?$') AS places
) AS p
WHERE v.appid = b.appid AND v.number = b.number AND b.event = 'view_miniprogram'
  AND o.appid = b.appid AND o.number = b.number AND o.position = b.position
"""


def upgrade() -> None:
    op.add_column("menu_buttons", sa.Column("mini_program", sa.Text(), nullable=True))
    op.execute(FILL)


def downgrade() -> None:
    op.drop_column("menu_buttons", "mini_program")
