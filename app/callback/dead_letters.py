"""Deletes dead letters: spooled callbacks that the database refused.

They stay on the disk of the machine that spooled them, so that an operator can see what was
refused. They are deleted after RETENTION_DAYS, and when their sender is erased, as other pushes
are. A web process does it, because a worker on another machine cannot reach the file.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.callback.inbox import Inbox
from app.callback.spool import Spool, Spooled
from app.clock import Clock
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.tombstones.erasure_secret import ErasureSecret, ErasureSecretUnreadable
from app.tombstones.people import erased_among
from app.wechat.ids import AccountOpenId

PAUSE_SECONDS: Final = 60.0
_TRY_LATER: Final = (
    *UNAVAILABLE_ERRORS,
    SQLAlchemyError,
    sqlite3.Error,
    ErasureSecretUnreadable,
)

log = structlog.get_logger()


class _DeadLetter(BaseModel):
    """The members of a record that say whose it is and when it came; every release writes them."""

    appid: str
    openid: str
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetterPurge:
    """What the purge needs. secret: of the pseudonyms. kept_for: RETENTION_DAYS."""

    inbox: Inbox
    spool: Spool
    sessions: SessionFactory
    clock: Clock
    secret: ErasureSecret
    kept_for: timedelta


async def run(deps: DeadLetterPurge) -> None:
    """Purge every minute until cancelled; an unavailable database or disk is tried again."""
    while True:
        try:
            await deps.inbox.remove_drained()
            await purge(deps)
        except _TRY_LATER as error:
            log.warning("inbox.set_aside_not_looked_at", error=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)


async def purge(deps: DeadLetterPurge) -> int:
    """Delete dead letters that are too old, or older than the erasure of their sender.

    Records that no release can parse are deleted as well. Returns how many were deleted.
    """
    letters = {item.number: _read(item) for item in await deps.spool.dead_letters()}
    numbers: list[int] = []
    if letters:
        erased = await _erased_until(deps, [one for one in letters.values() if one is not None])
        oldest = deps.clock.now() - deps.kept_for
        numbers = [number for number, one in letters.items() if _is_due(one, erased, oldest)]
        await deps.spool.remove_dead_letters(numbers)
    await deps.inbox.recount_dead_letters()  # another process of the machine may have removed some
    return len(numbers)


def _read(item: Spooled) -> _DeadLetter | None:
    try:
        return _DeadLetter.model_validate_json(item.data)
    except ValidationError:
        return None


def _is_due(
    one: _DeadLetter | None, erased: dict[AccountOpenId, datetime], oldest: datetime
) -> bool:
    if one is None or one.received_at < oldest:
        return True
    until = erased.get((one.appid, one.openid))
    return until is not None and one.occurred_at <= until


async def _erased_until(
    deps: DeadLetterPurge, letters: Sequence[_DeadLetter]
) -> dict[AccountOpenId, datetime]:
    people = sorted({(one.appid, one.openid) for one in letters})
    async with deps.sessions.begin() as session:
        tombstones = await erased_among(session, deps.secret, people)
        marks = await session.execute(
            _MARKS,
            {"appids": [appid for appid, _ in people], "openids": [openid for _, openid in people]},
        )
        found = {(appid, openid): until for appid, openid, until in marks}
    for known, one in tombstones.items():
        found[known] = max(one.until, found.get(known, one.until))
    return found


# A revoked class of data counts, too: nobody looks which class a dead letter belongs to.
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
