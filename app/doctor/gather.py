"""Reads the facts that the checks judge. Every statement probes an index, or reads bounded rows."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import tokens
from app.campaigns.pools import read_pools
from app.clock import Clock
from app.datacube.read import asked_accounts
from app.datacube.report import judged
from app.db import migrate
from app.db.diagnosis import describe
from app.db.engine import Database
from app.doctor.facts import (
    Facts,
    Local,
    Probe,
    Pushes,
    Refusal,
    RefusedPushes,
    SentCards,
    Shared,
    Tokens,
)
from app.doctor.rules_reader import RulesReader
from app.first_id import first_id
from app.ops import database_state, stored_secrets
from app.ops.database_state import DATABASE_ERRORS
from app.privacy.store import OVERDUE_AFTER
from app.qrcodes import counts
from app.settings import Settings
from app.wechat_client.quota_store import read_uses

log = structlog.get_logger(__name__)

READ_SECONDS: Final = 10.0
DAY: Final = timedelta(days=1)
# An older result says little about now: no worker has looked since.
PROBE_VALID_FOR: Final = timedelta(hours=2)
MIN_PUSHES: Final = 20
# What a program has not needed for so long it hardly needs at all.
UNUSED_AFTER: Final = timedelta(days=30)
SLOW: Final = "the database answers too slowly: look at its load"

_VERSION: Final = text("SELECT current_setting('server_version_num')::int")

_REFUSALS: Final = text("""
SELECT appid, api, errcode, errmsg, rid, since, seen_at, count, probe_at FROM api_problems
WHERE seen_at > :day ORDER BY appid, api LIMIT 500
""")

_REFUSED_PUSHES: Final = text("""
SELECT appid, reason, sum(count)::bigint, max(seen_at) FROM callback_refusals
WHERE seen_at > :day GROUP BY appid, reason ORDER BY appid, reason LIMIT 500
""")

# The rhythm is that of the week before the last push: a long silence before that is none of it.
_PUSHES: Final = text("""
SELECT appid, count(*) FILTER (WHERE in_week), min(received_at) FILTER (WHERE in_week),
       max(received_at), count(*) FILTER (WHERE received_at > :day), min(received_at)
FROM (
    SELECT appid, received_at,
           received_at > max(received_at) OVER (PARTITION BY appid) - interval '7 days' AS in_week
    FROM (SELECT appid, received_at FROM callbacks ORDER BY id DESC LIMIT 2000) AS latest
) AS of_account
GROUP BY appid
""")

# Of an account that has not pushed lately: whether it ever did.
_EVER: Final = text("""
SELECT account.appid FROM unnest(CAST(:appids AS text[])) AS account (appid)
WHERE EXISTS (SELECT FROM callbacks WHERE callbacks.appid = account.appid)
""")

_SENT: Final = text("""
SELECT appid, CASE WHEN status = 'failed' THEN errcode END, content->>'appid',
       count(*), min(created_at), max(coalesce(sent_at, created_at))
FROM (
    SELECT appid, status, errcode, content, created_at, sent_at FROM replies
    WHERE id >= :first AND via = 'customer_service'
      AND (status = 'sent' OR (status = 'failed' AND errcode IS NOT NULL))
    ORDER BY id DESC LIMIT 5000
) AS latest
GROUP BY 1, 2, 3
""")

_UNIONIDS: Final = text("""
SELECT account.appid,
       CASE WHEN unionid IS NOT NULL AND resolve_reason IS DISTINCT FROM 'unionid_conflict'
            THEN 'resolved'
            WHEN resolve_reason IS NOT NULL THEN resolve_reason
            WHEN resolve_attempts > 0 THEN 'no_answer'
            ELSE 'not_yet_asked' END,
       count(*)
FROM unnest(CAST(:appids AS text[])) AS account (appid)
CROSS JOIN LATERAL (
    SELECT unionid, resolve_reason, resolve_attempts FROM openids
    WHERE openids.appid = account.appid LIMIT 10000
) AS counted
GROUP BY 1, 2
""")

_EXPIRING: Final = text("""
SELECT media_id, min(expires_at) AS ends FROM media
WHERE media_id = ANY(CAST(:media_ids AS text[])) AND expires_at < :tomorrow GROUP BY media_id
""")

_OLD_CONTENT: Final = text("""
SELECT received_at FROM callbacks WHERE payload <> '{}'::jsonb AND received_at < :before
ORDER BY received_at LIMIT 1
""")

_LATE_ERASURE: Final = text("""
SELECT requested_at FROM erasures
WHERE finished_at IS NULL AND needs_person IS NULL AND requested_at < :before
ORDER BY requested_at LIMIT 1
""")

_PROBES: Final = text("SELECT appid, probe, checked_at, result FROM doctor_probes")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from."""

    settings: Settings
    database: Database
    clock: Clock
    rules: RulesReader


async def gather(sources: Sources, local: Local | None) -> Facts:
    """Return the facts; what can't be read is left out, and the database's fault says why."""
    now, database = sources.clock.now(), sources.database
    facts = Facts(now, sources.settings, local)
    fault = await database_state.fault(database, READ_SECONDS)
    if fault is not None:
        return replace(facts, database_fault=fault)
    try:
        async with asyncio.timeout(READ_SECONDS):
            head, known = await asyncio.to_thread(migrate.revisions)
            current = await migrate.current(database.engine)
            behind = current != head and (current is None or current in known)
            facts = replace(facts, schema=(current, head), is_behind=behind)
            if behind:
                return facts
            return replace(facts, shared=await _read_shared(sources, now))
    except DATABASE_ERRORS as error:
        log.warning("doctor.facts_not_read", error=type(error).__name__, reason=describe(error))
        slow = isinstance(error, TimeoutError)
        return replace(facts, database_fault=SLOW if slow else describe(error))


async def _read_shared(sources: Sources, now: datetime) -> Shared:
    database, settings = sources.database, sources.settings
    snapshot = await database_state.read(database, READ_SECONDS)
    if snapshot is None:
        raise TimeoutError
    secrets = await stored_secrets.read(database, settings)
    rules = await sources.rules.read(database.sessions)
    named = {} if rules is None else rules.media_ids
    media_ids = sorted({media_id for ids in named.values() for media_id in ids})
    official = [one.appid for one in settings.accounts.values() if one.kind == "oa"]
    asked = [one.appid for one in asked_accounts(settings) if one.kind == "oa"]
    day = now - DAY
    async with database.sessions() as session:
        version = await session.scalar(_VERSION)
        return Shared(
            server_version=version or 0,
            snapshot=snapshot,
            secrets=secrets,
            permanent_qrcodes=await counts.permanent(session),
            pools=await read_pools(session, now),
            refusals=[Refusal(*row) for row in await _rows(session, _REFUSALS, day=day)],
            refused_pushes=[
                RefusedPushes(*row) for row in await _rows(session, _REFUSED_PUSHES, day=day)
            ],
            pushes=await _pushes(session, official, day),
            sent=[SentCards(*row) for row in await _rows(session, _SENT, first=first_id(day))],
            unionids=await _unionids(session, official),
            expiring=await _expiring(session, media_ids, now),
            overdue_content=await session.scalar(
                _OLD_CONTENT, {"before": now - timedelta(days=settings.retention_days) - DAY}
            ),
            overdue_erasure=await session.scalar(_LATE_ERASURE, {"before": now - OVERDUE_AFTER}),
            rules=rules,
            tokens=Tokens(
                await tokens.any_valid(session, now=now),
                dict(await tokens.unused_scopes(session, since=now - UNUSED_AFTER, now=now)),
            ),
            probes=await _probes(session, now),
            quotas=await read_uses(session, official, now),
            figures=await judged(session, asked, now),
        )


async def _rows(session: AsyncSession, statement: TextClause, **bound: object) -> Sequence[Any]:
    return (await session.execute(statement, bound)).all()


async def _pushes(
    session: AsyncSession, appids: Sequence[str], day: datetime
) -> Mapping[str, Pushes]:
    found: dict[str, Pushes] = {}
    earliest: datetime | None = None
    for appid, count, since, last, today, first in await _rows(session, _PUSHES, day=day):
        usual = (last - since).total_seconds() / (count - 1) if count >= MIN_PUSHES else None
        found[appid] = Pushes(last, usual, today)
        earliest = first if earliest is None else min(earliest, first)
    missing = [appid for appid in appids if appid not in found]
    if missing and earliest is not None:
        # It pushed before the others' latest ones: when exactly is not worth a scan.
        ever = await _rows(session, _EVER, appids=missing)
        found |= {appid: Pushes(earliest) for (appid,) in ever}
    return found


async def _unionids(
    session: AsyncSession, appids: Sequence[str]
) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for appid, reason, count in await _rows(session, _UNIONIDS, appids=list(appids)):
        found[appid][reason] = count
    return found


async def _expiring(
    session: AsyncSession, media_ids: Sequence[str], now: datetime
) -> Mapping[str, datetime]:
    if not media_ids:
        return {}
    rows = await _rows(session, _EXPIRING, media_ids=media_ids, tomorrow=now + DAY)
    return {row.media_id: row.ends for row in rows}


async def _probes(session: AsyncSession, now: datetime) -> Mapping[tuple[str, str], Probe]:
    rows = await _rows(session, _PROBES)
    return {
        (appid, name): Probe(checked_at, result)
        for appid, name, checked_at, result in rows
        if now - checked_at < PROBE_VALID_FOR
    }
