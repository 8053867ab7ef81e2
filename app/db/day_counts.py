"""Keeps small the tables that count rows by day, to which triggers add a row with each change.

The count of a day is the sum of its rows. Whoever changes what is counted only adds rows, in the
same transaction; so a reader finds exact counts at any moment, and nobody waits for anybody.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import TextClause

from app.db.engine import SessionFactory

# Rows of one transaction, and transactions of one run: the next run goes on.
MAX_ROWS: Final = 5_000
MAX_ROUNDS: Final = 20


async def merge(sessions: SessionFactory, statements: Iterable[TextClause]) -> None:
    """Add up the new rows of each table, the oldest first.

    statements: one for each table. It puts at most `:most` new rows, and all rows of the same days
    and groups, together to one for each group, and returns how many new rows those were.
    """
    for statement in statements:
        for _ in range(MAX_ROUNDS):
            async with sessions.begin() as session:
                found = await session.scalar(statement, {"most": MAX_ROWS})
            if found is None or found < MAX_ROWS:
                break
