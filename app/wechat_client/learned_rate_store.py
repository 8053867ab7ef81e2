"""SQL of `learned_rates`, and of the calls from which they are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat_client.call_rate import CallRate
from app.wechat_client.learned_rate import KEPT, MINUTE, LearnedRate
from app.wechat_client.models import ApiCallSpan, LearnedApiRate

SPAN: Final = timedelta(seconds=5)
# All processes have stored the calls that were made before the refusal by then (`call_counts`).
COUNTED_AFTER: Final = timedelta(seconds=15)
SPANS_KEPT: Final = timedelta(minutes=10)
MAX_LEARNED: Final = 10_000
_MAX_REFUSALS: Final = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """A rate that has just been counted, for all processes."""

    appid: str
    api: str
    learned: LearnedRate


@dataclass(frozen=True, slots=True)
class SlowedRate:
    """A learned rate that holds now."""

    appid: str
    api: str
    rate: CallRate
    refused_at: datetime


# A call that began before the refusal that is stored was under way then, and tells nothing new.
_NOTE: Final = text("""
INSERT INTO learned_rates AS known (appid, api, refused_at, refusals, counted)
VALUES (:appid, :api, :refused_at, 1, false)
ON CONFLICT (appid, api) DO UPDATE
SET refused_at = excluded.refused_at, counted = false, refusals = CASE
    WHEN known.refused_at < CAST(:repeated_since AS timestamptz) THEN 1
    ELSE LEAST(known.refusals + 1, :most) END
WHERE known.refused_at < CAST(:began AS timestamptz)
""")

# A call that tries whether a pause is over is refused when nothing was taken: that tells nothing
# about the rate. And one refusal halves a rate at most, since others may call for the account.
_COUNT: Final = text("""
UPDATE learned_rates AS known SET counted = true, calls = (
    SELECT CASE WHEN sum(s.calls) > 0 THEN GREATEST(sum(s.calls), known.calls / 2)
                ELSE known.calls END
    FROM api_call_spans s
    WHERE s.appid = known.appid AND s.api = known.api
      AND s.began_at > known.refused_at - CAST(:minute AS interval)
      AND s.began_at <= known.refused_at
)
WHERE NOT counted AND refused_at <= CAST(:before AS timestamptz)
RETURNING appid, api, refused_at, refusals, calls
""")


async def note_refusal(
    session: AsyncSession, appid: str, api: str, *, began: datetime, refused_at: datetime
) -> None:
    """Note that WeChat refused a call that began then, unless that is known already."""
    values = {
        "appid": appid,
        "api": api,
        "began": began,
        "refused_at": refused_at,
        "repeated_since": refused_at - KEPT,
        "most": _MAX_REFUSALS,
    }
    await session.execute(_NOTE, values)


async def count_due(session: AsyncSession, now: datetime) -> list[Counted]:
    """Count what WeChat took before the refusals of which that is not counted yet."""
    found = await session.execute(_COUNT, {"minute": MINUTE, "before": now - COUNTED_AFTER})
    return [
        Counted(appid, api, LearnedRate(refused_at, refusals, calls))
        for appid, api, refused_at, refusals, calls in found
    ]


async def read_learned(
    session: AsyncSession, now: datetime
) -> tuple[Mapping[tuple[str, str], LearnedRate], bool]:
    """Return the rates by account and API, and whether one of them is still to be counted."""
    found = await session.execute(
        select(
            LearnedApiRate.appid,
            LearnedApiRate.api,
            LearnedApiRate.refused_at,
            LearnedApiRate.refusals,
            LearnedApiRate.calls,
            LearnedApiRate.counted,
        )
        .where(LearnedApiRate.refused_at > now - KEPT)
        .limit(MAX_LEARNED)
    )
    learned, uncounted = {}, False
    for appid, api, refused_at, refusals, calls, counted in found:
        learned[appid, api] = LearnedRate(refused_at, refusals, calls)
        uncounted |= not counted
    return learned, uncounted


async def read_slowed(
    session: AsyncSession, appids: Sequence[str], now: datetime
) -> list[SlowedRate]:
    """Return the rates of these accounts that hold now, by account and API."""
    learned, _ = await read_learned(session, now)
    return [
        SlowedRate(appid, api, rate, one.refused_at)
        for (appid, api), one in sorted(learned.items(), key=lambda item: item[0])
        if appid in appids and (rate := one.rate(now)) is not None
    ]


async def delete_old(session: AsyncSession, now: datetime) -> list[tuple[str, str]]:
    """Delete what is forgotten; return the account and the API of each rate."""
    await session.execute(delete(ApiCallSpan).where(ApiCallSpan.began_at < now - SPANS_KEPT))
    found = await session.execute(
        delete(LearnedApiRate)
        .where(LearnedApiRate.refused_at <= now - KEPT)
        .returning(LearnedApiRate.appid, LearnedApiRate.api)
    )
    return [(appid, api) for appid, api in found]
