"""Reads the menus that WeChat answers, whose shapes differ from what was sent. Pure.

`menu/get` wraps the default menu, gives every button a `sub_button`, and writes numbers where texts
were sent; `get_current_selfmenu_info` wraps sub-menus in an object. Source: linkage 1.4 and 1.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from app.menus.button_types import ACTION_MEMBERS, TYPES, ButtonType
from app.menus.document import MAX_BUTTONS, REMOVED, Menu

Json = dict[str, Any]

MAX_MEMBER: Final = 2048
# Conditional menus of one answer.
MAX_READ: Final = 1000


@dataclass(frozen=True, slots=True)
class LiveConditional:
    """A conditional menu at WeChat. menuid: as text; None if WeChat does not name it."""

    menuid: str | None
    matchrule: Json
    button: list[Json]


@dataclass(frozen=True, slots=True)
class LiveMenu:
    """What `menu/get` answers. button: empty if there is no default menu."""

    button: list[Json]
    conditional: tuple[LiveConditional, ...] = ()

    def as_document(self, menuids: Sequence[str] = ()) -> Json:
        """Return `button` and `conditional` as they would be sent.

        menuids: of conditional menus of ours in their order; others come after them.
        """
        place = {menuid: number for number, menuid in enumerate(menuids)}
        ordered = sorted(
            self.conditional, key=lambda each: place.get(each.menuid or "", len(place))
        )
        return {
            "button": self.button,
            "conditional": [
                {"button": each.button, "matchrule": each.matchrule} for each in ordered
            ],
        }


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A button that the API can't make. value: what the console had for it, if it can be shown."""

    position: str
    name: str
    type: str
    value: str | None


def read_menu(response: Mapping[str, Any] | None) -> LiveMenu:
    """Read the answer of `menu/get`; None stands for 46003, no menu."""
    if response is None:
        return LiveMenu([])
    conditional = response.get("conditionalmenu")
    return LiveMenu(
        read_buttons(_object(response.get("menu")).get("button")),
        tuple(
            LiveConditional(
                _menuid(each), _matchrule(each.get("matchrule")), read_buttons(each.get("button"))
            )
            for each in _objects(conditional, MAX_READ)
        ),
    )


def read_selfmenu(response: Mapping[str, Any]) -> list[Json]:
    """Read the buttons of `get_current_selfmenu_info`, those of the console among them."""
    return read_buttons(_object(response.get("selfmenu_info")).get("button"))


def read_buttons(value: object) -> list[Json]:
    """Return buttons with the members alone that are sent, and `value` of the console's types."""
    return [_button(each) for each in _objects(value)]


def rebuild(document: Json) -> tuple[Menu, list[LeftOut]]:
    """Return the menu that the API can make of what was read, and the buttons that it can't."""
    left_out: list[LeftOut] = []
    conditional = [
        {
            "button": _rebuilt(each["button"], f"c{number}-", left_out),
            "matchrule": {
                name: value for name, value in each["matchrule"].items() if name not in REMOVED
            },
        }
        for number, each in enumerate(document["conditional"], 1)
    ]
    found = {"button": _rebuilt(document["button"], "", left_out), "conditional": conditional}
    try:
        return Menu.model_validate(found), left_out
    except ValidationError:
        # A condition of a kind that is not known here: the default menu alone can be rebuilt.
        left_out += [
            LeftOut(f"c{number}", "", "matchrule", None)
            for number in range(1, len(conditional) + 1)
        ]
        return Menu.model_validate({"button": found["button"]}), left_out


def _rebuilt(buttons: Sequence[Json], prefix: str, left_out: list[LeftOut]) -> list[Json]:
    kept: list[Json] = []
    for number, button in enumerate(buttons, 1):
        position = f"{prefix}{number}"
        if "sub_button" in button:
            subs = _rebuilt(button["sub_button"], f"{position}-", left_out)
            if subs:
                kept.append({"name": button["name"], "sub_button": subs})
        elif _can_be_made(button):
            kept.append(_as_written(button))
        else:
            left_out.append(
                LeftOut(position, button["name"], button.get("type", ""), button.get("value"))
            )
    return kept


def _as_written(button: Json) -> Json:
    """Return a button as a document has it: braces of a page are no placeholders."""
    found = {name: value for name, value in button.items() if name != "value"}
    if "pagepath" in found:
        found["pagepath"] = found["pagepath"].replace("{", "{{").replace("}", "}}")
    return found


def _can_be_made(button: Json) -> bool:
    try:
        facts = TYPES[ButtonType(button.get("type", ""))]
    except ValueError:
        return False
    return all(button.get(member) for member in facts.members)


def _button(value: Json) -> Json:
    found: Json = {"name": _text(value.get("name"))}
    subs = value.get("sub_button")
    inner = _objects(_object(subs).get("list") if isinstance(subs, Mapping) else subs)
    if inner:
        return found | {"sub_button": [_leaf(each) for each in inner]}
    return _leaf(value)


def _leaf(value: Json) -> Json:
    found: Json = {"name": _text(value.get("name"))}
    for member in ("type", *ACTION_MEMBERS, "value"):
        text = _text(value.get(member))
        if text:
            found[member] = text
    return found


def _matchrule(value: object) -> Json:
    rule = _object(value)
    found = {name: _text(rule.get(name)) for name in ("tag_id", "client_platform_type", *REMOVED)}
    # The name of a tag's id before there were tags.
    found["tag_id"] = found["tag_id"] or _text(rule.get("group_id"))
    return {name: text for name, text in found.items() if text}


def _menuid(value: Json) -> str | None:
    return _text(value.get("menuid")) or None


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:MAX_MEMBER]


def _object(value: object) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def _objects(value: object, most: int = MAX_BUTTONS) -> list[Json]:
    if not isinstance(value, list):
        return []
    return [dict(each) for each in value[:most] if isinstance(each, Mapping)]
