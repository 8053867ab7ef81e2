"""Temporary media: uploaded by one account, valid for 3 days and for this account only.

Source: protocol 6.4.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.errors import ApiError

LIFETIME = timedelta(days=3)
KIB = 1024
# The greatest size in bytes, and the errcode for a larger file.
SIZE_LIMITS = {
    "image": (10 * KIB * KIB, 40009),
    "voice": (2 * KIB * KIB, 40010),
    "video": (10 * KIB * KIB, 40011),
    "thumb": (64 * KIB, 40012),
}
PNG, JPEG, GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8"
PICTURES = {PNG: "image/png", JPEG: "image/jpeg", GIF: "image/gif"}
ALLOWED_PICTURES = {"image": (PNG, JPEG, GIF), "thumb": (JPEG,)}
ENDINGS = {PNG: (".png",), JPEG: (".jpg", ".jpeg"), GIF: (".gif",)}


@dataclass(frozen=True, slots=True)
class Media:
    """One uploaded file; type is image, voice, video or thumb."""

    media_id: str
    appid: str
    type: str
    filename: str
    content_type: str
    content: bytes
    created_at: datetime


def content_type_of(media_type: str, content: bytes, filename: str, declared: str) -> str:
    """Return the content type. Raises ApiError for a wrong type, size, format or name."""
    if media_type not in SIZE_LIMITS:
        raise ApiError(40004)
    if not filename.isascii():
        raise ApiError(41005)
    if not content:
        raise ApiError(44001)
    limit, errcode = SIZE_LIMITS[media_type]
    if len(content) > limit:
        raise ApiError(errcode)
    if media_type not in ALLOWED_PICTURES:
        return declared
    for start in ALLOWED_PICTURES[media_type]:
        if content.startswith(start) and filename.lower().endswith(ENDINGS[start]):
            return PICTURES[start]
    raise ApiError(40005)


class MediaStore:
    """The media of all accounts."""

    def __init__(self) -> None:
        self._items: dict[str, Media] = {}

    def add(
        self,
        appid: str,
        media_type: str,
        content: bytes,
        *,
        filename: str,
        declared: str,
        now: datetime,
    ) -> Media:
        """Store a file. Raises ApiError if it is refused."""
        content_type = content_type_of(media_type, content, filename, declared)
        media_id = secrets.token_urlsafe(48)
        item = Media(media_id, appid, media_type, filename, content_type, content, now)
        self._items[media_id] = item
        return item

    def take(self, appid: str, media_id: object, now: datetime) -> Media:
        """Return a file of the account. Raises ApiError 40007 if it has none with this id."""
        item = self._items.get(media_id) if isinstance(media_id, str) else None
        if item is None or item.appid != appid or now - item.created_at >= LIFETIME:
            raise ApiError(40007)
        return item

    def peek(self, media_id: str) -> Media | None:
        """Return a file of any account and age, because chats still show old pictures."""
        return self._items.get(media_id)

    def __len__(self) -> int:
        return len(self._items)
