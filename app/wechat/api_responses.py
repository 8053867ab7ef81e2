"""What WeChat's API answers, as typed values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.wechat.ids import OpenId, UnionId
from app.wechat.transport import unreadable

END_OF_TIME = datetime.max.replace(tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class StableToken:
    """expires_in: remaining life in seconds, at most 7200. Source: protocol 7.1."""

    token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """Temporary media; its id lives 3 days from created_at. Source: protocol 6.4."""

    media_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class UserInfo:
    """One person as `user/info` tells them. Source: protocol 8.

    unionid: None for non-followers, and for everybody while the account is not bound to an Open
    Platform account. qr_scene: None when the person came without a numbered QR code.
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
    """One page of `user/get`. next_openid: where the next page starts; None after the last."""

    total: int
    openids: tuple[OpenId, ...]
    next_openid: str | None


def stable_token(answer: Mapping[str, Any]) -> StableToken:
    """Raises TransportError when there is no token in the answer."""
    token, expires_in = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(expires_in, int):
        raise unreadable()
    return StableToken(token, expires_in)


def uploaded_media(answer: Mapping[str, Any]) -> UploadedMedia:
    """Raises TransportError when there is no media id. Thumbs used to have another name."""
    media_id = _text(answer.get("media_id")) or _text(answer.get("thumb_media_id"))
    created_at = _moment(answer.get("created_at"))
    if media_id is None or created_at is None:
        raise unreadable()
    return UploadedMedia(media_id, created_at)


def user_info(answer: object) -> UserInfo:
    """Raises TransportError when the answer names no OpenID."""
    openid = _text(answer.get("openid")) if isinstance(answer, Mapping) else None
    if openid is None or not isinstance(answer, Mapping):
        raise unreadable()
    unionid = _text(answer.get("unionid"))
    return UserInfo(
        openid=OpenId(openid),
        subscribed=answer.get("subscribe") == 1,
        unionid=UnionId(unionid) if unionid else None,
        subscribe_time=_moment(answer.get("subscribe_time")),
        subscribe_scene=_text(answer.get("subscribe_scene")),
        qr_scene=_number(answer.get("qr_scene")) or None,
        qr_scene_str=_text(answer.get("qr_scene_str")),
    )


def user_infos(answer: Mapping[str, Any]) -> list[UserInfo]:
    """In WeChat's order: match by OpenID, not by position. Raises TransportError."""
    found = answer.get("user_info_list")
    if not isinstance(found, list):
        raise unreadable()
    return [user_info(item) for item in found]


def follower_page(answer: Mapping[str, Any]) -> FollowerPage:
    """An empty page is the end, whatever its next_openid says. Raises TransportError."""
    total, data = _number(answer.get("total")), answer.get("data", {})
    found = data.get("openid", []) if isinstance(data, Mapping) else None
    if total is None or not isinstance(found, list):
        raise unreadable()
    openids = tuple(OpenId(str(item)) for item in found)
    return FollowerPage(total, openids, _text(answer.get("next_openid")) if openids else None)


def callback_ips(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Single addresses or CIDR ranges. Raises TransportError. Source: protocol 3.5."""
    found = answer.get("ip_list")
    if not isinstance(found, list):
        raise unreadable()
    return tuple(str(item) for item in found)


def _text(value: object) -> str | None:
    """WeChat's own samples pad ids with blanks, and write absent fields as empty ones."""
    return (value.strip() or None) if isinstance(value, str) else None


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) else None


def _moment(value: object) -> datetime | None:
    seconds = _number(value)
    if seconds is None or not 0 < seconds < END_OF_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)
