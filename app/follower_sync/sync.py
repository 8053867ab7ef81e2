"""Reads all followers of an account, and writes what happened while nobody listened.

Every page of `user/get` is asked about, 100 people a call. What the calls told is committed with
the marks of whom they were about, the counts, and the cursor, which stands behind the pages that
are recorded in full. So a process may end at any point: the next one lists the page at the cursor
again, and passes over whom it finds marked. When all are listed, followers without a mark are
asked about once more before they are recorded as gone: a listing alone must not end anybody's
following.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.advisory_lock import HeldLock, LockTaken, try_hold
from app.db.engine import Database, SessionFactory
from app.follower_sync import pipeline, run_store
from app.follower_sync.apply import Leave, Tombstones, apply
from app.follower_sync.diff import UserInfoBatch
from app.follower_sync.errors import AlreadyRunning
from app.follower_sync.models import FollowerSync
from app.follower_sync.page_tracker import ListingProgress, Page, Pages
from app.follower_sync.wechat_users import UserInfoClient
from app.tombstones.people import erased_among
from app.unionid_resolution.erased_unionids import erased_by_unionid
from app.wechat.api_responses import FollowerPage
from app.wechat.errors import ApiError
from app.wechat_client.batchget import BAD_OPENID, BATCHGET_LIMIT

UNSEEN_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. total: as WeChat gave it. found, gone: follows and unfollows written."""

    total: int
    asked: int
    found: int
    gone: int


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is owed to those who were erased, and to those who have left.

    secret: of the pseudonyms, as set. leave: told of everybody who is found to have left.
    """

    secret: SecretStr | None
    leave: Leave


async def sync(
    asker: UserInfoClient, database: Database, *, at_once: int, report: Report, privacy: Privacy
) -> Progress:
    """Synchronise the followers of an account, going on where an unfinished one ended.

    at_once: most calls under way. Raises AlreadyRunning, LockLost, and ApiError with everything
    kept that was read. A second one in a row writes nothing. Whoever was erased and has not
    followed since is passed over, and leaves no trace.
    """
    async with _only_one(database, asker.appid) as lock:
        sessions = database.sessions
        async with sessions() as session:
            run = await run_store.unfinished(session, asker.appid)
        if run is None:
            await _forget(sessions, asker.appid)
            async with sessions.begin() as session:
                run = await run_store.begin(session, asker.appid, asker.clock.now())
        work = _Work(asker, sessions, run, report, privacy, lock)
        if run.listed_at is None:
            await pipeline.run(work.listed(), work.ask, work.record, at_once=at_once)
            async with sessions.begin() as session:
                await run_store.set_listed(session, run.id, asker.clock.now())
        await pipeline.run(work.unseen(), asker.people, work.record_unseen, at_once=at_once)
        await lock.confirm()
        async with sessions.begin() as session:
            await run_store.finish(session, run.id, asker.clock.now())
        await _forget(sessions, asker.appid)
        return work.progress


@asynccontextmanager
async def _only_one(database: Database, appid: str) -> AsyncIterator[HeldLock]:
    """Be the only process that synchronises an account; raises AlreadyRunning otherwise."""
    try:
        async with try_hold(database.connect, lock_name(appid)) as lock:
            yield lock
    except LockTaken:
        raise AlreadyRunning from None


def lock_name(appid: str) -> str:
    """Return the name of the lock that keeps two synchronisations of an account apart."""
    return f"oa_bridge.followers.{appid}"


async def _forget(sessions: SessionFactory, appid: str) -> None:
    more = True
    while more:
        async with sessions.begin() as session:
            more = await run_store.forget_some(session, appid)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some people of a page."""

    openids: Sequence[str]
    page: Page


@dataclass(frozen=True, slots=True)
class _Answered:
    asked: UserInfoBatch
    page: Page


class _Work:
    """One synchronisation under way in this process."""

    def __init__(
        self,
        asker: UserInfoClient,
        sessions: SessionFactory,
        run: FollowerSync,
        report: Report,
        privacy: Privacy,
        lock: HeldLock,
    ) -> None:
        self._asker = asker
        self._sessions = sessions
        self._run = run
        self._report = report
        self._privacy = privacy
        self._lock = lock
        self._pages = Pages()
        self._listing = ListingProgress()
        self.progress = Progress(run.total, run.asked, run.found, run.gone)

    async def listed(self) -> AsyncIterator[_Batch]:
        """Yield everybody whom WeChat lists, but for those who are marked already."""
        cursor = self._run.cursor
        while True:
            found = await self._page(cursor)
            self._listing.check(found)
            self._now(replace(self.progress, total=found.total))
            async with self._sessions() as session:
                openids = await run_store.unmarked(
                    session, self._run.appid, list(dict.fromkeys(found.openids))
                )
            page = self._pages.begin(found.next_openid, -(-len(openids) // BATCHGET_LIMIT))
            for some in _hundreds(openids):
                yield _Batch(some, page)
            cursor = found.next_openid
            if cursor is None:
                return

    async def ask(self, batch: _Batch) -> _Answered:
        """Ask about people who are listed."""
        return _Answered(await self._asker.people(batch.openids), batch.page)

    async def record(self, answers: Sequence[_Answered]) -> None:
        """Write what is new of people who are listed.

        Who left since the page was listed gets no mark: their own event is on its way, and if it
        never comes, they are among the unseen in the end.
        """
        calls = [answer.asked.followers() for answer in answers]
        asked = [openid for call in calls for openid in call.openids]
        strangers = {openid for answer in answers for openid in answer.asked.strangers()}
        for answer in answers:
            answer.page.left -= 1
        cursor = self._pages.settle()
        await self._lock.confirm()
        async with self._sessions.begin() as session:
            forgotten = await self._gone(session, [*asked, *([cursor] if cursor else ())], calls)
            await run_store.mark(
                session,
                self._run.appid,
                [openid for openid in asked if openid not in strangers | forgotten.keys()],
            )
            at = None if cursor in forgotten else cursor
            await self._take_in(session, calls, at, len(asked), forgotten)

    async def unseen(self) -> AsyncIterator[Sequence[str]]:
        """Yield followers who are not listed."""
        after = ""
        while True:
            async with self._sessions() as session:
                openids = await run_store.unseen(session, self._run, after, UNSEEN_AT_ONCE)
            for some in _hundreds(openids):
                yield some
            if len(openids) < UNSEEN_AT_ONCE:
                return
            after = openids[-1]

    async def record_unseen(self, calls: Sequence[UserInfoBatch]) -> None:
        """Write who has gone of people who are not listed."""
        asked = [openid for call in calls for openid in call.openids]
        await self._lock.confirm()
        async with self._sessions.begin() as session:
            forgotten = await self._gone(session, asked, calls)
            await self._take_in(session, calls, None, 0, forgotten)

    async def _gone(
        self, session: AsyncSession, openids: Sequence[str], calls: Sequence[UserInfoBatch]
    ) -> Tombstones:
        """Return who has been erased, by their OpenID or by the UnionID that a call told."""
        appid, secret = self._run.appid, self._privacy.secret
        told = {
            (appid, str(info.openid)): str(info.unionid)
            for asked in calls
            for info in asked.infos
            if info.unionid is not None
        }
        found = await erased_among(session, secret, [(appid, openid) for openid in openids])
        theirs = await erased_by_unionid(session, secret, told)
        for known, one in theirs.items():
            until = found[known].until if known in found else one.until
            found[known] = replace(one, until=max(one.until, until))
        return {openid: one for (_, openid), one in found.items()}

    async def _page(self, cursor: str | None) -> FollowerPage:
        """The person at the cursor may be unknown by now: then the listing starts anew."""
        try:
            return await self._asker.page(cursor)
        except ApiError as error:
            if cursor is None or error.errcode != BAD_OPENID:
                raise
        self._listing.restart()
        return await self._asker.page(None)

    async def _take_in(
        self,
        session: AsyncSession,
        calls: Sequence[UserInfoBatch],
        cursor: str | None,
        asked: int,
        forgotten: Tombstones,
    ) -> None:
        found, left = await apply(
            session,
            self._run.appid,
            calls,
            self._asker.clock.now(),
            gone=forgotten,
            leave=self._privacy.leave,
        )
        before = self.progress
        reached = Progress(
            before.total, before.asked + asked, before.found + found, before.gone + left
        )
        await run_store.advance(session, self._run.id, cursor=cursor, **asdict(reached))
        self._now(replace(reached, total=self.progress.total))

    def _now(self, progress: Progress) -> None:
        self.progress = progress
        self._report(progress)


def _hundreds(openids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(openids), BATCHGET_LIMIT):
        yield openids[start : start + BATCHGET_LIMIT]
