"""Uploaded media: one upload serves all processes, and is renewed before it expires.

Source: protocol 6.4.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from app.clock import Clock
from app.db.brief import brief_transaction
from app.db.engine import Database
from app.wechat.api import WeChatApi
from app.wechat.ids import AppId
from app.wechat.outbound import MediaUse
from app.wechat_client.fetch_media import MediaFetcher
from app.wechat_client.media_source import identify, load
from app.wechat_client.models import Media
from app.wechat_client.single_flight import SingleFlight
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

MEDIA_LIFETIME = timedelta(days=3)
RENEW_AHEAD = timedelta(hours=12)
# Uploads that a process makes at once. Each holds its medium in memory, several times over.
MAX_UPLOADS = 16
MAX_VIDEO_UPLOADS = 2


@dataclass(frozen=True, slots=True)
class Uploads:
    """Returns media ids for the media that a reply names, uploading them where needed.

    folder: holds the files of `{"file": name}`. fetcher: downloads the URLs of `{"url": address}`.
    """

    database: Database
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock
    folder: Path
    fetcher: MediaFetcher
    # Only one task of a process waits for the lock of all processes.
    single_flight: SingleFlight = field(default_factory=SingleFlight)
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_UPLOADS))
    videos: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_VIDEO_UPLOADS))

    async def media_id(self, appid: AppId, use: MediaUse) -> str:
        """Return an id that is valid for at least 12 hours, from the table or by one upload.

        Raises ApiError, and MediaUnavailable when the medium can't be read or is too large.
        """
        if use.source.media_id is not None:
            return use.source.media_id
        source = f"{use.type}:{await identify(use.source, use.type, self.folder)}"
        stored = await self._stored(appid, source)
        if stored is not None:
            return stored
        async with self.single_flight.run((appid, source)):
            stored = await self._stored(appid, source)
            if stored is not None:
                return stored
            async with self.videos if use.type == "video" else self.uploads:
                return await self._upload_once(appid, source, use)

    async def _upload_once(self, appid: AppId, source: str, use: MediaUse) -> str:
        async with self.database.locks.hold(f"oa_bridge.media.{appid}.{source}"):
            stored = await self._stored(appid, source)
            return stored if stored is not None else await self._upload(appid, source, use)

    async def forget(self, appid: AppId, media_id: str) -> None:
        """Delete an id that WeChat does not know any more (40007), so that the next use uploads."""
        async with self.database.sessions.begin() as session:
            await session.execute(
                delete(Media).where(Media.appid == appid, Media.media_id == media_id)
            )

    async def _stored(self, appid: AppId, source: str) -> str | None:
        valid_until = self.clock.now() + RENEW_AHEAD
        async with brief_transaction(self.database.sessions) as session:
            found: str | None = await session.scalar(
                select(Media.media_id).where(
                    Media.appid == appid, Media.source == source, Media.expires_at > valid_until
                )
            )
        return found

    async def _upload(self, appid: AppId, source: str, use: MediaUse) -> str:
        content = await load(use.source, use.type, self.folder, self.fetcher)
        uploaded = await with_token(
            self.tokens,
            appid,
            lambda token: self.api.upload_media(token, use.type, content),
            api="media/upload",
        )
        await self._save(appid, source, uploaded.media_id, self.clock.now())
        return uploaded.media_id

    async def _save(self, appid: AppId, source: str, media_id: str, now: datetime) -> None:
        values = {"media_id": media_id, "uploaded_at": now, "expires_at": now + MEDIA_LIFETIME}
        statement = insert(Media).values(appid=appid, source=source, **values)
        async with self.database.sessions.begin() as session:
            await session.execute(
                statement.on_conflict_do_update(index_elements=["appid", "source"], set_=values)
            )
