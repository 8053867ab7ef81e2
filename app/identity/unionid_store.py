"""SQL that records UnionIDs in `openids` and `unionid_changes`.

`unionid_resolution.record` calls it, and updates the tables of `events` in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import UnionIdSource

# Every day, because the account may be bound to an Open Platform account at any time.
ASK_UNBOUND_AGAIN = timedelta(days=1)
# An OpenID that was asked about within this time is not woken: the answer would be the same.
FRESH_ANSWER = timedelta(minutes=1)
MAX_WOKEN = 1000


@dataclass(frozen=True, slots=True)
class UnionIdResult:
    """What is now known about the UnionID of one OpenID.

    unionid: None with a reason. ask_again_at: None when asking again is useless. erased_until: for
    an erased UnionID, contents up to then are erased. how: WeChat's subscribe_scene, if known.
    """

    appid: str
    openid: str
    unionid: str | None
    reason: str | None = None
    ask_again_at: datetime | None = None
    erased_until: datetime | None = None
    how: str | None = None


async def record_results(
    session: AsyncSession, results: Sequence[UnionIdResult], *, source: UnionIdSource, now: datetime
) -> int:
    """Record results, one per OpenID, and return how many UnionIDs changed. The OpenIDs must exist.

    A UnionID that differs from the stored one replaces it and is noted in `unionid_changes`. For
    each first or different UnionID the database adds a row to `identity_events`, which webhooks
    send as `identity.resolved` or `identity.changed`: the trigger `oa_bridge_identity_updated` on
    `openids` calls `oa_bridge_identity_learned`. Locks the openids rows in order of their keys.
    """
    columns = {
        "appids": [result.appid for result in results],
        "openids": [result.openid for result in results],
        "unionids": [result.unionid for result in results],
        "reasons": [result.reason for result in results],
        "nexts": [result.ask_again_at for result in results],
        "untils": [result.erased_until for result in results],
    }
    changed = await session.scalar(_RECORD, columns | {"source": source.value, "now": now})
    return changed or 0


async def wake_unbound(
    session: AsyncSession, appids: Iterable[str], now: datetime
) -> tuple[str, ...]:
    """Make up to MAX_WOKEN `not_bound` OpenIDs of each account due now.

    WeChat has just returned a UnionID for these accounts, so they have been bound to an Open
    Platform account. Returns the accounts that have such OpenIDs.
    """
    woken: list[str] = []
    for appid in sorted(appids):
        found = await session.execute(
            _WAKE,
            {
                "appid": appid,
                "now": now,
                "answered_by": now + ASK_UNBOUND_AGAIN - FRESH_ANSWER,
                "most": MAX_WOKEN,
            },
        )
        if found.first() is not None:
            woken.append(appid)
    return tuple(woken)


_RECORD = text(
    """
    WITH locked AS (
        SELECT o.appid, o.openid, o.unionid AS old, a.unionid, a.reason, a.next, a.until
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]),
                    CAST(:unionids AS text[]), CAST(:reasons AS text[]),
                    CAST(:nexts AS timestamptz[]), CAST(:untils AS timestamptz[]))
             AS a(appid, openid, unionid, reason, next, until)
        JOIN openids o ON o.appid = a.appid AND o.openid = a.openid
        ORDER BY o.appid, o.openid
        FOR UPDATE OF o
    ), changed AS (
        INSERT INTO unionid_changes (appid, openid, old_unionid, new_unionid, seen_at, source)
        SELECT appid, openid, old, unionid, CAST(:now AS timestamptz), :source
        FROM locked WHERE old <> unionid ORDER BY appid, openid
        RETURNING id
    ), known AS (
        UPDATE openids SET
            unionid = COALESCE(locked.unionid, locked.old),
            erased_until = GREATEST(openids.erased_until, locked.until),
            resolve_state = CASE WHEN COALESCE(locked.unionid, locked.old) IS NOT NULL
                                 THEN 'resolved'
                                 WHEN locked.next IS NULL THEN 'unavailable'
                                 ELSE 'pending' END,
            resolve_reason = CASE WHEN locked.until IS NOT NULL OR resolve_reason = 'erased'
                                  THEN 'erased'
                                  WHEN COALESCE(locked.unionid, locked.old) IS NULL
                                  THEN locked.reason END,
            resolve_next_at = CASE WHEN COALESCE(locked.unionid, locked.old) IS NULL
                                   THEN locked.next END
        FROM locked WHERE openids.appid = locked.appid AND openids.openid = locked.openid
    )
    SELECT count(*) FROM changed
    """
)

_WAKE = text(
    """
    WITH asleep AS MATERIALIZED (
        SELECT appid, openid FROM openids
        WHERE appid = :appid AND resolve_reason = 'not_bound'
          AND resolve_next_at > :now AND resolve_next_at <= :answered_by
        ORDER BY resolve_next_at LIMIT :most
        FOR UPDATE SKIP LOCKED
    )
    UPDATE openids SET resolve_next_at = :now FROM asleep
    WHERE openids.appid = asleep.appid AND openids.openid = asleep.openid
    RETURNING 1
    """
)
