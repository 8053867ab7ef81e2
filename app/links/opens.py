"""How often short URLs are opened: once for each visitor and minute, over all processes.

A process collects the opens of a second in memory, so that an open costs no query; what it has not
stored when it is killed is not counted. Who opened a link is never stored: a visitor is a keyed
hash that differs for every link and minute, and the hashes are deleted minutes later.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy import delete, text
from sqlalchemy.exc import SQLAlchemyError

from app.access.network import network_of
from app.clock import SHANGHAI, Clock
from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.links.models import LinkOpens, LinkVisit, OpenKind
from app.tombstones.erasure_secret import ErasureSecret, ErasureSecretUnreadable, read_secret

STORE_SECONDS: Final = 1.0
# They add up while the database is unavailable; further ones are not counted.
MAX_WAITING: Final = 50_000
MAX_AT_ONCE: Final = 5_000
# An open is stored seconds after it happened; then its minute needs no visitors any more.
VISITORS_KEPT: Final = timedelta(minutes=3)
FIGURES_KEPT: Final = timedelta(days=400)
_HASH_BYTES: Final = 16

# The rows are inserted in one order, so that two processes lock them in the same order.
_STORE: Final = text("""
WITH given AS (
    SELECT g.* FROM unnest(
        CAST(:link_ids AS uuid[]), CAST(:minutes AS timestamptz[]), CAST(:visitors AS bytea[]),
        CAST(:days AS date[]), CAST(:kinds AS text[])
    ) AS g(link_id, minute, visitor, day, kind)
    JOIN links ON links.id = g.link_id
), fresh AS (
    INSERT INTO link_visits (link_id, minute, visitor)
    SELECT link_id, minute, visitor FROM given ORDER BY link_id, minute, visitor
    ON CONFLICT DO NOTHING
    RETURNING link_id, minute, visitor
)
INSERT INTO link_opens AS o (link_id, day, kind, count)
SELECT link_id, day, kind, count(*) FROM fresh JOIN given USING (link_id, minute, visitor)
GROUP BY link_id, day, kind ORDER BY link_id, day, kind
ON CONFLICT (link_id, day, kind) DO UPDATE SET count = o.count + excluded.count
""")

log = structlog.get_logger(__name__)

# link, minute, network, program
_Key: TypeAlias = tuple[UUID, datetime, str, str]


class Opens:
    """The opens that this process has seen and not stored yet."""

    def __init__(self, sessions: SessionFactory, clock: Clock, secret: ErasureSecret) -> None:
        self._sessions = sessions
        self._clock = clock
        self._secret = secret
        self._waiting: dict[_Key, OpenKind] = {}
        self._lost = 0
        self._at_work = asyncio.Lock()

    def add(self, link_id: UUID, kind: OpenKind, address: str, agent: str) -> None:
        """Count an open. address, agent: tell visitors apart, and stay in memory for a second."""
        minute = self._clock.now().replace(second=0, microsecond=0)
        if len(self._waiting) < MAX_WAITING:
            self._waiting.setdefault((link_id, minute, network_of(address), agent), kind)
        else:
            self._lost += 1

    async def keep_stored(self) -> None:
        """Store what is new every second, until cancelled."""
        while True:
            await asyncio.sleep(STORE_SECONDS)
            async with self._at_work:
                await self.store()

    async def rest(self) -> None:
        """Return once `keep_stored` reads and writes nothing."""
        async with self._at_work:
            return

    async def store(self) -> None:
        """Add what is new to the tables; all of it later if the database is unavailable."""
        self._log_lost()
        while self._waiting:
            taken = dict(islice(self._waiting.items(), MAX_AT_ONCE))
            try:
                await self._write(taken)
            except (*UNAVAILABLE_ERRORS, SQLAlchemyError, ErasureSecretUnreadable) as error:
                log.warning("links.opens_not_stored", error=type(error).__name__)
                return
            for key in taken:
                self._waiting.pop(key, None)

    async def _write(self, taken: dict[_Key, OpenKind]) -> None:
        async with brief_transaction(self._sessions) as session:
            secret = await read_secret(session, self._secret)
            await session.execute(
                _STORE,
                {
                    "link_ids": [key[0] for key in taken],
                    "minutes": [key[1] for key in taken],
                    "visitors": list(_hashes(secret, taken)),
                    "days": [key[1].astimezone(SHANGHAI).date() for key in taken],
                    "kinds": [kind.value for kind in taken.values()],
                },
            )

    def _log_lost(self) -> None:
        if self._lost:
            log.warning("links.opens_not_counted", count=self._lost)
            self._lost = 0


async def prune(sessions: SessionFactory, now: datetime) -> None:
    """Delete the hashes of visitors of earlier minutes, and figures of more than 400 days ago."""
    async with sessions.begin() as session:
        await session.execute(delete(LinkVisit).where(LinkVisit.minute < now - VISITORS_KEPT))
        first = now.astimezone(SHANGHAI).date() - FIGURES_KEPT
        await session.execute(delete(LinkOpens).where(LinkOpens.day < first))


def _hashes(secret: bytes, keys: Iterable[_Key]) -> Iterable[bytes]:
    for link_id, minute, network, agent in keys:
        words = ("links.visitor", str(link_id), minute.isoformat(), network, agent)
        digest = hmac.new(secret, "\0".join(words).encode("utf-8", "replace"), hashlib.sha256)
        yield digest.digest()[:_HASH_BYTES]
