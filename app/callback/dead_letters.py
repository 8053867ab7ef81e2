"""Forgets callbacks that the spool set aside: raw pushes on disk, out of the reach of workers.

They are kept so that an operator can see what the database refused. That is no reason to keep
them longer than other pushes, or than their sender is known.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.callback.inbox import Inbox
from app.callback.spool import Spool, Spooled
from app.clock import Clock
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.tombstones.people import erased_among
from app.wechat.ids import AccountOpenId

PAUSE_SECONDS: Final = 60.0

log = structlog.get_logger()


class _Told(BaseModel):
    """What of a record says whose it is and when it came, whatever release wrote it."""

    appid: str
    openid: str
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetterPurge:
    """What forgetting needs. secret: of the pseudonyms; kept_for: RETENTION_DAYS."""

    inbox: Inbox
    spool: Spool
    sessions: SessionFactory
    clock: Clock
    secret: SecretStr | None
    kept_for: timedelta


async def run(aside: DeadLetterPurge) -> None:
    """Look every minute, until cancelled; a database or disk that is away is tried again."""
    while True:
        try:
            await purge(aside)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError, sqlite3.Error) as error:
            log.warning("inbox.set_aside_not_looked_at", error=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def purge(aside: DeadLetterPurge) -> int:
    """Remove what is too old, or from before its sender was erased; return how many.

    What no release could read tells neither, and goes too.
    """
    told = {item.number: _read(item) for item in await aside.spool.dead_letters()}
    numbers: list[int] = []
    if told:
        erased = await _erased_until(aside, [one for one in told.values() if one is not None])
        oldest = aside.clock.now() - aside.kept_for
        numbers = [number for number, one in told.items() if _goes(one, erased, oldest)]
        await aside.spool.remove(numbers)
    await aside.inbox.recount_dead_letters()  # another process of the machine may have removed some
    return len(numbers)


def _read(item: Spooled) -> _Told | None:
    try:
        return _Told.model_validate_json(item.data)
    except ValidationError:
        return None


def _goes(one: _Told | None, erased: dict[AccountOpenId, datetime], oldest: datetime) -> bool:
    if one is None or one.received_at < oldest:
        return True
    until = erased.get((one.appid, one.openid))
    return until is not None and one.occurred_at <= until


async def _erased_until(
    aside: DeadLetterPurge, told: Sequence[_Told]
) -> dict[AccountOpenId, datetime]:
    people = sorted({(one.appid, one.openid) for one in told})
    async with aside.sessions.begin() as session:
        tombstones = await erased_among(session, aside.secret, people)
        marks = await session.execute(
            _MARKS,
            {"appids": [appid for appid, _ in people], "openids": [openid for _, openid in people]},
        )
        found = {(appid, openid): until for appid, openid, until in marks}
    for known, one in tombstones.items():
        found[known] = max(one.until, found.get(known, one.until))
    return found


# Of a class of data that was revoked, too: what was set aside is not looked into.
_MARKS = text(
    """
    SELECT appid, openid, until
    FROM openids
    JOIN unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS p(appid, openid)
    USING (appid, openid)
    CROSS JOIN LATERAL (
        SELECT GREATEST(erased_until, to_timestamp(max(CAST(value AS bigint)))) AS until
        FROM jsonb_each_text(COALESCE(revoked, '{}'))
    ) AS erased
    WHERE until IS NOT NULL
    """
)
