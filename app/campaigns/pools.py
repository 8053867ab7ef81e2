"""How many codes the campaigns that run have left, for the doctor, the metrics and alarms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Campaigns and codes that are looked at: an operator has to see that few are left, not each one.
MAX_POOLS: Final = 100
MAX_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Pool:
    """The pool of a campaign that runs. left: its free codes, counted up to MAX_COUNTED.

    warn_below: how few are a reason to warn.
    """

    campaign_id: UUID
    name: str
    left: int
    warn_below: int

    @property
    def is_empty(self) -> bool:
        """Return whether nobody else gets a code."""
        return self.left == 0

    @property
    def is_low(self) -> bool:
        """Return whether it is time to add codes."""
        return self.left < min(self.warn_below, MAX_COUNTED)


async def read_pools(session: AsyncSession, now: datetime) -> Sequence[Pool]:
    """Return the pools of campaigns that run now, up to MAX_POOLS, those that end first first."""
    found = await session.execute(_POOLS, {"now": now, "most": MAX_POOLS, "counted": MAX_COUNTED})
    return [Pool(*row) for row in found]


_POOLS: Final = text("""
SELECT c.id, c.name, free.count, c.warn_below
FROM (
    SELECT id, name, warn_below, ends_at FROM campaigns
    WHERE ends_at > :now AND starts_at <= :now AND deleted_at IS NULL
      AND EXISTS (SELECT FROM code_imports WHERE campaign_id = campaigns.id)
    ORDER BY ends_at, id LIMIT :most
) AS c CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM campaign_codes
        WHERE campaign_id = c.id AND given_at IS NULL LIMIT :counted
    ) AS counted
) AS free
ORDER BY c.ends_at, c.id
""")
