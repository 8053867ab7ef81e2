"""The inbox's connection to the database: one, opened when needed, dropped when in doubt."""

import asyncio
from collections.abc import Iterator, Sequence

import asyncpg
import structlog

from app.callback import commit_batch
from app.callback.errors import BadData, CooldownLost
from app.callback.record import Record, StoredResult
from app.db.engine import AWAY, connect
from app.events.models import FollowAction

CommitResults = StoredResult | BadData | CooldownLost

log = structlog.get_logger()

# What says that the database is away, busy or not set up, and nothing of the batch. By SQLSTATE
# class: connection, transaction lost, resources, object in use, operator, system, no such table.
AWAY_CLASSES = frozenset({"08", "25", "40", "42", "53", "55", "57", "58"})
LOST_RACES = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


def is_away(error: BaseException) -> bool:
    """Tell whether an error is the database's fault; any other is that of a value in the batch."""
    if isinstance(error, asyncpg.PostgresError):
        # A statement prepared before the tables changed; its class is that of many things.
        outdated = isinstance(error, asyncpg.InvalidCachedStatementError)
        return outdated or (error.sqlstate or "08")[:2] in AWAY_CLASSES
    return isinstance(error, AWAY)


def in_order(batch: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut a batch where somebody leaves who is in it already.

    One statement sees nothing of what it does itself: what a leaving ends must stand before.
    """
    start, present = 0, set[tuple[str, str]]()
    for number, record in enumerate(batch):
        person = (record.appid, record.openid)
        leaves = record.follow is not None and record.follow.action is FollowAction.UNFOLLOW
        if leaves and person in present:
            yield batch[start:number]
            start, present = number, set()
        present.add(person)
    yield batch[start:]


class InboxConnection:
    """Commits batches over one connection; not for two tasks at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._throttle = commit_batch.ResolveThrottle()

    async def commit(self, batch: Sequence[Record], *, seconds: float) -> list[CommitResults]:
        """Commit a batch; a record that is Beaten, or that the database can't hold, fails alone.

        Raises an error that `is_away` when the database is away or takes longer than `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._commit(batch)
        except BaseException:
            # After an error in mid-flight nobody knows what the connection still waits for.
            self.drop()
            raise

    async def _commit(self, batch: Sequence[Record]) -> list[CommitResults]:
        kept: list[CommitResults] = []
        for part in in_order(batch):
            kept += await self._commit_part(part)
        return kept

    async def _commit_part(self, batch: Sequence[Record]) -> list[CommitResults]:
        connection = await self._open()
        try:
            return [*await self._store(connection, batch)]
        except Exception as error:
            if is_away(error):
                raise
            if len(batch) == 1:
                # The error's own words may hold the value that was refused.
                log.error(
                    "inbox.callback_refused",
                    callback_id=str(batch[0].id),
                    error=type(error).__name__,
                )
                return [BadData()]
        middle = len(batch) // 2
        first = await self._commit_part(batch[:middle])
        return [*first, *await self._commit_part(batch[middle:])]

    async def _store(
        self, connection: asyncpg.Connection, batch: Sequence[Record]
    ) -> list[StoredResult | CooldownLost]:
        try:
            return await commit_batch.store(connection, batch, self._throttle)
        except LOST_RACES:
            return await commit_batch.store(connection, batch, self._throttle)

    async def _open(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, **commit_batch.SESSION)
        return self._connection

    def drop(self) -> None:
        """Close the connection without a farewell; the next commit opens a new one."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
