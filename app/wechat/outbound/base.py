"""What every sendable message shares: strict, frozen, and storable as it stands."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Via = Literal["passive", "customer_service"]
"""passive: inside the HTTP response. customer_service: queued, through custom/send."""

_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _sendable(text: str) -> str:
    if _UNSENDABLE.search(text):
        raise ValueError("holds control characters: remove them")
    return text


def not_blank(text: str) -> str:
    """Return `text`. Raises ValueError if there is nothing to see in it."""
    if not text.strip():
        raise ValueError("is blank: write at least one visible character")
    return text


def absent(value: object) -> bool:
    """Tell that an optional member was not given, so that it is not written either."""
    return value is None


Line = Annotated[str, Field(min_length=1), AfterValidator(_sendable), AfterValidator(not_blank)]
"""Text with something to see in it, and no control characters but tab and line breaks."""


Address = Annotated[Line, Field(pattern=r"^https?://\S+$")]
"""Where something is on the web."""


class Part(BaseModel):
    """Anything inside a message. An unknown member is an error, not a silent loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _inside_the_media_folder(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise ValueError("lies outside of the media folder: name a file inside it")
    return name


class MediaSource(Part):
    """Where a picture, sound or film comes from: exactly one of the three.

    file: below the operator's media folder. url: http or https, fetched when it is needed.
    media_id: uploaded already, temporary or permanent.
    """

    file: Annotated[Line, AfterValidator(_inside_the_media_folder)] | None = Field(
        default=None, exclude_if=absent
    )
    url: Address | None = Field(default=None, exclude_if=absent)
    media_id: Line | None = Field(default=None, exclude_if=absent)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len([value for value in (self.file, self.url, self.media_id) if value]) != 1:
            raise ValueError("must be exactly one of file, url and media_id")
        return self


def require_media_id(via: Via, source: MediaSource, member: str) -> None:
    """Raise what `misfit` returns if a passive reply would have to upload first.

    member: which one of the message the source is.
    """
    if via == "passive" and source.media_id is None:
        raise misfit(
            f"{member}.{'url' if source.file is None else 'file'}",
            "can't be uploaded while WeChat waits for a passive reply: "
            'name a media_id, or use "via": "customer_service"',
        )


def misfit(field: str, words: str) -> PydanticCustomError:
    """Return the error of a message whose members do not go together.

    field: the one to correct, with dots between the steps. words: may hold no braces.
    """
    return PydanticCustomError("misfit", words, {"field": field})
