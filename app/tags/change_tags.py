"""Creates, renames and deletes tags at WeChat, and stores what WeChat has done.

No session is open while WeChat is called. All raise ApiError; errors of this package as named.
"""

from app.access.actor import Actor
from app.clock import Clock
from app.db.engine import SessionFactory
from app.tags import store
from app.tags.models import Tag
from app.tags.retry_policy import UNKNOWN_TAG
from app.tags.wechat_tags import WeChatTags
from app.wechat.errors import ApiError
from app.wechat.ids import AppId

NAME_TAKEN = 45157


class TagChanger:
    """Changes the tags of accounts for a web process or a command."""

    def __init__(self, sessions: SessionFactory, wechat: WeChatTags, clock: Clock) -> None:
        self._sessions = sessions
        self._wechat = wechat
        self._clock = clock

    async def create(self, actor: Actor, appid: str, name: str) -> Tag:
        """Create a tag, and return it.

        If WeChat has a tag of this name (45157), such as one of a call whose answer was lost, it is
        stored before the error is raised.
        """
        try:
            tag_id = await self._wechat.create(AppId(appid), name)
        except ApiError as error:
            if error.errcode == NAME_TAKEN:
                await self._keep_named(appid, name)
            raise
        async with self._sessions.begin() as session:
            return await store.add(session, actor, appid, tag_id, name, self._clock.now())

    async def rename(self, actor: Actor, appid: str, tag_id: int, name: str) -> None:
        """Give a tag another name. Raises UnknownTag, SystemTag."""
        async with self._sessions.begin() as session:
            await store.require_own(session, appid, tag_id)
        await self._wechat.rename(AppId(appid), tag_id, name)
        async with self._sessions.begin() as session:
            await store.rename(session, actor, appid, tag_id, name, self._clock.now())

    async def delete(self, actor: Actor, appid: str, tag_id: int) -> None:
        """Delete a tag, which its followers lose. Raises UnknownTag, SystemTag."""
        async with self._sessions.begin() as session:
            await store.require_own(session, appid, tag_id)
        try:
            await self._wechat.delete(AppId(appid), tag_id)
        except ApiError as error:
            if error.errcode != UNKNOWN_TAG:  # else an earlier call has deleted it
                raise
        async with self._sessions.begin() as session:
            await store.remove(session, actor, appid, tag_id, self._clock.now())

    async def _keep_named(self, appid: str, name: str) -> None:
        found = [one for one in await self._wechat.list(AppId(appid)) if one.name == name]
        async with self._sessions.begin() as session:
            await store.keep(session, appid, found, self._clock.now())
