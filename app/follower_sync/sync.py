"""Reads all followers of an account from WeChat and writes follows and unfollows that were missed.

For each page of `user/get` it calls `user/info/batchget`, 100 people per call. The answers are
committed together with the marks of these people, the counts, and the cursor, which points behind
the pages that are completely recorded. The process may therefore stop at any point: the next one
lists the page at the cursor again and skips the people who are marked. When all pages are recorded,
followers without a mark are asked about once more before their unfollow is recorded, because a
missing entry in a list does not prove an unfollow.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.advisory_lock import HeldLock, LockTaken, try_hold
from app.db.engine import Database, SessionFactory
from app.follower_sync import pipeline, run_store
from app.follower_sync.apply import OnUnfollows, Tombstones, apply
from app.follower_sync.diff import UserInfoBatch
from app.follower_sync.errors import AlreadyRunning
from app.follower_sync.models import FollowerSync
from app.follower_sync.page_tracker import ListingProgress, Page, Pages
from app.follower_sync.wechat_users import UserInfoClient
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.people import erased_among
from app.unionid_resolution.erased_unionids import erased_by_unionid
from app.wechat.api_responses import FollowerPage
from app.wechat.errors import ApiError
from app.wechat_client.batchget import BAD_OPENID, BATCHGET_LIMIT

UNLISTED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a sync.

    total: number of followers that WeChat returned. asked: people whose data was read. found, gone:
    follows and unfollows that were written.
    """

    total: int
    asked: int
    found: int
    gone: int


Report = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Privacy:
    """What the sync needs to respect erasures.

    secret: ERASURE_HMAC_SECRET, for the pseudonyms. on_unfollows: is called with the unfollows that
    the sync writes.
    """

    secret: ErasureSecret
    on_unfollows: OnUnfollows


async def sync(
    client: UserInfoClient, database: Database, *, at_once: int, report: Report, privacy: Privacy
) -> Progress:
    """Sync the followers of an account; an unfinished sync is continued.

    at_once: maximum number of concurrent calls. Raises AlreadyRunning, LockLost, and ApiError;
    everything that was read before is kept. A second sync without changes at WeChat writes no
    events. People who were erased and have not followed since are skipped and are not stored.
    """
    async with _only_one(database, client.appid) as lock:
        sessions = database.sessions
        async with sessions() as session:
            run = await run_store.unfinished(session, client.appid)
        if run is None:
            await _delete_marks(sessions, client.appid)
            async with sessions.begin() as session:
                run = await run_store.begin(session, client.appid, client.clock.now())
        work = _Work(client, sessions, run, report, privacy, lock)
        if run.listed_at is None:
            await pipeline.run(work.listed(), work.ask, work.record, at_once=at_once)
            async with sessions.begin() as session:
                await run_store.set_listed(session, run.id, client.clock.now())
        await pipeline.run(work.unlisted(), client.people, work.record_unlisted, at_once=at_once)
        await lock.confirm()
        async with sessions.begin() as session:
            await run_store.finish(session, run.id, client.clock.now())
        await _delete_marks(sessions, client.appid)
        return work.progress


@asynccontextmanager
async def _only_one(database: Database, appid: str) -> AsyncIterator[HeldLock]:
    """Hold the lock of an account. Raises AlreadyRunning if another process holds it."""
    try:
        async with try_hold(database.connect, lock_name(appid)) as lock:
            yield lock
    except LockTaken:
        raise AlreadyRunning from None


def lock_name(appid: str) -> str:
    """Return the name of the advisory lock: an account has one running sync at most."""
    return f"oa_bridge.followers.{appid}"


async def _delete_marks(sessions: SessionFactory, appid: str) -> None:
    more = True
    while more:
        async with sessions.begin() as session:
            more = await run_store.delete_some_marks(session, appid)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Up to 100 OpenIDs of a page."""

    openids: Sequence[str]
    page: Page


@dataclass(frozen=True, slots=True)
class _Answered:
    """The answer about a batch."""

    call: UserInfoBatch
    page: Page


class _Work:
    """One sync in this process."""

    def __init__(
        self,
        client: UserInfoClient,
        sessions: SessionFactory,
        run: FollowerSync,
        report: Report,
        privacy: Privacy,
        lock: HeldLock,
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._run = run
        self._report = report
        self._privacy = privacy
        self._lock = lock
        self._pages = Pages()
        self._listing = ListingProgress()
        self.progress = Progress(run.total, run.asked, run.found, run.gone)

    async def listed(self) -> AsyncIterator[_Batch]:
        """Yield the people whom WeChat lists, without those who are marked already."""
        cursor = self._run.cursor
        while True:
            found = await self._page(cursor)
            self._listing.check(found)
            self._set_progress(replace(self.progress, total=found.total))
            async with self._sessions() as session:
                openids = await run_store.unmarked(
                    session, self._run.appid, list(dict.fromkeys(found.openids))
                )
            page = self._pages.begin(found.next_openid, -(-len(openids) // BATCHGET_LIMIT))
            for batch in _hundreds(openids):
                yield _Batch(batch, page)
            cursor = found.next_openid
            if cursor is None:
                return

    async def ask(self, batch: _Batch) -> _Answered:
        """Ask WeChat about listed people."""
        return _Answered(await self._client.people(batch.openids), batch.page)

    async def record(self, answers: Sequence[_Answered]) -> None:
        """Write what is new about listed people.

        A person who unfollowed after the page was read gets no mark. The unsubscribe push is on its
        way; if it never arrives, the person is among the unlisted ones at the end.
        """
        calls = [answer.call.followers_only() for answer in answers]
        asked = [openid for call in calls for openid in call.openids]
        not_following = {openid for answer in answers for openid in answer.call.not_following()}
        for answer in answers:
            answer.page.left -= 1
        cursor = self._pages.drop_recorded()
        await self._lock.confirm()
        async with self._sessions.begin() as session:
            openids = [*asked, *([cursor] if cursor else ())]
            tombstones = await self._tombstones(session, openids, calls)
            await run_store.mark(
                session,
                self._run.appid,
                [openid for openid in asked if openid not in not_following | tombstones.keys()],
            )
            # The OpenID of an erased person must not be stored, not even as the cursor.
            allowed = None if cursor in tombstones else cursor
            await self._write(session, calls, allowed, len(asked), tombstones)

    async def unlisted(self) -> AsyncIterator[Sequence[str]]:
        """Yield followers whom WeChat did not list, up to 100 each time."""
        after = ""
        while True:
            async with self._sessions() as session:
                openids = await run_store.unlisted(session, self._run, after, UNLISTED_AT_ONCE)
            for batch in _hundreds(openids):
                yield batch
            if len(openids) < UNLISTED_AT_ONCE:
                return
            after = openids[-1]

    async def record_unlisted(self, calls: Sequence[UserInfoBatch]) -> None:
        """Write the unfollows of people whom WeChat did not list."""
        asked = [openid for call in calls for openid in call.openids]
        await self._lock.confirm()
        async with self._sessions.begin() as session:
            tombstones = await self._tombstones(session, asked, calls)
            await self._write(session, calls, None, 0, tombstones)

    async def _tombstones(
        self, session: AsyncSession, openids: Sequence[str], calls: Sequence[UserInfoBatch]
    ) -> Tombstones:
        """Return the tombstones of the OpenIDs, and of the UnionIDs that the calls returned."""
        appid, secret = self._run.appid, self._privacy.secret
        unionids = {
            (appid, str(info.openid)): str(info.unionid)
            for call in calls
            for info in call.infos
            if info.unionid is not None
        }
        found = await erased_among(session, secret, [(appid, openid) for openid in openids])
        by_unionid = await erased_by_unionid(session, secret, unionids)
        for known, one in by_unionid.items():
            until = found[known].until if known in found else one.until
            found[known] = replace(one, until=max(one.until, until))
        return {openid: one for (_, openid), one in found.items()}

    async def _page(self, cursor: str | None) -> FollowerPage:
        """Return the page after the cursor; the first page if WeChat rejects the cursor.

        The cursor is an OpenID, and WeChat may no longer know it.
        """
        try:
            return await self._client.page(cursor)
        except ApiError as error:
            if cursor is None or error.errcode != BAD_OPENID:
                raise
        self._listing.restart()
        return await self._client.page(None)

    async def _write(
        self,
        session: AsyncSession,
        calls: Sequence[UserInfoBatch],
        cursor: str | None,
        asked: int,
        tombstones: Tombstones,
    ) -> None:
        follows, unfollows = await apply(
            session,
            self._run.appid,
            calls,
            self._client.clock.now(),
            tombstones=tombstones,
            on_unfollows=self._privacy.on_unfollows,
        )
        before = self.progress
        reached = Progress(
            before.total, before.asked + asked, before.found + follows, before.gone + unfollows
        )
        await run_store.advance(session, self._run.id, cursor=cursor, **asdict(reached))
        self._set_progress(replace(reached, total=self.progress.total))

    def _set_progress(self, progress: Progress) -> None:
        self.progress = progress
        self._report(progress)


def _hundreds(openids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(openids), BATCHGET_LIMIT):
        yield openids[start : start + BATCHGET_LIMIT]
