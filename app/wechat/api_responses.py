"""Turns responses of WeChat's API into typed values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.wechat.ids import OpenId, UnionId
from app.wechat.transport import unreadable_response

END_OF_TIME = datetime.max.replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class StableToken:
    """An access token. expires_in: seconds that it still lives, at most 7200. Protocol 7.1."""

    token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """Temporary media. Its media_id is valid for 3 days from created_at. Source: protocol 6.4."""

    media_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserInfo:
    """One person as `user/info` describes them. Source: protocol 8.

    unionid: None for people who do not follow, and for everybody while the account is not bound
    to an Open Platform account. qr_scene: None when the person did not scan a numbered QR code.
    """

    openid: OpenId
    subscribed: bool
    unionid: UnionId | None
    subscribe_time: datetime | None
    subscribe_scene: str | None
    qr_scene: int | None
    qr_scene_str: str | None


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """One page of `user/get`. next_openid: pass it to get the next page; None on the last one."""

    total: int
    openids: tuple[OpenId, ...]
    next_openid: str | None


def stable_token(response: Mapping[str, Any]) -> StableToken:
    """Read an access token. Raises TransportError when the response has none."""
    token, expires_in = response.get("access_token"), response.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(expires_in, int):
        raise unreadable_response()
    return StableToken(token, expires_in)


def uploaded_media(response: Mapping[str, Any]) -> UploadedMedia:
    """Read an uploaded medium. Raises TransportError when the response has no media_id."""
    # For thumbs the member used to be called thumb_media_id.
    media_id = _text(response.get("media_id")) or _text(response.get("thumb_media_id"))
    created_at = _time(response.get("created_at"))
    if media_id is None or created_at is None:
        raise unreadable_response()
    return UploadedMedia(media_id, created_at)


def user_info(response: object) -> UserInfo:
    """Read one person. Raises TransportError when the response names no OpenID."""
    openid = _text(response.get("openid")) if isinstance(response, Mapping) else None
    if openid is None or not isinstance(response, Mapping):
        raise unreadable_response()
    unionid = _text(response.get("unionid"))
    return UserInfo(
        openid=OpenId(openid),
        subscribed=response.get("subscribe") == 1,
        unionid=UnionId(unionid) if unionid else None,
        subscribe_time=_time(response.get("subscribe_time")),
        subscribe_scene=_text(response.get("subscribe_scene")),
        qr_scene=_number(response.get("qr_scene")) or None,
        qr_scene_str=_text(response.get("qr_scene_str")),
    )


def user_infos(response: Mapping[str, Any]) -> list[UserInfo]:
    """Read several people, in WeChat's order: match them by OpenID. Raises TransportError."""
    found = response.get("user_info_list")
    if not isinstance(found, list):
        raise unreadable_response()
    return [user_info(item) for item in found]


def follower_page(response: Mapping[str, Any]) -> FollowerPage:
    """Read a page of followers. Raises TransportError."""
    total, data = _number(response.get("total")), response.get("data", {})
    found = data.get("openid", []) if isinstance(data, Mapping) else None
    if total is None or not isinstance(found, list):
        raise unreadable_response()
    openids = tuple(OpenId(str(item)) for item in found)
    # An empty page is the last one, even if it names a next_openid.
    return FollowerPage(total, openids, _text(response.get("next_openid")) if openids else None)


def callback_ips(response: Mapping[str, Any]) -> tuple[str, ...]:
    """Read single IP addresses and CIDR ranges. Raises TransportError. Source: protocol 3.5."""
    found = response.get("ip_list")
    if not isinstance(found, list):
        raise unreadable_response()
    return tuple(str(item) for item in found)


def _text(value: object) -> str | None:
    # WeChat's own samples have blanks around ids, and empty texts where a field is absent.
    return (value.strip() or None) if isinstance(value, str) else None


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) else None


def _time(value: object) -> datetime | None:
    seconds = _number(value)
    if seconds is None or not 0 < seconds < END_OF_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)
