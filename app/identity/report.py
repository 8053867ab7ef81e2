"""What a mini-program's backend learnt at login. Source: protocol 8, UnionID rule 4."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.queue import enqueue
from app.identity.jobs import resolve_job
from app.identity.keying import Answer, record
from app.identity.models import UnionIdSource
from app.identity.schemas import Identity, Reported

_SEEN = text(
    """
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at)
    SELECT appid, openid, :now, :now
    FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS t(appid, openid)
    ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        last_seen_at = GREATEST(o.last_seen_at, EXCLUDED.last_seen_at)
    """
)


async def report(session: AsyncSession, identities: Sequence[Identity], now: datetime) -> Reported:
    """Take the reported UnionIDs over, and key every row of their OpenIDs."""
    unionids = {(one.appid, one.openid): one.unionid for one in identities}
    await session.execute(
        _SEEN,
        {
            "appids": [appid for appid, _ in unionids],
            "openids": [openid for _, openid in unionids],
            "now": now,
        },
    )
    answers = [Answer(appid, openid, unionid) for (appid, openid), unionid in unionids.items()]
    learnt = await record(session, answers, source=UnionIdSource.REPORT, now=now)
    await enqueue(session, [resolve_job(appid) for appid in learnt.woken])
    return Reported(received=len(identities), changed=learnt.changed)
