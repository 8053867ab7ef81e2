"""SQL that records what is learnt about UnionIDs, and keys every row of the OpenIDs with it.

All of it in the caller's transaction. The openids rows are locked first and in order, as the
inbox does it: an event that is being stored at the same moment either sees the UnionID or is
keyed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity.models import UnionIdSource

# An account may be bound to an Open Platform account at any time.
ASK_UNBOUND_AGAIN = timedelta(days=1)
# Whoever was answered within this is not asked again because somebody else was resolved.
FRESH_ANSWER = timedelta(minutes=1)
MAX_WOKEN = 1000


@dataclass(frozen=True, slots=True)
class UnionIdResult:
    """What is known of one OpenID now.

    unionid: None with a reason. ask_again_at: None when asking again makes no sense.
    erased_until: what they did by then is erased. how: WeChat's subscribe_scene, if it was told.
    """

    appid: str
    openid: str
    unionid: str | None
    reason: str | None = None
    ask_again_at: datetime | None = None
    erased_until: datetime | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedUnionIds:
    """changed: OpenIDs that had another UnionID before. woken: accounts to ask about again."""

    changed: int
    woken: tuple[str, ...]


async def record_unionids(
    session: AsyncSession, answers: Sequence[UnionIdResult], *, source: UnionIdSource, now: datetime
) -> RecordedUnionIds:
    """Record answers, one per OpenID; the OpenIDs must be there.

    A UnionID that differs from the one we had replaces it and is noted in `unionid_changes`. For
    each first or different UnionID the database adds a row to `identity_events`, which webhooks
    send as `identity.resolved` or `identity.changed`: the trigger `oa_bridge_identity_updated` on
    `openids` calls `oa_bridge_identity_learned`.
    The first UnionID of an account that gave none shows that it has been bound: up to
    MAX_WOKEN of its people who were `not_bound` become due at once, more with each answer.
    """
    columns = {
        "appids": [answer.appid for answer in answers],
        "openids": [answer.openid for answer in answers],
        "unionids": [answer.unionid for answer in answers],
        "reasons": [answer.reason for answer in answers],
        "nexts": [answer.ask_again_at for answer in answers],
        "untils": [answer.erased_until for answer in answers],
    }
    changed = await session.scalar(_RECORD, columns | {"source": source.value, "now": now})
    resolved = [answer for answer in answers if answer.unionid is not None]
    keys = {
        "appids": [answer.appid for answer in resolved],
        "openids": [answer.openid for answer in resolved],
        "unionids": [answer.unionid for answer in resolved],
    }
    for statement in _KEYS:
        await session.execute(statement, keys)
    await _explain(session, [answer for answer in answers if answer.how is not None])
    return RecordedUnionIds(
        changed or 0, await _wake(session, {one.appid for one in resolved}, now)
    )


async def _explain(session: AsyncSession, answers: Sequence[UnionIdResult]) -> None:
    if not answers:
        return
    await session.execute(
        _EXPLAIN,
        {
            "appids": [answer.appid for answer in answers],
            "openids": [answer.openid for answer in answers],
            "hows": [answer.how for answer in answers],
        },
    )


async def _wake(session: AsyncSession, appids: set[str], now: datetime) -> tuple[str, ...]:
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

# How somebody came whose contents are erased is not learnt again.
_EXPLAIN = text(
    """
    UPDATE followers f SET how = a.how
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:hows AS text[]))
         AS a(appid, openid, how)
    JOIN openids o ON o.appid = a.appid AND o.openid = a.openid
    WHERE f.appid = a.appid AND f.openid = a.openid AND f.following AND f.how IS NULL
      AND (o.erased_until IS NULL OR f.followed_at > o.erased_until)
    """
)

# What happened keeps the UnionID it was keyed with; what is so now has the present one.
_KEYS = (
    text(
        """
        UPDATE follow_events SET unionid = a.unionid
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[]))
             AS a(appid, openid, unionid)
        WHERE follow_events.appid = a.appid AND follow_events.openid = a.openid
          AND follow_events.unionid IS NULL
        """
    ),
    text(
        """
        UPDATE subscription_events SET unionid = a.unionid
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[]))
             AS a(appid, openid, unionid)
        WHERE subscription_events.appid = a.appid AND subscription_events.openid = a.openid
          AND subscription_events.unionid IS NULL
        """
    ),
    text(
        """
        UPDATE followers SET unionid = a.unionid
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[]))
             AS a(appid, openid, unionid)
        WHERE followers.appid = a.appid AND followers.openid = a.openid
          AND followers.unionid IS DISTINCT FROM a.unionid
        """
    ),
    text(
        """
        UPDATE consents SET unionid = a.unionid
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[]), CAST(:unionids AS text[]))
             AS a(appid, openid, unionid)
        WHERE consents.appid = a.appid AND consents.openid = a.openid
          AND consents.unionid IS DISTINCT FROM a.unionid
        """
    ),
)
