"""SQL of `api_problems`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId
from app.wechat_client.models import AccessToken, ApiProblem, EndedPause
from app.wechat_client.pauses import QUOTA_OF_THE_DAY, TOO_MANY_THIS_MINUTE, Pause

# A chart has up to 366 days.
ENDED_KEPT: Final = timedelta(days=400)
# A shorter outage changes no figure of a day.
OUTAGE_KEPT: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Note:
    """The latest result of some calls. error: None if the last one succeeded.

    at: when it failed, or when the call that succeeded began. count: failures that are not written
    yet. pause: if the calls wait.
    """

    error: ApiError | None
    at: datetime
    count: int = 0
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A pause that a success has ended. count: how many calls were refused."""

    errcode: int | None
    since: datetime
    count: int


async def write_failure(
    session: AsyncSession, appid: AppId, api: str, note: Note, error: ApiError
) -> bool:
    """Write a failure; return whether this errcode, or its pause, is new, for all processes."""
    pause = note.pause
    new = insert(ApiProblem).values(
        appid=appid,
        api=api,
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
        since=note.at,
        seen_at=note.at,
        count=note.count,
        probe_at=None if pause is None else pause.until,
        probes=0 if pause is None else pause.probes,
    )
    found = new.excluded
    goes_on = ApiProblem.errcode.is_not_distinct_from(found.errcode)
    written = ApiProblem.seen_at <= found.seen_at
    if pause is not None:
        # A few calls without an answer may be the begin of an outage, which is counted by itself.
        goes_on = and_(goes_on, ApiProblem.probe_at.is_not(None))
    else:
        # A call that got no answer tells nothing about what stops the others.
        written &= or_(ApiProblem.probe_at.is_(None), goes_on)
    count: int | None = await session.scalar(
        new.on_conflict_do_update(
            index_elements=[ApiProblem.appid, ApiProblem.api],
            set_={
                "errcode": found.errcode,
                "errmsg": found.errmsg,
                "rid": found.rid,
                "since": case((goes_on, ApiProblem.since), else_=found.since),
                "seen_at": found.seen_at,
                "count": found["count"] + case((goes_on, ApiProblem.count), else_=0),
                # Another process may have let a call through meanwhile.
                "probe_at": _later(goes_on, ApiProblem.probe_at, found.probe_at),
                "probes": _later(goes_on, ApiProblem.probes, found.probes),
            },
            where=written,
        ).returning(ApiProblem.count)
    )
    return count == note.count


def _later(goes_on: Any, stored: Any, found: Any) -> Any:  # noqa: ANN401 - SQL
    return case((goes_on, func.greatest(stored, found)), else_=found)


async def end(session: AsyncSession, appid: AppId, api: str, began: datetime) -> Ended | None:
    """Delete the problem that a call of this time has ended; return the pause that this ends."""
    deleted = await session.execute(
        delete(ApiProblem)
        .where(ApiProblem.appid == appid, ApiProblem.api == api, ApiProblem.seen_at <= began)
        .returning(ApiProblem.errcode, ApiProblem.since, ApiProblem.count, ApiProblem.probe_at)
    )
    row = deleted.one_or_none()
    if row is None or row.probe_at is None:
        return None
    if row.errcode is not None or began - row.since >= OUTAGE_KEPT:
        await _keep(session, [(appid, api, row.since, row.errcode)], began)
    return Ended(*row[:3])


async def prune_ended(session: AsyncSession, now: datetime) -> None:
    """Delete the pauses that no chart goes back to."""
    await session.execute(delete(EndedPause).where(EndedPause.since < now - ENDED_KEPT))


async def _keep(
    session: AsyncSession, pauses: Sequence[tuple[str, str, datetime, int | None]], until: datetime
) -> None:
    """Keep pauses that are over. pauses: AppID, API, begin and errcode."""
    rows = [
        {"appid": appid, "api": api, "since": since, "until": until, "errcode": errcode}
        for appid, api, since, errcode in sorted(pauses, key=lambda one: one[:2])
        if since < until
    ]
    if rows:
        await session.execute(insert(EndedPause).values(rows).on_conflict_do_nothing())


async def read_pauses(session: AsyncSession) -> dict[tuple[AppId, str], Pause]:
    """Return all calls that wait."""
    found = await session.scalars(select(ApiProblem).where(ApiProblem.probe_at.is_not(None)))
    return {(AppId(row.appid), row.api): _pause(row, row.probe_at) for row in found if row.probe_at}


async def read_without_token(session: AsyncSession, now: datetime) -> set[AppId]:
    """Return the accounts to which WeChat gives no access token, once their last one has ended."""
    lasts = (AccessToken.appid == ApiProblem.appid) & (AccessToken.expires_at > now)
    found = await session.scalars(
        select(ApiProblem.appid)
        .where(ApiProblem.api == "stable_token", ApiProblem.probe_at.is_not(None))
        .where(~select(AccessToken.appid).where(lasts).exists())
    )
    return {AppId(appid) for appid in found}


async def claim_probe(
    session: AsyncSession, appid: AppId, api: str, now: datetime, pause: timedelta
) -> bool:
    """Let one call through, if none was since `probe_at`; the next one may go after `pause`."""
    claimed = await session.scalar(
        update(ApiProblem)
        .where(ApiProblem.appid == appid, ApiProblem.api == api, ApiProblem.probe_at <= now)
        .values(probe_at=now + pause, probes=ApiProblem.probes + 1)
        .returning(ApiProblem.api)
    )
    return claimed is not None


async def read_pause(session: AsyncSession, appid: AppId, api: str) -> Pause | None:
    """Return whether some calls wait."""
    row = await session.get(ApiProblem, (appid, api))
    return None if row is None or row.probe_at is None else _pause(row, row.probe_at)


async def make_due(session: AsyncSession, now: datetime) -> None:
    """Let one call of each fault that is no used-up quota through now: it may be corrected."""
    is_quota = func.coalesce(ApiProblem.errcode.in_(QUOTA_OF_THE_DAY), False)
    await session.execute(
        update(ApiProblem)
        .where(ApiProblem.probe_at > now, ~is_quota)
        .values(probe_at=now, probes=0)
    )


async def end_used_up_quotas(session: AsyncSession, appid: AppId, now: datetime) -> None:
    """Let the calls of an account go on whose quota of the day was used up."""
    ended = await session.execute(
        delete(ApiProblem)
        .where(ApiProblem.appid == appid, ApiProblem.errcode.in_(QUOTA_OF_THE_DAY))
        .returning(ApiProblem.api, ApiProblem.since, ApiProblem.errcode, ApiProblem.probe_at)
    )
    pauses = [(appid, row.api, row.since, row.errcode) for row in ended if row.probe_at is not None]
    await _keep(session, pauses, now)


def _pause(row: ApiProblem, until: datetime) -> Pause:
    if row.errcode is None:
        return Pause(
            TransportError(row.errmsg, outcome_unknown=False), row.seen_at, until, row.probes
        )
    # The action is that of what stops calls; `action_for` does not know which API it was.
    action = Action.WAIT if row.errcode in QUOTA_OF_THE_DAY else Action.CONFIGURATION
    if row.errcode == TOO_MANY_THIS_MINUTE:
        action = Action.RETRY
    error = ApiError(row.errcode, row.errmsg, action, row.rid)
    return Pause(error, row.seen_at, until, row.probes)
