"""Turns responses of WeChat's API into typed values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.wechat.ids import OpenId, UnionId
from app.wechat.read_response import number_of, unreadable_response

END_OF_TIME = datetime.max.replace(tzinfo=UTC).timestamp()
MAX_TOKEN_SECONDS = 7200
# No id of WeChat is longer, and an index of the database could not hold any length.
MAX_ID_LENGTH = 128
MAX_LINK_LENGTH = 2048
# An account has 25 templates of each kind.
MAX_TEMPLATES = 200
MAX_TEMPLATE_TEXT = 4000
MAX_QR_SECONDS = 2_592_000
# Tokens have some hundred characters; protocol 7.1 asks for room for 512.
MAX_TOKEN_LENGTH = 2048
# How the links of each call begin. Their hosts and lengths are not to be relied upon (linkage 5.1).
_LINK_STARTS: Final = {
    "url_link": "https://",
    "openlink": "weixin://",
    "link": "#",
    "url": "http",
}
# What may stand in a header or a query as it is.
_WORD: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class StableToken:
    """An access token. expires_in: seconds that it still lives, 0 to 7200. Protocol 7.1."""

    token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class JsapiTicket:
    """A jsapi_ticket and its life in seconds; 0 if WeChat did not say it."""

    ticket: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """Temporary media. Its media_id is valid for 3 days from created_at. Source: protocol 6.4.

    created_at: None when the response does not say it.
    """

    media_id: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserInfo:
    """One person as `user/info` describes them. Source: protocol 8.

    unionid: None for people who do not follow, and for everybody while the account is not bound
    to an Open Platform account. qr_scene: None when the person did not scan a numbered QR code.
    remark: what an operator calls a follower in WeChat's console, empty if nothing; None for people
    who do not follow, of whom WeChat says none.
    """

    openid: OpenId
    subscribed: bool
    unionid: UnionId | None
    subscribe_time: datetime | None
    subscribe_scene: str | None
    qr_scene: int | None
    qr_scene_str: str | None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """One page of `user/get`. next_openid: pass it to get the next page; None on the last one."""

    total: int
    openids: tuple[OpenId, ...]
    next_openid: str | None


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of one API today. Source: protocol 7.4.

    rate_calls: at most so many calls in rate_seconds; None if WeChat does not say it.
    """

    daily_limit: int
    used: int
    rate_calls: int | None = None
    rate_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ListedTemplate:
    """One template that an account has. Source: linkage 2.1 and 3.

    content: lines with `{{key.DATA}}`. type: 2 one-time, 3 long-term; None for template messages.
    choices: the values that a key takes, by key, where only some are allowed.
    """

    template_id: str
    title: str
    content: str
    example: str
    type: int | None = None
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QrTicket:
    """A parameterised QR code. Source: protocol 9.5; linkage 4.

    url: what the code holds, so that a picture can be drawn without a further call. lives: how long
    it can be scanned; None for a permanent code.
    """

    ticket: str
    url: str
    lives: timedelta | None


def stable_token(response: Mapping[str, Any]) -> StableToken:
    """Read an access token. Raises TransportError when the response has none.

    A life that is missing or can't be read is 0: the token is good all the same.
    """
    token = _word(response.get("access_token"))
    if token is None:
        raise unreadable_response()
    expires_in = number_of(response.get("expires_in")) or 0
    return StableToken(token, min(max(expires_in, 0), MAX_TOKEN_SECONDS))


def jsapi_ticket(response: Mapping[str, Any]) -> JsapiTicket:
    """Read a jsapi_ticket. Raises TransportError when the response has none."""
    ticket = _word(response.get("ticket"))
    if ticket is None:
        raise unreadable_response()
    expires_in = number_of(response.get("expires_in")) or 0
    return JsapiTicket(ticket, min(max(expires_in, 0), MAX_TOKEN_SECONDS))


def uploaded_media(response: Mapping[str, Any]) -> UploadedMedia:
    """Read an uploaded medium. Raises TransportError when the response has no media_id."""
    # For thumbs the member used to be called thumb_media_id.
    media_id = _word(response.get("media_id")) or _word(response.get("thumb_media_id"))
    if media_id is None:
        raise unreadable_response()
    return UploadedMedia(media_id, _time(response.get("created_at")))


def user_info(response: object) -> UserInfo:
    """Read one person.

    Raises TransportError when the response names no OpenID, or does not say whether they follow.
    """
    found = _user_info(response)
    if found is None:
        raise unreadable_response()
    return found


def _user_info(response: object) -> UserInfo | None:
    openid = _id(response.get("openid")) if isinstance(response, Mapping) else None
    if openid is None or not isinstance(response, Mapping):
        return None
    subscribe = number_of(response.get("subscribe"))
    if subscribe not in {0, 1}:
        # Taken for one who has left, a follower might be erased.
        return None
    unionid = _id(response.get("unionid"))
    return UserInfo(
        openid=OpenId(openid),
        subscribed=subscribe == 1,
        unionid=UnionId(unionid) if unionid else None,
        subscribe_time=_time(response.get("subscribe_time")),
        subscribe_scene=_text(response.get("subscribe_scene")),
        qr_scene=number_of(response.get("qr_scene")) or None,
        qr_scene_str=_text(response.get("qr_scene_str")),
        remark=_remark(response.get("remark")) if subscribe == 1 else None,
    )


def user_infos(response: Mapping[str, Any]) -> list[UserInfo]:
    """Read several people, in WeChat's order: match them by OpenID. Raises TransportError.

    A row that names no OpenID, or does not say whether they follow, is left out; the others count.
    """
    found = response.get("user_info_list")
    if not isinstance(found, list):
        raise unreadable_response()
    return [info for info in map(_user_info, found) if info is not None]


def follower_page(response: Mapping[str, Any]) -> FollowerPage:
    """Read a page of followers. Raises TransportError."""
    total, count = number_of(response.get("total")), number_of(response.get("count"))
    data = response.get("data") or {}
    found = (data.get("openid") or []) if isinstance(data, Mapping) else None
    if total is None or not isinstance(found, list):
        raise unreadable_response()
    openids = tuple(OpenId(openid) for openid in map(_id, found) if openid is not None)
    if not openids and count:
        # Taken for the last page, it would end the list too early.
        raise unreadable_response()
    # An empty page is the last one, even if it names a next_openid.
    return FollowerPage(total, openids, _text(response.get("next_openid")) if openids else None)


def callback_ips(response: Mapping[str, Any]) -> tuple[str, ...]:
    """Read single IP addresses and CIDR ranges. Raises TransportError. Source: protocol 3.5."""
    found = response.get("ip_list")
    if not isinstance(found, list):
        raise unreadable_response()
    return tuple(str(item) for item in found)


def callback_addresses(response: Mapping[str, Any]) -> tuple[str, ...]:
    """Read the addresses of the callback URL's host. Raises TransportError. Source: linkage 8."""
    found = response.get("dns") or []
    if not isinstance(found, list):
        raise unreadable_response()
    named = (_text(item.get("ip")) for item in found if isinstance(item, Mapping))
    return tuple(address[:MAX_ID_LENGTH] for address in named if address is not None)


def quota(response: Mapping[str, Any]) -> Quota:
    """Read the quota of one API. Raises TransportError. Source: linkage 7."""
    found = response.get("quota")
    limit = number_of(found.get("daily_limit")) if isinstance(found, Mapping) else None
    used = number_of(found.get("used")) if isinstance(found, Mapping) else None
    if limit is None or used is None or limit < 0 or used < 0:
        raise unreadable_response()
    rate = response.get("rate_limit")
    calls = number_of(rate.get("call_count")) if isinstance(rate, Mapping) else None
    seconds = number_of(rate.get("refresh_second")) if isinstance(rate, Mapping) else None
    if not calls or not seconds or calls < 0 or seconds < 0:
        return Quota(limit, used)
    return Quota(limit, used, calls, seconds)


def draft_media_id(response: Mapping[str, Any]) -> str:
    """Read the id of a draft. Raises TransportError when the response has none."""
    media_id = _id(response.get("media_id"))
    if media_id is None:
        raise unreadable_response()
    return media_id


def link(response: Mapping[str, Any], member: str) -> str:
    """Read a link. Raises TransportError when the response has none, or one that can't be one."""
    found = _text(response.get(member))
    if (
        found is None
        or len(found) > MAX_LINK_LENGTH
        or not found.startswith(_LINK_STARTS[member])
        or not found.isprintable()
    ):
        raise unreadable_response()
    return found


def menuid(response: Mapping[str, Any]) -> str:
    """Read the id of a new conditional menu, a text or a number. Raises TransportError."""
    value = response.get("menuid")
    found = _id(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    if found is None:
        raise unreadable_response()
    return found


def notice_templates(response: Mapping[str, Any]) -> list[ListedTemplate]:
    """Read the templates of subscription notices. Raises TransportError. Source: linkage 2.1."""
    return [
        ListedTemplate(
            template_id,
            _string(one.get("title"))[:MAX_TEMPLATE_TEXT],
            _string(one.get("content"))[:MAX_TEMPLATE_TEXT],
            _string(one.get("example"))[:MAX_TEMPLATE_TEXT],
            number_of(one.get("type")),
            _choices(one.get("keywordEnumValueList")),
        )
        for template_id, one in _templates(response.get("data"), "priTmplId")
    ]


def message_templates(response: Mapping[str, Any]) -> list[ListedTemplate]:
    """Read the templates of template messages. Raises TransportError. Source: linkage 3."""
    return [
        ListedTemplate(
            template_id,
            _string(one.get("title"))[:MAX_TEMPLATE_TEXT],
            _string(one.get("content"))[:MAX_TEMPLATE_TEXT],
            _string(one.get("example"))[:MAX_TEMPLATE_TEXT],
        )
        for template_id, one in _templates(response.get("template_list"), "template_id")
    ]


def msgid(response: Mapping[str, Any]) -> str | None:
    """Return the id of a notice or template message; None if WeChat names none.

    It is a number of up to 64 bits, kept as text. Source: linkage 3.
    """
    found = response.get("msgid")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return _id(found)


def _templates(found: object, id_member: str) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(found, list):
        raise unreadable_response()
    named = [(_id(one.get(id_member)), one) for one in found if isinstance(one, Mapping)]
    return [(name, one) for name, one in named if name is not None][:MAX_TEMPLATES]


def _choices(found: object) -> dict[str, tuple[str, ...]]:
    """Read `[{"keywordCode": "enum_string2.DATA", "enumValueList": ["…"]}]`; skip what is odd."""
    choices = {}
    for one in found if isinstance(found, list) else ():
        code = _text(one.get("keywordCode")) if isinstance(one, Mapping) else None
        values = one.get("enumValueList") if isinstance(one, Mapping) else None
        if code is not None and isinstance(values, list):
            texts = tuple(value for value in values if isinstance(value, str))
            choices[code.removesuffix(".DATA")] = texts
    return choices


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def qr_ticket(response: Mapping[str, Any]) -> QrTicket:
    """Read a parameterised QR code. Raises TransportError."""
    seconds = number_of(response.get("expire_seconds"))
    lives = timedelta(seconds=min(seconds, MAX_QR_SECONDS)) if seconds and seconds > 0 else None
    ticket = _word(response.get("ticket"))
    if ticket is None:
        raise unreadable_response()
    return QrTicket(ticket, link(response, "url"), lives)


def _remark(value: object) -> str | None:
    # Postgres keeps no NUL.
    return value.replace("\0", "").strip() if isinstance(value, str) else None


def _text(value: object) -> str | None:
    # WeChat's own samples have blanks around ids, and empty texts where a field is absent.
    return (value.strip() or None) if isinstance(value, str) else None


def _word(value: object) -> str | None:
    text = _text(value)
    if text is None or len(text) > MAX_TOKEN_LENGTH or _WORD.fullmatch(text) is None:
        return None
    return text


def _id(value: object) -> str | None:
    text = _text(value)
    return None if text is None or len(text) > MAX_ID_LENGTH else text


def _time(value: object) -> datetime | None:
    seconds = number_of(value)
    if seconds is None or not 0 < seconds < END_OF_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)
