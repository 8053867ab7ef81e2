"""What the database holds, read past the service."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.db.engine import connect


@dataclass(frozen=True, slots=True)
class Tables:
    """Looks into the tables, each time over a connection of its own: the database may restart."""

    url: str

    async def value(self, query: str, *arguments: object) -> Any:  # noqa: ANN401 - any column
        """Return the first column of the first row."""
        rows = await self.rows(query, *arguments)
        return rows[0][0] if rows else None

    async def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Return every row."""
        connection = await connect(self.url)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return found
        finally:
            await connection.close()

    async def callbacks(self, group: str = "") -> Counter[str]:
        """Return how many callbacks are stored of each OpenID of a group of people."""
        return await self._counts(
            "SELECT openid, count(*) FROM callbacks WHERE openid LIKE $1 GROUP BY openid", group
        )

    async def replies(self, group: str = "") -> Counter[str]:
        """Return how many queued replies to a group stand in each status."""
        return await self._counts(
            "SELECT status, count(*) FROM replies "
            "WHERE via = 'customer_service' AND openid LIKE $1 GROUP BY status",
            group,
        )

    async def _counts(self, query: str, group: str) -> Counter[str]:
        return Counter(dict(await self.rows(query, f"o{group}%")))
