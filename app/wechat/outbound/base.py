"""Base types of outbound messages: strict, frozen, and stored as they are."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.api_model import ApiModel
from app.wechat.visible_text import shows_nothing

Via = Literal["passive", "customer_service"]
"""passive: inside the HTTP response. customer_service: queued, then sent by custom/send."""

_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _sendable(text: str) -> str:
    if _UNSENDABLE.search(text):
        raise ValueError("holds control characters: remove them")
    return text


OF_RULE: Final = {"otherwise", "otherwise_rule"}
"""Members that a rule has of a reply, and the reply itself does not need."""

STORED: Final = {"stored": True}
"""The validation context of messages and rules that were checked when they were saved.

Limits that are stricter now than they were then do not make them unreadable.
"""


def is_stored(info: ValidationInfo) -> bool:
    """Return whether a value was checked before and only has to be readable."""
    return info.context is STORED


def with_line_feeds(text: str) -> str:
    """Return the text with a line feed alone at the end of each line, as WeChat takes it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def not_blank(text: str) -> str:
    """Return `text`. Raises ValueError if it has nothing but blanks."""
    if not text.strip():
        raise ValueError("is blank: write at least one visible character")
    return text


def absent(value: object) -> bool:
    """Return whether an optional member was not given; it is left out of the JSON then."""
    return value is None


Line = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_sendable),
    AfterValidator(not_blank),
    AfterValidator(with_line_feeds),
]
"""Text that is not blank, without control characters except tab and line feeds."""


def seen(text: str, info: ValidationInfo) -> str:
    """Return `text`. Raises ValueError if none of it can be seen, unless it is stored."""
    if shows_nothing(text) and not is_stored(info):
        raise ValueError("holds nothing that can be seen: write at least one visible character")
    return text


SeenLine = Annotated[Line, AfterValidator(seen)]
"""The same, with a character that can be seen: the words of a message, and nothing else in it."""


_URL: Final = r"^https?://\S+$"

# Pydantic would describe a constraint behind a validator in one direction only, so that requests
# and responses would have two types in the OpenAPI document.
Address = Annotated[Line, Field(pattern=_URL, json_schema_extra={"pattern": _URL, "minLength": 1})]
"""An http or https URL."""


class Part(ApiModel):
    """A message or a part of one. An unknown member is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _inside_the_media_folder(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise ValueError("lies outside of the media folder: name a file inside it")
    return name


class MediaSource(Part):
    """Where a picture, sound or video comes from; exactly one member is set."""

    file: Annotated[Line, AfterValidator(_inside_the_media_folder)] | None = Field(
        default=None, exclude_if=absent
    )
    """Path below MEDIA_DIR."""
    url: Address | None = Field(default=None, exclude_if=absent)
    """An http or https address, downloaded when it is needed."""
    media_id: Line | None = Field(default=None, exclude_if=absent)
    """Of media that are uploaded already, temporary or permanent."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len([value for value in (self.file, self.url, self.media_id) if value]) != 1:
            raise ValueError("must be exactly one of file, url and media_id")
        return self


def require_media_id(via: Via, source: MediaSource, member: str) -> None:
    """Raise the error of `misfit` if the source of a passive reply has no media_id yet.

    member: the member of the message that holds the source.
    """
    if via == "passive" and source.media_id is None:
        raise misfit(
            f"{member}.{'url' if source.file is None else 'file'}",
            "can't be uploaded while WeChat waits for a passive reply: "
            'name a media_id, or use "via": "customer_service"',
        )


def misfit(field: str, text: str) -> PydanticCustomError:
    """Return the error of a message whose members do not go together.

    field: path of the member to correct, with dots. text: the message; it may hold no braces.
    """
    return PydanticCustomError("misfit", text, {"field": field})
