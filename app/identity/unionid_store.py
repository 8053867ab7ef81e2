"""SQL that records UnionIDs in `openids` and `unionid_changes`.

`unionid_resolution.record` calls it, and updates the tables of `events` in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import UnionIdSource
from app.identity.remarks import Remark
from app.wechat.ids import AccountOpenId

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
    confirmed: WeChat named it in a call about this one person, so that it may replace another one.
    remark: what an operator calls the person; None if WeChat did not say.
    """

    appid: str
    openid: str
    unionid: str | None
    reason: str | None = None
    ask_again_at: datetime | None = None
    erased_until: datetime | None = None
    how: str | None = None
    confirmed: bool = False
    remark: Remark | None = None


@dataclass(frozen=True, slots=True)
class RecordedResults:
    """Number of UnionIDs that changed, and the OpenIDs whose result conflicts with the stored one.

    Such an OpenID keeps its UnionID, and WeChat is to be asked about it in a call of its own.
    """

    changed: int
    conflicts: frozenset[AccountOpenId]


async def record_results(
    session: AsyncSession, results: Sequence[UnionIdResult], *, source: UnionIdSource, now: datetime
) -> RecordedResults:
    """Record results, one per OpenID. The OpenIDs must exist.

    A UnionID that differs from the stored one replaces it and is noted in `unionid_changes`, with
    two exceptions: answers of WeChat's batch call, whose rows may be shifted, replace nothing until
    they are confirmed, and a report never replaces what WeChat named. These are conflicts. For
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
        "confirmed": [result.confirmed for result in results],
    }
    found = await session.execute(_RECORD, columns | {"source": source.value, "now": now})
    (_, _, changed), *conflicts = found
    return RecordedResults(changed, frozenset((appid, openid) for appid, openid, _ in conflicts))


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
        SELECT o.appid, o.openid, o.unionid AS old, a.unionid, a.reason, a.next, a.until,
               COALESCE(
                   o.unionid <> a.unionid AND NOT a.confirmed
                   AND (:source = 'user_info' OR o.unionid_source = 'user_info'), false
               ) AS conflicts
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]),
                    CAST(:unionids AS text[]), CAST(:reasons AS text[]),
                    CAST(:nexts AS timestamptz[]), CAST(:untils AS timestamptz[]),
                    CAST(:confirmed AS boolean[]))
             AS a(appid, openid, unionid, reason, next, until, confirmed)
        JOIN openids o ON o.appid = a.appid AND o.openid = a.openid
        ORDER BY o.appid, o.openid
        FOR UPDATE OF o
    ), changed AS (
        INSERT INTO unionid_changes (appid, openid, old_unionid, new_unionid, seen_at, source)
        SELECT appid, openid, old, unionid, CAST(:now AS timestamptz), :source
        FROM locked WHERE old <> unionid AND NOT conflicts ORDER BY appid, openid
        RETURNING id
    ), known AS (
        UPDATE openids SET
            unionid = CASE WHEN locked.conflicts THEN locked.old
                           ELSE COALESCE(locked.unionid, locked.old) END,
            unionid_source = CASE WHEN locked.unionid IS NULL OR locked.conflicts
                                  THEN unionid_source
                                  WHEN locked.unionid = locked.old
                                       AND unionid_source = 'user_info' THEN unionid_source
                                  ELSE :source END,
            erased_until = GREATEST(openids.erased_until, locked.until),
            resolve_state = CASE WHEN COALESCE(locked.unionid, locked.old) IS NOT NULL
                                 THEN 'resolved'
                                 WHEN locked.next IS NULL THEN 'unavailable'
                                 ELSE 'pending' END,
            resolve_reason = CASE WHEN locked.until IS NOT NULL OR resolve_reason = 'erased'
                                  THEN 'erased'
                                  WHEN locked.conflicts OR
                                       (resolve_reason = 'unionid_conflict' AND :source = 'report')
                                  THEN 'unionid_conflict'
                                  WHEN COALESCE(locked.unionid, locked.old) IS NULL
                                  THEN locked.reason END,
            resolve_next_at = CASE WHEN locked.conflicts THEN CAST(:now AS timestamptz)
                                   WHEN resolve_reason = 'unionid_conflict' AND :source = 'report'
                                   THEN resolve_next_at
                                   WHEN COALESCE(locked.unionid, locked.old) IS NULL
                                   THEN locked.next END
        FROM locked WHERE openids.appid = locked.appid AND openids.openid = locked.openid
    )
    SELECT NULL AS appid, NULL AS openid, count(*) FROM changed
    UNION ALL
    SELECT appid, openid, 0 FROM locked WHERE conflicts
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
