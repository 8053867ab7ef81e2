"""Messages with a picture, a sound, a video or music. Source: protocol 5 and 6.2."""

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from app.wechat.outbound.base import (
    Address,
    Line,
    MediaSource,
    Via,
    absent,
    misfit,
    require_media_id,
)
from app.wechat.outbound.otherwise import Queueable


class _Media(Queueable):
    media: MediaSource
    """The file."""
    via: Via
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""

    @model_validator(mode="after")
    def _ready_when_passive(self) -> Self:
        require_media_id(self.via, self.media, "media")
        return self


class Image(_Media):
    """A picture. In a passive reply it may not be a GIF."""

    msgtype: Literal["image"] = "image"
    """The kind of message."""


class Voice(_Media):
    """A voice message."""

    msgtype: Literal["voice"] = "voice"
    """The kind of message."""


class Video(_Media):
    """A video. A customer-service message needs a thumb, a passive reply can't have one."""

    msgtype: Literal["video"] = "video"
    """The kind of message."""
    thumb: MediaSource | None = Field(default=None, exclude_if=absent)
    """Its thumb, needed by custom/send."""
    title: Line | None = Field(default=None, exclude_if=absent)
    """Its title."""
    description: Line | None = Field(default=None, exclude_if=absent)
    """Its description."""

    @model_validator(mode="after")
    def _thumb_fits(self) -> Self:
        if self.via == "customer_service" and self.thumb is None:
            raise misfit(
                "thumb", "is missing: a video sent as a customer-service message needs a thumb"
            )
        if self.via == "passive" and self.thumb is not None:
            raise misfit("thumb", "can't be shown, a passive video has no thumb: remove it")
        return self


_NEEDED_BY_CUSTOM_SEND: Final = ("title", "description", "musicurl")


class Music(Queueable):
    """Music. A passive reply needs only a thumb; custom/send also title, description and URL."""

    msgtype: Literal["music"] = "music"
    """The kind of message."""
    via: Via
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    thumb: MediaSource
    """The picture that is shown with it."""
    title: Line | None = Field(default=None, exclude_if=absent)
    """Its title."""
    description: Line | None = Field(default=None, exclude_if=absent)
    """Its description."""
    musicurl: Address | None = Field(default=None, exclude_if=absent)
    """The address of the music."""
    hqmusicurl: Address | None = Field(default=None, exclude_if=absent)
    """The address of the music in higher quality, for WiFi."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        require_media_id(self.via, self.thumb, "thumb")
        for member in _NEEDED_BY_CUSTOM_SEND:
            if self.via == "customer_service" and getattr(self, member) is None:
                raise misfit(
                    member,
                    "is missing: music sent as a customer-service message needs title, "
                    "description and musicurl",
                )
        return self
