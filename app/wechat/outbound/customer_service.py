"""The custom/send body of a message, and the media that it needs. Source: protocol 6.2, 6.4."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.wechat.ids import OpenId
from app.wechat.outbound.base import OF_RULE, MediaSource
from app.wechat.outbound.media_messages import Image, Music, Video, Voice
from app.wechat.outbound.mini_program_card import MiniProgramPage
from app.wechat.outbound.registry import Message

_NOT_IN_BODY: Final = {"msgtype", "via", "media", "thumb", *OF_RULE}

MediaType = Literal["image", "voice", "video", "thumb"]


@dataclass(frozen=True, slots=True)
class MediaUse:
    """A medium of a message. member: of the body, for the id. type: as media/upload takes it."""

    member: Literal["media_id", "thumb_media_id"]
    type: MediaType
    source: MediaSource


def media_of(message: Message) -> tuple[MediaUse, ...]:
    """Return every medium of a message."""
    match message:
        case Image() | Voice():
            return (MediaUse("media_id", message.msgtype, message.media),)
        case Video():
            video = MediaUse("media_id", "video", message.media)
            return (video, *_thumb(message.thumb, "thumb"))
        case Music():
            return _thumb(message.thumb, "thumb")
        case MiniProgramPage():
            # WeChat takes the thumb of a card as an image.
            return _thumb(message.thumb, "image")
    return ()


def customer_service_body(
    message: Message, *, openid: OpenId, media_ids: Mapping[MediaSource, str]
) -> dict[str, object]:
    """Return the JSON of custom/send.

    media_ids: the uploaded id of each source of `media_of` that has no media_id itself.
    Raises KeyError for a source without an id, ValueError for a passive reply.
    """
    if message.via != "customer_service":
        raise ValueError(f"a passive {message.msgtype} can't go through custom/send")
    content = message.model_dump(mode="json", exclude=_NOT_IN_BODY)
    for use in media_of(message):
        content[use.member] = use.source.media_id or media_ids[use.source]
    return {"touser": openid, "msgtype": message.msgtype, message.msgtype: content}


def _thumb(source: MediaSource | None, upload_as: MediaType) -> tuple[MediaUse, ...]:
    return () if source is None else (MediaUse("thumb_media_id", upload_as, source),)
