"""WeChat's API as async methods. Knows no database and keeps no access token."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import httpx

from app.wechat import api_responses
from app.wechat.api_responses import FollowerPage, StableToken, UploadedMedia, UserInfo
from app.wechat.errors import Action, ApiError
from app.wechat.ids import AppId, OpenId
from app.wechat.transport import Transport

MediaKind: TypeAlias = Literal["image", "voice", "video", "thumb"]

BATCHGET_LIMIT = 100

INVALID_CREDENTIAL = 40001
BAD_OPENID = 40003


class WeChatApi:
    """Async client of WeChat's API; every method raises ApiError, of which TransportError.

    base_url: `https://api.weixin.qq.com`, or a stand-in's address. timeout: for one whole call.
    client: the caller's, who also closes it; None: an own one.
    `token` in the methods is the account's access token.
    """

    def __init__(
        self, base_url: str, timeout: timedelta, client: httpx.AsyncClient | None = None
    ) -> None:
        self._transport = Transport(base_url, timeout, client)

    async def stable_token(
        self, appid: AppId, secret: str, *, force_refresh: bool = False
    ) -> StableToken:
        """Return the account's access token, the same one until 5 minutes before its end.

        force_refresh kills the old token at once and is for a leaked one only: at most 20 a day,
        30 s apart. Source: protocol 7.1.
        """
        body = {
            "grant_type": "client_credential",
            "appid": appid,
            "secret": secret,
            "force_refresh": force_refresh,
        }
        try:
            return api_responses.stable_token(
                await self._transport.post("/cgi-bin/stable_token", {}, body)
            )
        except ApiError as error:
            if error.errcode == INVALID_CREDENTIAL:
                # Elsewhere this is a stale token; here it is a wrong AppSecret (protocol 7.3).
                raise ApiError(
                    error.errcode, error.errmsg, Action.CONFIGURATION, error.rid
                ) from error
            raise

    async def custom_send(self, token: str, body: Mapping[str, Any]) -> None:
        """Send one customer-service message. Source: protocol 6.2.

        There is no idempotency key: after a TransportError with outcome_unknown the message may
        have arrived, so do not repeat it blindly.
        """
        await self._transport.post("/cgi-bin/message/custom/send", _auth(token), body)

    async def upload_media(
        self, token: str, kind: MediaKind, filename: str, content: bytes
    ) -> UploadedMedia:
        """Upload temporary media. filename: its ending tells WeChat the format.

        Source: protocol 6.4.
        """
        query = {**_auth(token), "type": kind}
        return api_responses.uploaded_media(
            await self._transport.upload("/cgi-bin/media/upload", query, filename, content)
        )

    async def user_info(self, token: str, openid: OpenId) -> UserInfo:
        """Return what WeChat tells about one person. Source: protocol 8."""
        query = {**_auth(token), "openid": openid, "lang": "zh_CN"}
        return api_responses.user_info(await self._transport.get("/cgi-bin/user/info", query))

    async def batchget(self, token: str, openids: Sequence[OpenId]) -> list[UserInfo]:
        """Return what WeChat tells about up to 100 people; match by OpenID, not by position.

        One bad OpenID may fail the whole call with 40003. Source: protocol 8.
        """
        people = [{"openid": openid, "lang": "zh_CN"} for openid in openids]
        return api_responses.user_infos(
            await self._transport.post(
                "/cgi-bin/user/info/batchget", _auth(token), {"user_list": people}
            )
        )

    async def user_get(self, token: str, next_openid: str | None = None) -> FollowerPage:
        """Return a page of up to 10,000 followers, after next_openid. Source: protocol 8."""
        query = _auth(token)
        if next_openid is not None:
            query["next_openid"] = next_openid
        return api_responses.follower_page(await self._transport.get("/cgi-bin/user/get", query))

    async def callback_ips(self, token: str) -> tuple[str, ...]:
        """Return the addresses that WeChat pushes from. Source: protocol 3.5."""
        return api_responses.callback_ips(
            await self._transport.get("/cgi-bin/getcallbackip", _auth(token))
        )

    async def current_autoreply_info(self, token: str) -> dict[str, Any]:
        """Return the automatic replies that were set up in the console, as WeChat tells them."""
        return await self._transport.get("/cgi-bin/get_current_autoreply_info", _auth(token))

    async def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        await self._transport.close()


def _auth(token: str) -> dict[str, str]:
    return {"access_token": token}
