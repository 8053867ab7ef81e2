"""What a rule waits for, told apart by `on`. Source: protocol 4.2, 4.3, 9.1 and 9.5."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from app.rules.patterns import BadPattern, compile_pattern
from app.wechat.outbound.base import absent

MAX_KEYWORD_CHARACTERS = 1024
MAX_SCENE_CHARACTERS = 64
MAX_KEY_BYTES = 128


class Match(StrEnum):
    """How a keyword is held against a text; letter case and outer blanks never count."""

    EXACT = "exact"
    PREFIX = "prefix"
    CONTAINS = "contains"
    REGEX = "regex"


def _storable(text: str) -> str:
    """Return `text`. Raises ValueError for what Postgres can't store."""
    if "\x00" in text:
        raise ValueError("holds a NUL character: remove it")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank: write at least one visible character")
    return text


def _fits_a_key(key: str) -> str:
    if len(key.encode()) > MAX_KEY_BYTES:
        raise ValueError(f"is longer than {MAX_KEY_BYTES} bytes, the longest key a menu can have")
    return key


Words = Annotated[str, Field(min_length=1), AfterValidator(_storable), AfterValidator(_not_blank)]
"""Text of an operator: something to see in it, and storable."""

# Scenes and keys arrive trimmed, so one with blanks around it would never be met.
_Trimmed = Annotated[Words, StringConstraints(strip_whitespace=True)]

Scene = Annotated[_Trimmed, Field(max_length=MAX_SCENE_CHARACTERS)]
Keyword = Annotated[Words, Field(max_length=MAX_KEYWORD_CHARACTERS)]


class _Trigger(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextTrigger(_Trigger):
    """The follower typed something. keyword: a plain word, or an RE2 pattern for `regex`."""

    on: Literal["text"]
    match: Match
    keyword: Keyword

    @field_validator("keyword")
    @classmethod
    def _pattern_compiles(cls, keyword: str, info: ValidationInfo) -> str:
        if info.data.get("match") is Match.REGEX:
            try:
                compile_pattern(keyword)
            except BadPattern as error:
                raise ValueError(
                    f"is not a regular expression that RE2 takes ({error}): correct it, or use "
                    'match "contains" for a plain word'
                ) from None
        return keyword


class SubscribeTrigger(_Trigger):
    """Someone followed; with a scene only through that QR code."""

    on: Literal["subscribe"]
    scene: Scene | None = Field(default=None, exclude_if=absent)


class ScanTrigger(_Trigger):
    """Someone scanned the QR code of this scene, as a follower or to become one."""

    on: Literal["scan"]
    scene: Scene


class ClickTrigger(_Trigger):
    """A follower tapped the menu item with this key."""

    on: Literal["click"]
    key: Annotated[_Trimmed, AfterValidator(_fits_a_key)]


class FallbackTrigger(_Trigger):
    """A follower sent anything that no other rule answers. Events never get here."""

    on: Literal["fallback"]


Trigger = Annotated[
    TextTrigger | SubscribeTrigger | ScanTrigger | ClickTrigger | FallbackTrigger,
    Field(discriminator="on"),
]
"""Any trigger, for use as a field's type."""
