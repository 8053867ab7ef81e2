"""A menu as data: the default menu and the ordered conditional ones, as WeChat spells them.

Whether WeChat would accept it is another question, see `check`. Source: linkage 1.2 and 1.3.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from app.menus.button_types import ButtonType
from app.rules.definition.fields import Strict, storable, unset
from app.rules.definition.utm import Utm

# Above what WeChat takes, so that a draft that is too long can be kept and corrected.
MAX_BUTTONS: Final = 10
MAX_TEXT: Final = 2048
# WeChat has a maximum, which no page prints (linkage 1.3).
MAX_CONDITIONAL: Final = 50
REMOVED: Final = ("sex", "country", "province", "city", "language")
_TAG_ID: Final = re.compile(r"[0-9]{1,18}")


def _as_text(value: object) -> object:
    # WeChat takes and sends numbers here as well as texts.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _a_tag_id(value: str) -> str:
    if _TAG_ID.fullmatch(value) is None:
        raise ValueError("is no id of a tag: it has digits alone, such as 108")
    return value


_Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(storable)]
_Optional = Annotated[_Text | None, Field(exclude_if=unset)]


class SubButton(Strict):
    """A button with an action."""

    name: _Text = ""
    """What people see: at most 16 bytes of UTF-8, inside a sub-menu 60."""
    type: ButtonType | None = Field(default=None, exclude_if=unset)
    """What a tap does; none for a button that opens a sub-menu."""
    key: _Optional = None
    """Comes back in the event of a tap: of `click` and of scan, photo and location types."""
    url: _Optional = None
    """The web page of `view`; of `miniprogram`, what clients open that can't open mini-programs."""
    appid: _Optional = None
    """AppID of the mini-program, which is linked to the account."""
    pagepath: _Optional = None
    """Page with its query; `{ref}`, `{version}` and `{account}` are filled in."""
    media_id: _Optional = None
    """A permanent material, of `media_id` and `view_limited`."""
    article_id: _Optional = None
    """A published article, of `article_id` and `article_view_limited`."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty_sub_menu(cls, value: object) -> object:
        # menu/get gives one to every button (linkage 1.4).
        if isinstance(value, Mapping) and value.get("sub_button") == []:
            return {name: member for name, member in value.items() if name != "sub_button"}
        return value


class Button(SubButton):
    """A button of the first level: with an action, or with a sub-menu."""

    sub_button: Annotated[
        tuple[SubButton, ...], Field(max_length=MAX_BUTTONS, exclude_if=lambda value: not value)
    ] = ()
    """The sub-menu, at most 5 buttons from the bottom to the top."""


Buttons = Annotated[tuple[Button, ...], Field(max_length=MAX_BUTTONS)]


class MatchRule(Strict):
    """Whom a conditional menu is for; at least one member."""

    tag_id: Annotated[
        Annotated[str, AfterValidator(_a_tag_id)] | None,
        BeforeValidator(_as_text),
        Field(exclude_if=unset),
    ] = None
    """Followers with this tag."""
    client_platform_type: Annotated[
        Literal["1", "2", "3"] | None, BeforeValidator(_as_text), Field(exclude_if=unset)
    ] = None
    """Followers on this platform: 1 iOS, 2 Android, 3 another one."""

    @model_validator(mode="before")
    @classmethod
    def _without_removed_members(cls, value: object) -> object:
        if isinstance(value, Mapping):
            removed = [name for name in REMOVED if name in value]
            if removed:
                raise ValueError(
                    f"holds {removed[0]}, which WeChat removed for privacy and refuses with "
                    "65320: use tag_id or client_platform_type"
                )
        return value


class ConditionalMenu(Strict):
    """A menu for a part of the followers."""

    matchrule: MatchRule
    """Whom it is for."""
    button: Buttons = ()
    """1 to 3 buttons."""


class Menu(Strict):
    """All menus of an account."""

    button: Buttons = ()
    """The default menu: 1 to 3 buttons from left to right."""
    conditional: Annotated[tuple[ConditionalMenu, ...], Field(max_length=MAX_CONDITIONAL)] = ()
    """Conditional menus; the first that fits a follower is shown, and the default one if none does.
    """
    utm: Utm | None = Field(default=None, exclude_if=unset)
    """UTM parameters that are added to every mini-program page."""
