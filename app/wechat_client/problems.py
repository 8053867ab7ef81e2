"""What WeChat refuses an account, for the log and for readiness: the latest problem of each API.

Calls note it in memory, since nothing may be awaited between a send and the record of its result.
Each process writes its notes to `api_problems` a few seconds later.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import structlog
from sqlalchemy import case, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.wechat.errcodes import concerns_account, explain
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.models import ApiProblem

Api: TypeAlias = Literal[
    "stable_token",
    "message/custom/send",
    "media/upload",
    "user/info",
    "user/info/batchget",
    "user/get",
    "get_current_autoreply_info",
    "wxa/generate_urllink",
    "wxa/generatescheme",
    "wxa/genwxashortlink",
    "wxa/getwxacodeunlimit",
]

STORE_SECONDS: Final = 5.0
# What is unchanged is written so often, so that the others see that it goes on.
STORE_AGAIN: Final = timedelta(minutes=1)
LOG_AGAIN: Final = timedelta(hours=1)
# WeChat, or what stands before it, chooses the errcodes.
MAX_LOGGED: Final = 1000

log = structlog.get_logger()

_Key: TypeAlias = tuple[AppId, Api]


@dataclass(frozen=True, slots=True)
class _Note:
    """The latest result of an API. error: None if the call succeeded. at: of this result."""

    error: ApiError | None
    at: datetime


class ApiProblems:
    """The problems that this process has met, and which of them are still to be written."""

    def __init__(self, sessions: SessionFactory, clock: Clock, *, logs: bool) -> None:
        self._sessions = sessions
        self._clock = clock
        self._logs = logs
        self._notes: dict[_Key, _Note] = {}
        self._stored: dict[_Key, _Note] = {}
        self._logged: dict[tuple[AppId, Api, int | str], datetime] = {}

    def failed(self, appid: AppId, api: Api, error: ApiError) -> None:
        """Note a call that failed. It is logged once an hour for each errcode.

        Errcodes that concern one follower or one message are left to the caller.
        """
        if error.errcode is not None and not concerns_account(error.errcode):
            return
        now = self._clock.now()
        self._notes[appid, api] = _Note(error, now)
        if not self._logs:
            return
        kind = (appid, api, error.errmsg if error.errcode is None else error.errcode)
        logged_at = self._logged.get(kind)
        if logged_at is None or now - logged_at >= LOG_AGAIN:
            self._logged[kind] = now
            while len(self._logged) > MAX_LOGGED:
                del self._logged[next(iter(self._logged))]
            _log(appid, api, error)

    def succeeded(self, appid: AppId, api: Api) -> None:
        """Note a call that succeeded: it ends the problem of its API."""
        self._notes[appid, api] = _Note(None, self._clock.now())

    async def keep_stored(self) -> None:
        """Write what is new every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(STORE_SECONDS)
            await self.store()

    async def store(self) -> None:
        """Write what is new; all of it later if the database is unavailable."""
        due = {
            key: note
            for key, note in sorted(self._notes.items(), key=_by_key)
            if self._is_due(key, note)
        }
        if not due:
            return
        try:
            async with brief_transaction(self._sessions) as session:
                for (appid, api), note in due.items():
                    await _write(session, appid, api, note)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            log.warning("wechat.problems_not_stored", error=type(error).__name__)
        else:
            self._stored |= due

    def _is_due(self, key: _Key, note: _Note) -> bool:
        stored = self._stored.get(key)
        if stored is None or _kind(stored) != _kind(note):
            return True
        return note.at - stored.at >= STORE_AGAIN


def _by_key(item: tuple[_Key, _Note]) -> _Key:
    # All processes lock the rows in one order.
    return item[0]


def _kind(note: _Note) -> tuple[int | None, str] | None:
    return None if note.error is None else (note.error.errcode, note.error.errmsg)


async def _write(session: AsyncSession, appid: AppId, api: Api, note: _Note) -> None:
    if note.error is None:
        await session.execute(
            delete(ApiProblem).where(
                ApiProblem.appid == appid, ApiProblem.api == api, ApiProblem.seen_at <= note.at
            )
        )
        return
    new = insert(ApiProblem).values(
        appid=appid,
        api=api,
        errcode=note.error.errcode,
        errmsg=note.error.errmsg,
        rid=note.error.rid,
        since=note.at,
        seen_at=note.at,
    )
    goes_on = ApiProblem.errcode.is_not_distinct_from(new.excluded.errcode)
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[ApiProblem.appid, ApiProblem.api],
            set_={
                "errcode": new.excluded.errcode,
                "errmsg": new.excluded.errmsg,
                "rid": new.excluded.rid,
                "since": case((goes_on, ApiProblem.since), else_=new.excluded.since),
                "seen_at": new.excluded.seen_at,
            },
            where=ApiProblem.seen_at <= new.excluded.seen_at,
        )
    )


def _log(appid: AppId, api: Api, error: ApiError) -> None:
    if error.errcode is None:
        log.warning("wechat.call_failed", appid=appid, api=api, errmsg=error.errmsg)
        return
    found = explain(error.errcode, "en", error.rid)
    log.warning(
        "wechat.call_refused",
        appid=appid,
        api=api,
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
        meaning=found.meaning,
        fix=found.fix,
    )
