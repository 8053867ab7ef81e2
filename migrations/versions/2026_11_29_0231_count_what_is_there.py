"""count the notices, answers to popups and codes that are there

The triggers are there, so each statement finds, in one state of the database, the rows and what the
triggers have noted of them. It counts the rows and deletes those notes; what is written meanwhile
is noted and not counted. Nobody waits for it.
"""

from collections.abc import Sequence
from typing import Final

from alembic import op

revision: str = "0094"
down_revision: str | None = "0093"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NOTICES: Final = """
WITH noted AS (DELETE FROM notice_day_counts)
INSERT INTO notice_day_counts (appid, day, template_id, status, errcode, reason, count, is_merged)
SELECT appid, oa_bridge_day(created_at), template_id, status,
       CASE WHEN status = 'failed' THEN errcode END,
       oa_bridge_notice_reason(status, errcode, errmsg, result), count(*), true
FROM notices GROUP BY 1, 2, 3, 4, 5, 6
"""
_SUBSCRIPTIONS: Final = """
WITH noted AS (DELETE FROM subscription_day_counts)
INSERT INTO subscription_day_counts (appid, day, template_id, measure, count, is_merged)
SELECT appid, oa_bridge_day(occurred_at), template_id,
       oa_bridge_subscription_measure(action, status, error_code), count(*), true
FROM subscription_events GROUP BY 1, 2, 3, 4
"""
_CODES: Final = """
WITH noted AS (DELETE FROM code_day_counts)
INSERT INTO code_day_counts (campaign_id, day, door_kind, door_id, measure, count, is_merged)
SELECT campaign_id, oa_bridge_day(at), door_kind, door_id, measure, count(*), true
FROM campaign_codes
CROSS JOIN LATERAL (VALUES ('given', given_at), ('redeemed', redeemed_at)) AS m (measure, at)
WHERE at IS NOT NULL AND void_at IS NULL GROUP BY 1, 2, 3, 4, 5
"""


def upgrade() -> None:
    for statement in (_NOTICES, _SUBSCRIPTIONS, _CODES):
        op.execute(statement)


def downgrade() -> None:
    """Leave the counts: they are right whether or not code reads them."""
