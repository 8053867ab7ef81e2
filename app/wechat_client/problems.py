"""What fails of an account's calls: the latest problem of each API, and which wait for its end.

Calls note it in memory, since nothing may be awaited between a send and the record of its result.
Each process writes its notes to `api_problems` and reads there which calls wait: at once when calls
have to wait, else every few seconds.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory
from app.wechat.errcodes import concerns_account, explain
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId
from app.wechat_client import problem_store
from app.wechat_client.errors import Paused
from app.wechat_client.pauses import (
    MINI_PROGRAM,
    OUTAGE_FAILURES,
    PROBE_TIME,
    Pause,
    begins_outage,
    pause_after,
    stops_calls,
)
from app.wechat_client.problem_store import Ended, Note

Api: TypeAlias = Literal[
    "stable_token",
    "message/custom/send",
    "media/upload",
    "user/info",
    "user/info/batchget",
    "user/get",
    "get_current_autoreply_info",
    "draft/add",
    "clear_quota",
    "get_current_selfmenu_info",
    "menu/create",
    "menu/get",
    "menu/delete",
    "menu/addconditional",
    "menu/delconditional",
    "menu/trymatch",
    "qrcode/create",
    "wxa/generate_urllink",
    "wxa/generatescheme",
    "wxa/genwxashortlink",
    "wxa/getwxacodeunlimit",
    "ticket/getticket",
    "wxaapi/newtmpl/gettemplate",
    "template/get_all_private_template",
    "message/subscribe/bizsend",
    "message/template/send",
    "openapi/quota/get",
    "datacube/getusersummary",
    "datacube/getusercumulate",
    "datacube/getupstreammsg",
    "datacube/getinterfacesummary",
    "datacube/getweanalysisappiddailyvisittrend",
    "datacube/getweanalysisappidvisitdistribution",
    "tags/get",
    "tags/create",
    "tags/update",
    "tags/delete",
    "tags/members/batchtagging",
    "tags/members/batchuntagging",
    "user/tag/get",
]

STORE_SECONDS: Final = 2.0
# What is unchanged is written so often, so that the others see that it goes on.
STORE_AGAIN: Final = timedelta(minutes=1)
LOG_AGAIN: Final = timedelta(hours=1)
# WeChat, or what stands before it, chooses the errcodes.
MAX_LOGGED: Final = 1000

log = structlog.get_logger()

_Key: TypeAlias = tuple[AppId, str]


def key_of(api: Api, mini_program: str | None = None) -> str:
    """Return the name of the calls of an API, or of those whose cards open one mini-program."""
    return api if mini_program is None else f"{api} {mini_program}"


class ApiProblems:
    """The problems that this process has met or knows of, and which are still to be written.

    logs: whether they are logged; a command tells the person who runs it instead.
    """

    def __init__(self, sessions: SessionFactory, clock: Clock, *, logs: bool) -> None:
        self._sessions = sessions
        self._clock = clock
        self._logs = logs
        self._notes: dict[_Key, Note] = {}
        self._stored: dict[_Key, Note] = {}
        self._logged: dict[tuple[_Key, int | str], datetime] = {}
        self._pauses: dict[_Key, Pause] = {}
        # The last failures of calls since one was answered.
        self._unanswered: dict[_Key, deque[datetime]] = {}
        self._without_token: set[AppId] = set()
        self._read = False
        self._hurry = asyncio.Event()
        self._at_work = asyncio.Lock()

    def pause(self, appid: AppId, api: Api, mini_program: str | None = None) -> Pause | None:
        """Return why such a call has to wait now, as far as this process knows."""
        now = self._clock.now()
        found = (self._pauses.get(key) for key in _keys(appid, api, mini_program))
        return next((pause for pause in found if pause and now < pause.until), None)

    def no_token(self, appid: AppId) -> Pause | None:
        """Return why an account has no access token and gets none now, as far as is known here."""
        return self.pause(appid, "stable_token") if appid in self._without_token else None

    def is_probed(self, appid: AppId, api: Api) -> bool:
        """Return whether all calls of an API waited, and a single one shows if they may go on."""
        return (appid, key_of(api)) in self._pauses

    async def admit(self, appid: AppId, api: Api, mini_program: str | None = None) -> None:
        """Return if a call may be made now. Raises Paused, and the errors of the database.

        When a pause is over, one call of one process is let through, and the others wait longer.
        """
        if not self._read:
            await self.read_pauses()
        for key in _keys(appid, api, mini_program):
            pause = self._pauses.get(key)
            if pause is not None and pause.until <= self._clock.now():
                pause = await self._claim(key, pause)
            if pause is not None:
                raise Paused(pause.error, pause.look_again_at(self._clock.now()))

    def failed(
        self, appid: AppId, api: Api, error: ApiError, mini_program: str | None = None
    ) -> datetime | None:
        """Note a call that failed; return until when such calls wait now, or None.

        Errcodes that concern one follower or one message are left to the caller. Any errcode is an
        answer, and ends the pause of an outage.
        """
        now = self._clock.now()
        is_over = error.errcode is not None and self._answered((appid, key_of(api)), now)
        if error.errcode is not None and not concerns_account(error.errcode):
            return None
        key = appid, key_of(api, mini_program if error.errcode in MINI_PROGRAM else None)
        # A text with a link is no card: what it opens is not known here.
        is_text = error.errcode in MINI_PROGRAM and mini_program is None
        pause = None if is_text else self._pause_after(key, error, now)
        if pause is None and (is_over or key in self._pauses):
            # That an outage is over is written first: a failure that goes on is met again. And a
            # call that was let through and got no answer tells nothing about a refusal.
            return None
        noted = self._notes.get(key)
        note = Note(error, now, 1, pause)
        if noted is not None and _kind(noted) == _kind(note):
            note = replace(note, count=noted.count + 1)
        self._notes[key] = note
        if pause is None:
            self._log_failure(key, error, now)
            return None
        self._pauses[key] = pause
        self._hurry.set()
        return pause.until

    def succeeded(
        self, appid: AppId, api: Api, began: datetime, mini_program: str | None = None
    ) -> None:
        """Note a call that succeeded: it ends the problems that were met before it began."""
        now = self._clock.now()
        self._answered((appid, key_of(api)), now)
        for key in _keys(appid, api, mini_program):
            pause = self._pauses.get(key)
            if pause is None or pause.seen_at <= began:
                self._end(key, began)

    def _answered(self, key: _Key, now: datetime) -> bool:
        """Note that WeChat answers a call; return whether this ends a pause: that of an outage."""
        self._unanswered.pop(key, None)
        pause = self._pauses.get(key)
        is_over = pause is not None and pause.is_outage
        if is_over:
            self._end(key, now)
        return is_over

    def _end(self, key: _Key, at: datetime) -> None:
        noted = self._notes.get(key)
        # Calls may be answered in another order than they began in.
        if noted is None or noted.error is not None or noted.at < at:
            self._notes[key] = Note(None, at)
        if self._pauses.pop(key, None) is not None:
            self._stored.pop(key, None)
            self._hurry.set()

    async def keep_stored(self) -> None:
        """Write what is new and read which calls wait every few seconds, until cancelled."""
        while True:
            self._hurry.clear()
            async with self._at_work:
                await self.store()
                await self.read_pauses()
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    async def rest(self) -> None:
        """Return once `keep_stored` reads and writes nothing."""
        async with self._at_work:
            return

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
                changes = [await _write(session, key, note) for key, note in due.items()]
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            log.warning("wechat.problems_not_stored", error=type(error).__name__)
            return
        self._stored |= due
        for key, note in due.items():
            current = self._notes[key]
            if _kind(current) == _kind(note):
                self._notes[key] = replace(current, count=current.count - note.count)
        if self._logs:
            for key, change in zip(due, changes, strict=True):
                _log_change(key, change)

    async def try_soon(self) -> None:
        """Let a call of each kind that waits through now: the settings may be corrected.

        Raises the errors of the database.
        """
        async with brief_transaction(self._sessions) as session:
            await problem_store.make_due(session, self._clock.now())
        await self.read_pauses()

    def _pause_after(self, key: _Key, error: ApiError, now: datetime) -> Pause | None:
        before = self._pauses.get(key)
        if isinstance(error, TransportError):
            if not self._is_outage(key, before, now):
                return None
        elif not stops_calls(error):
            return None
        if before is None or before.error.errcode != error.errcode:
            return Pause(error, now, now + pause_after(error, 0, now))
        # Who has let the call through has set the next time already.
        again_at = now + pause_after(error, before.probes, now)
        until = before.until if before.until > now else again_at
        return Pause(error, now, until, before.probes)

    def _is_outage(self, key: _Key, before: Pause | None, now: datetime) -> bool:
        if before is not None:
            return before.is_outage
        failures = self._unanswered.setdefault(key, deque(maxlen=OUTAGE_FAILURES))
        failures.append(now)
        return begins_outage(failures)

    async def _claim(self, key: _Key, pause: Pause) -> Pause | None:
        """Return None if this call may be made, else for how long it has to wait."""
        appid, api = key
        now = self._clock.now()
        longer = pause_after(pause.error, pause.probes + 1, now)
        async with brief_transaction(self._sessions) as session:
            claimed = await problem_store.claim_probe(session, appid, api, now, longer)
            current = await problem_store.read_pause(session, appid, api)
        if current is None:
            self._pauses.pop(key, None)
            return None
        current = replace(current, probing_until=now + PROBE_TIME)
        self._pauses[key] = current
        return None if claimed else current

    async def read_pauses(self) -> None:
        """Read which calls wait; leave it as it is known if the database is unavailable."""
        try:
            async with brief_transaction(self._sessions) as session:
                found = await problem_store.read_pauses(session)
                without_token = await problem_store.read_without_token(session, self._clock.now())
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError):
            return
        self._read, self._without_token = True, without_token
        unwritten = {key for key, note in self._notes.items() if self._is_due(key, note)}
        kept = {key: pause for key, pause in self._pauses.items() if key in unwritten}
        for key, pause in found.items():
            before = self._pauses.get(key)
            if before is not None and before.probes == pause.probes:
                found[key] = replace(pause, probing_until=before.probing_until)
        self._pauses = {key: one for key, one in found.items() if key not in unwritten} | kept

    def _is_due(self, key: _Key, note: Note) -> bool:
        stored = self._stored.get(key)
        if stored is None or _kind(stored) != _kind(note) or stored.pause != note.pause:
            return True
        return note.at - stored.at >= STORE_AGAIN

    def _log_failure(self, key: _Key, error: ApiError, now: datetime) -> None:
        """Log a failure that stops nothing, once an hour for each errcode."""
        if not self._logs:
            return
        kind = key, error.errmsg if error.errcode is None else error.errcode
        logged_at = self._logged.get(kind)
        if logged_at is None or now - logged_at >= LOG_AGAIN:
            self._logged[kind] = now
            while len(self._logged) > MAX_LOGGED:
                del self._logged[next(iter(self._logged))]
            _log(key, error)


def _keys(appid: AppId, api: Api, mini_program: str | None) -> Iterator[_Key]:
    yield appid, key_of(api)
    if mini_program is not None:
        yield appid, key_of(api, mini_program)


def _by_key(item: tuple[_Key, Note]) -> _Key:
    # All processes lock the rows in one order.
    return item[0]


def _kind(note: Note) -> tuple[int | None, str] | None:
    return None if note.error is None else (note.error.errcode, note.error.errmsg)


async def _write(session: AsyncSession, key: _Key, note: Note) -> Pause | Ended | None:
    """Write a note; return what is new to all processes: a pause, or the end of one."""
    if note.error is None:
        return await problem_store.end(session, *key, note.at)
    is_new = await problem_store.write_failure(session, *key, note, note.error)
    return note.pause if is_new else None


def _log_change(key: _Key, change: Pause | Ended | None) -> None:
    appid, api = key
    if isinstance(change, Pause):
        _log(key, change.error, change.until)
    elif change is not None:
        log.info(
            "wechat.calls_resumed",
            appid=appid,
            api=api,
            errcode=change.errcode,
            since=change.since.isoformat(),
            refused=change.count,
        )


def _log(key: _Key, error: ApiError, paused_until: datetime | None = None) -> None:
    appid, api = key
    until = None if paused_until is None else paused_until.isoformat()
    if error.errcode is None:
        log.warning(
            "wechat.call_failed", appid=appid, api=api, errmsg=error.errmsg, paused_until=until
        )
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
        paused_until=until,
    )
