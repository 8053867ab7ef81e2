"""WeChat's calls about tags, with the account's access token. No session may be open meanwhile.

All methods raise ApiError. Source: protocol 8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.tags.models import TagAction
from app.wechat.api import WeChatApi
from app.wechat.api_responses import FollowerPage
from app.wechat.ids import AppId
from app.wechat.tag_responses import ListedTag
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token


@dataclass(frozen=True, slots=True)
class WeChatTags:
    """Calls WeChat."""

    api: WeChatApi
    tokens: AccessTokens

    async def list(self, appid: AppId) -> list[ListedTag]:
        """Return the account's tags."""
        return await with_token(self.tokens, appid, self.api.tags, api="tags/get")

    async def create(self, appid: AppId, name: str) -> int:
        """Create a tag, and return its id."""
        return await with_token(
            self.tokens,
            appid,
            lambda token: self.api.create_tag(token, name),
            api="tags/create",
        )

    async def rename(self, appid: AppId, tag_id: int, name: str) -> None:
        """Give a tag another name."""
        await with_token(
            self.tokens,
            appid,
            lambda token: self.api.rename_tag(token, tag_id, name),
            api="tags/update",
        )

    async def delete(self, appid: AppId, tag_id: int) -> None:
        """Delete a tag."""
        await with_token(
            self.tokens,
            appid,
            lambda token: self.api.delete_tag(token, tag_id),
            api="tags/delete",
        )

    async def change(
        self, appid: AppId, action: TagAction, tag_id: int, openids: Sequence[str]
    ) -> None:
        """Tag or untag up to 50 followers."""
        if action is TagAction.TAG:
            await with_token(
                self.tokens,
                appid,
                lambda token: self.api.tag_followers(token, tag_id, openids),
                api="tags/members/batchtagging",
            )
        else:
            await with_token(
                self.tokens,
                appid,
                lambda token: self.api.untag_followers(token, tag_id, openids),
                api="tags/members/batchuntagging",
            )

    async def members(self, appid: AppId, tag_id: int, after: str | None) -> FollowerPage:
        """Return a page of the followers with a tag."""
        return await with_token(
            self.tokens,
            appid,
            lambda token: self.api.tag_members(token, tag_id, after),
            api="user/tag/get",
        )
