"""Uploaded media: one upload of a content serves all processes, and is renewed before it expires.

Source: protocol 6.4.
"""

import asyncio
from contextlib import AbstractAsyncContextManager
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
from app.wechat_client.media_source import Medium, identify, load
from app.wechat_client.models import Media
from app.wechat_client.single_flight import SingleFlight
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import require_token, with_token

MEDIA_LIFETIME = timedelta(days=3)
RENEW_AHEAD = timedelta(hours=12)
# Uploads that a process makes at once. Each holds its medium in memory, several times over.
MAX_UPLOADS = 8
MAX_VIDEO_UPLOADS = 2


@dataclass(frozen=True, slots=True)
class _Upload:
    media_id: str
    at: datetime


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
        source = await identify(use, self.folder)
        stored = await self._stored(appid, source)
        if stored is not None:
            return stored.media_id
        async with self.single_flight.run((appid, source)):
            stored = await self._stored(appid, source)
            if stored is not None:
                return stored.media_id
            # Accounts that wait for their tokens would keep the others from uploading.
            await require_token(self.tokens, appid)
            async with self.videos if use.type == "video" else self.uploads:
                return await self._load_once(appid, source, use)

    async def _load_once(self, appid: AppId, source: str, use: MediaUse) -> str:
        async with self._alone(appid, source):
            stored = await self._stored(appid, source)
            if stored is None:
                medium = await load(use, self.folder, self.fetcher)
                if use.source.url is None:
                    stored = await self._upload(appid, medium, use)
                else:
                    # Another address, or a file, may have the same content.
                    stored = await self._upload_once(appid, medium, use)
                    await self._save(appid, source, stored)
            return stored.media_id

    async def _upload_once(self, appid: AppId, medium: Medium, use: MediaUse) -> _Upload:
        async with self._alone(appid, medium.key):
            stored = await self._stored(appid, medium.key)
            return stored if stored is not None else await self._upload(appid, medium, use)

    def _alone(self, appid: AppId, source: str) -> AbstractAsyncContextManager[None]:
        return self.database.locks.hold(f"oa_bridge.media.{appid}.{source}")

    async def forget(self, appid: AppId, media_id: str) -> None:
        """Delete an id that WeChat does not know any more (40007), so that the next use uploads."""
        async with self.database.sessions.begin() as session:
            await session.execute(
                delete(Media).where(Media.appid == appid, Media.media_id == media_id)
            )

    async def _stored(self, appid: AppId, source: str) -> _Upload | None:
        valid_until = self.clock.now() + RENEW_AHEAD
        async with brief_transaction(self.database.sessions) as session:
            found = await session.execute(
                select(Media.media_id, Media.uploaded_at).where(
                    Media.appid == appid, Media.source == source, Media.expires_at > valid_until
                )
            )
            row = found.one_or_none()
        return None if row is None else _Upload(row.media_id, row.uploaded_at)

    async def _upload(self, appid: AppId, medium: Medium, use: MediaUse) -> _Upload:
        uploaded = await with_token(
            self.tokens,
            appid,
            lambda token: self.api.upload_media(token, use.type, medium.content),
            api="media/upload",
        )
        upload = _Upload(uploaded.media_id, self.clock.now())
        await self._save(appid, medium.key, upload)
        return upload

    async def _save(self, appid: AppId, source: str, upload: _Upload) -> None:
        values = {
            "media_id": upload.media_id,
            "uploaded_at": upload.at,
            "expires_at": upload.at + MEDIA_LIFETIME,
        }
        statement = insert(Media).values(appid=appid, source=source, **values)
        async with self.database.sessions.begin() as session:
            await session.execute(
                statement.on_conflict_do_update(index_elements=["appid", "source"], set_=values)
            )
