"""WeChat's API as async methods. The client uses no database and keeps no access token."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from app.wechat import api_responses, tag_responses
from app.wechat.api_responses import (
    MAX_QR_SECONDS,
    FollowerPage,
    JsapiTicket,
    ListedTemplate,
    QrTicket,
    Quota,
    StableToken,
    UploadedMedia,
    UserInfo,
)
from app.wechat.client import Client
from app.wechat.datacube import FORMS, FigureCall, FigureRow, figure_rows
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId, OpenId
from app.wechat.link_target import LinkTarget
from app.wechat.media_format import MediaKind, upload_name
from app.wechat.tag_responses import ListedTag
from app.wechat.transport import Transport

INVALID_CREDENTIAL = 40001
NO_MENU = 46003
UNKNOWN_MENUID = 65301
NEEDS_GET = 43001
# Of the operators from which WeChat can look at the callback URL, the one that it chooses itself.
ANY_OPERATOR = "DEFAULT"
_AUTOREPLY_MEMBERS = ("is_add_friend_reply_open", "is_autoreply_open", "keyword_autoreply_info")


class WeChatApi:
    """Async client of WeChat's API. Every method may raise ApiError or its subclass TransportError.

    base_url: `https://api.weixin.qq.com`, or the simulator's address. timeout: for one whole call.
    client: is used and not closed; with None the object makes its own, and `close` closes it.
    In the methods, `token` is the account's access token.
    """

    def __init__(self, base_url: str, timeout: timedelta, client: Client | None = None) -> None:
        self._transport = Transport(base_url, timeout, client)

    async def stable_token(
        self, appid: AppId, secret: str, *, force_refresh: bool = False
    ) -> StableToken:
        """Return the account's access token. WeChat gives a new one 5 minutes before it expires.

        force_refresh: makes the old token invalid at once. Use it for a leaked token only; WeChat
        allows 20 such calls a day, at least 30 s apart. Source: protocol 7.1.
        """
        body = {
            "grant_type": "client_credential",
            "appid": appid,
            "secret": secret,
            "force_refresh": force_refresh,
        }
        try:
            return api_responses.stable_token(
                await self._transport.post("/cgi-bin/stable_token", {}, body, ("access_token",))
            )
        except ApiError as error:
            if error.errcode == INVALID_CREDENTIAL:
                # In other calls 40001 means a stale token, here a wrong AppSecret (protocol 7.3).
                raise ApiError(
                    error.errcode, error.errmsg, Action.CONFIGURATION, error.rid
                ) from error
            raise

    async def custom_send(self, token: str, body: Mapping[str, Any]) -> None:
        """Send one customer-service message. Source: protocol 6.2.

        There is no idempotency key. After a TransportError with outcome_unknown the message may
        have arrived, so the caller must not simply repeat the call.
        """
        await self._transport.post("/cgi-bin/message/custom/send", _auth(token), body)

    async def upload_media(self, token: str, kind: MediaKind, content: bytes) -> UploadedMedia:
        """Upload temporary media. Source: protocol 6.4."""
        query = {**_auth(token), "type": kind}
        filename = upload_name(kind, content)
        return api_responses.uploaded_media(
            await self._transport.upload(
                "/cgi-bin/media/upload",
                query,
                filename,
                content,
                ("media_id", "thumb_media_id"),
            )
        )

    async def user_info(self, token: str, openid: OpenId) -> UserInfo:
        """Return WeChat's information about one person. Source: protocol 8."""
        query = {**_auth(token), "openid": openid, "lang": "zh_CN"}
        return api_responses.user_info(
            await self._transport.get("/cgi-bin/user/info", query, ("openid",))
        )

    async def batchget(self, token: str, openids: Sequence[OpenId]) -> list[UserInfo]:
        """Return WeChat's information about up to 100 people, in any order: match by OpenID.

        One invalid OpenID may fail the whole call with 40003. Source: protocol 8.
        """
        people = [{"openid": openid, "lang": "zh_CN"} for openid in openids]
        return api_responses.user_infos(
            await self._transport.post(
                "/cgi-bin/user/info/batchget",
                _auth(token),
                {"user_list": people},
                ("user_info_list",),
            )
        )

    async def user_get(self, token: str, next_openid: str | None = None) -> FollowerPage:
        """Return a page of up to 10,000 followers after next_openid. Source: protocol 8."""
        query = _auth(token)
        if next_openid is not None:
            query["next_openid"] = next_openid
        return api_responses.follower_page(
            await self._transport.get("/cgi-bin/user/get", query, ("total",))
        )

    async def callback_ips(self, token: str) -> tuple[str, ...]:
        """Return the IP addresses from which WeChat pushes. Source: protocol 3.5."""
        return api_responses.callback_ips(
            await self._transport.get("/cgi-bin/getcallbackip", _auth(token), ("ip_list",))
        )

    async def current_autoreply_info(self, token: str) -> dict[str, Any]:
        """Return the automatic replies that are configured in the console, as WeChat sends them."""
        return await self._transport.get(
            "/cgi-bin/get_current_autoreply_info", _auth(token), _AUTOREPLY_MEMBERS
        )

    async def current_selfmenu_info(self, token: str) -> dict[str, Any]:
        """Return the custom menu that followers see, as WeChat sends it. Source: linkage 1.5."""
        return await self._transport.get(
            "/cgi-bin/get_current_selfmenu_info", _auth(token), ("is_menu_open", "selfmenu_info")
        )

    async def callback_check(self, token: str) -> tuple[str, ...]:
        """Return the addresses that WeChat finds for the host of the account's callback URL.

        errcode 40201: the console has no callback URL. Source: linkage 8.
        """
        body = {"action": "dns", "check_operator": ANY_OPERATOR}
        return api_responses.callback_addresses(
            await self._transport.post("/cgi-bin/callback/check", _auth(token), body, ("dns",))
        )

    async def quota(self, token: str, cgi_path: str) -> Quota:
        """Return how much of an API's quota of the day is used. Source: protocol 7.4; linkage 7.

        cgi_path: with a slash in front and without the host.
        """
        return api_responses.quota(
            await self._transport.post(
                "/cgi-bin/openapi/quota/get", _auth(token), {"cgi_path": cgi_path}, ("quota",)
            )
        )

    async def add_draft(self, token: str, article: Mapping[str, Any]) -> str:
        """Add a draft with one article, and return its media_id. Source: linkage 12.1.

        errcode 45166: the content is not accepted. After a TransportError with outcome_unknown the
        draft may exist, so the caller must not simply repeat the call.
        """
        return api_responses.draft_media_id(
            await self._transport.post(
                "/cgi-bin/draft/add", _auth(token), {"articles": [article]}, ("media_id",)
            )
        )

    async def clear_quota(self, token: str, appid: AppId) -> None:
        """Let the quotas of all APIs of the account begin anew. Source: protocol 7.4; linkage 7.

        appid: of the account whose token it is. WeChat allows ten such calls a month (48006).
        """
        await self._transport.post("/cgi-bin/clear_quota", _auth(token), {"appid": appid})

    async def generate_urllink(self, token: str, target: LinkTarget, days: int) -> str:
        """Return a URL Link that lives `days` days, 1 to 30. Source: protocol 9.4; linkage 5.1.

        token: the mini-program's own. Repeating the call makes another link, and costs quota alone.
        """
        body = {**target.as_json(), **_expiry(days)}
        return api_responses.link(
            await self._transport.post("/wxa/generate_urllink", _auth(token), body, ("url_link",)),
            "url_link",
        )

    async def generate_scheme(self, token: str, target: LinkTarget, days: int) -> str:
        """Return a URL Scheme that lives `days` days, 1 to 30. Source: linkage 5.1."""
        body = {"jump_wxa": target.as_json(), **_expiry(days)}
        return api_responses.link(
            await self._transport.post("/wxa/generatescheme", _auth(token), body, ("openlink",)),
            "openlink",
        )

    async def short_link(self, token: str, page_url: str, title: str, *, permanent: bool) -> str:
        """Return a short link, which opens inside WeChat alone. Source: protocol 9.4; linkage 5.4.

        page_url: with its query, at most 1,024 characters. title: cut by WeChat after 20.
        """
        body = {"page_url": page_url, "page_title": title, "is_permanent": permanent}
        return api_responses.link(
            await self._transport.post("/wxa/genwxashortlink", _auth(token), body, ("link",)),
            "link",
        )

    async def mini_program_code(self, token: str, body: Mapping[str, Any]) -> bytes:
        """Return the picture of a mini-program code of the unlimited kind. Source: linkage 5.5.

        body: `scene` and what else the call takes.
        """
        return await self._transport.post_for_picture("/wxa/getwxacodeunlimit", _auth(token), body)

    async def jsapi_ticket(self, token: str) -> JsapiTicket:
        """Return a ticket to sign web pages with. Source: protocol 9.6; linkage 6.1."""
        query = {**_auth(token), "type": "jsapi"}
        return api_responses.jsapi_ticket(
            await self._transport.get("/cgi-bin/ticket/getticket", query, ("ticket",))
        )

    async def menu_create(self, token: str, button: Sequence[Mapping[str, Any]]) -> None:
        """Replace the default menu. Repeating the call changes nothing. Source: linkage 1.1."""
        await self._transport.post("/cgi-bin/menu/create", _auth(token), {"button": list(button)})

    async def menu_get(self, token: str) -> dict[str, Any] | None:
        """Return the menus that the API made, as WeChat sends them; None: there is none.

        Source: linkage 1.4.
        """
        try:
            return await self._transport.get("/cgi-bin/menu/get", _auth(token), ("menu",))
        except ApiError as error:
            if error.errcode == NO_MENU:
                return None
            raise

    async def menu_delete(self, token: str) -> None:
        """Delete the default menu and all conditional ones."""
        try:
            await self._transport.get("/cgi-bin/menu/delete", _auth(token), ())
        except ApiError as error:
            if error.errcode != NO_MENU:
                raise

    async def menu_addconditional(self, token: str, body: Mapping[str, Any]) -> str:
        """Add a conditional menu, which becomes the newest, and return its menuid.

        body: `button` and `matchrule`. After a TransportError with outcome_unknown the menu may be
        there, without anybody knowing its menuid. Source: linkage 1.3.
        """
        return api_responses.menuid(
            await self._transport.post(
                "/cgi-bin/menu/addconditional", _auth(token), body, ("menuid",)
            )
        )

    async def menu_delconditional(self, token: str, menuid: str) -> None:
        """Delete a conditional menu; nothing happens if it is deleted already."""
        try:
            await self._transport.post(
                "/cgi-bin/menu/delconditional", _auth(token), {"menuid": menuid}
            )
        except ApiError as error:
            if error.errcode != UNKNOWN_MENUID:
                raise

    async def menu_trymatch(self, token: str, user_id: str) -> dict[str, Any]:
        """Return the menu that a follower sees, as WeChat sends it. user_id: the OpenID.

        errcode 65302: the person does not follow. Source: linkage 1.3.
        """
        return await self._transport.post(
            "/cgi-bin/menu/trymatch", _auth(token), {"user_id": user_id}, ("button", "menu")
        )

    async def notice_templates(self, token: str) -> list[ListedTemplate]:
        """Return the account's templates of subscription notices. Source: linkage 2.1."""
        return api_responses.notice_templates(
            await self._transport.get("/wxaapi/newtmpl/gettemplate", _auth(token), ("data",))
        )

    async def message_templates(self, token: str) -> list[ListedTemplate]:
        """Return the account's templates of template messages. Source: linkage 3."""
        return api_responses.message_templates(
            await self._transport.get(
                "/cgi-bin/template/get_all_private_template", _auth(token), ("template_list",)
            )
        )

    async def send_notice(self, token: str, body: Mapping[str, Any]) -> str | None:
        """Send one subscription notice; return its msgid if WeChat names it. Source: linkage 2.2.

        There is no idempotency key. After a TransportError with outcome_unknown the notice may have
        arrived, and a consent may be used up.
        """
        return api_responses.msgid(
            await self._transport.post("/cgi-bin/message/subscribe/bizsend", _auth(token), body)
        )

    async def send_template_message(self, token: str, body: Mapping[str, Any]) -> str | None:
        """Send one template message; return its msgid. Source: protocol 9.2.

        WeChat sends a `client_msg_id` once to each person within ten minutes.
        """
        return api_responses.msgid(
            await self._transport.post("/cgi-bin/message/template/send", _auth(token), body)
        )

    async def create_qrcode(self, token: str, scene: str, *, permanent: bool) -> QrTicket:
        """Return a QR code of a text scene, 1 to 64 characters. Source: protocol 9.5; linkage 4.

        A temporary code lives as long as WeChat allows, which is 30 days.
        """
        body: dict[str, Any] = {"action_info": {"scene": {"scene_str": scene}}}
        if permanent:
            body["action_name"] = "QR_LIMIT_STR_SCENE"
        else:
            # Without a number WeChat takes a minute.
            body |= {"action_name": "QR_STR_SCENE", "expire_seconds": MAX_QR_SECONDS}
        return api_responses.qr_ticket(
            await self._transport.post(
                "/cgi-bin/qrcode/create", _auth(token), body, ("ticket", "url")
            )
        )

    async def figures(
        self, token: str, call: FigureCall, first: date, last: date
    ) -> list[FigureRow]:
        """Return WeChat's figures of the days, in their order. Source: protocol 9.7; linkage 10.

        first, last: at most `FORMS[call].max_days` days in China, up to yesterday. token: of the
        mini-program for the calls about visits. errcode 61503 and 61504: a day is not ready yet;
        61500 and 61501: WeChat gives no figures of such days.
        """
        form = FORMS[call]
        body = {"begin_date": form.text(first), "end_date": form.text(last)}
        return figure_rows(
            await self._transport.post(f"/datacube/{call}", _auth(token), body, ("list",)),
            call,
            first,
            last,
        )

    async def tags(self, token: str) -> list[ListedTag]:
        """Return the tags of the account. Source: protocol 8."""
        return tag_responses.tags(
            await self._transport.get("/cgi-bin/tags/get", _auth(token), ("tags",))
        )

    async def create_tag(self, token: str, name: str) -> int:
        """Create a tag, and return its id. errcode 45157: a tag has the name already.

        After a TransportError with outcome_unknown the tag may exist: list the tags then.
        """
        return tag_responses.tag_id(
            await self._transport.post(
                "/cgi-bin/tags/create", _auth(token), {"tag": {"name": name}}, ("tag",)
            )
        )

    async def rename_tag(self, token: str, tag_id: int, name: str) -> None:
        """Give a tag another name."""
        body = {"tag": {"id": tag_id, "name": name}}
        await self._transport.post("/cgi-bin/tags/update", _auth(token), body)

    async def delete_tag(self, token: str, tag_id: int) -> None:
        """Delete a tag, which its followers lose. errcode 45057: it has more than 100,000."""
        body = {"tag": {"id": tag_id}}
        await self._transport.post("/cgi-bin/tags/delete", _auth(token), body)

    async def tag_followers(self, token: str, tag_id: int, openids: Sequence[str]) -> None:
        """Tag up to 50 followers. Repeating the call changes nothing. Source: protocol 8.

        One OpenID that WeChat refuses (40003, 45059, 49003) fails the whole call.
        """
        body = {"openid_list": list(openids), "tagid": tag_id}
        await self._transport.post("/cgi-bin/tags/members/batchtagging", _auth(token), body)

    async def untag_followers(self, token: str, tag_id: int, openids: Sequence[str]) -> None:
        """Take a tag from up to 50 followers, as `tag_followers` gives it."""
        body = {"openid_list": list(openids), "tagid": tag_id}
        await self._transport.post("/cgi-bin/tags/members/batchuntagging", _auth(token), body)

    async def tag_members(self, token: str, tag_id: int, next_openid: str | None) -> FollowerPage:
        """Return a page of the followers with a tag after next_openid, as `user_get` does.

        Descriptions of this call differ in its method, and WeChat says which one it wants.
        """
        body: dict[str, Any] = {"tagid": tag_id, "next_openid": next_openid or ""}
        path = "/cgi-bin/user/tag/get"
        try:
            found = await self._transport.post(path, _auth(token), body, ("count",))
        except ApiError as error:
            if error.errcode != NEEDS_GET:
                raise
            query = {**_auth(token), "tagid": str(tag_id), "next_openid": next_openid or ""}
            found = await self._transport.get(path, query, ("count",))
        return api_responses.follower_page({"total": 0, **found})

    async def close(self) -> None:
        """Close the connections, unless the caller gave the client."""
        await self._transport.close()


def _auth(token: str) -> dict[str, str]:
    return {"access_token": token}


def _expiry(days: int) -> dict[str, Any]:
    # is_expire is documented as always true now, but leaving it out has led to errors.
    return {"is_expire": True, "expire_type": 1, "expire_interval": days}
