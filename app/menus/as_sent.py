"""A menu as WeChat gets it: placeholders filled, and members without a value left out. Pure."""

from typing import Any

from app.menus.document import Button, Menu, SubButton
from app.menus.page_path import Attribution, filled_page
from app.menus.positions import placed_buttons
from app.rules.definition.utm import Utm

Json = dict[str, Any]


def as_sent(menu: Menu, of: Attribution) -> Json:
    """Return `button` and `conditional` with filled pages. Raises BadPage and BadTemplate.

    `conditional` is a list of bodies for `menu/addconditional`, in the order of the document.
    """
    found: dict[str, Json] = {}
    default: list[Json] = []
    conditional: list[Json] = [
        {"button": [], "matchrule": each.matchrule.model_dump(mode="json")}
        for each in menu.conditional
    ]
    for placed in placed_buttons(menu):
        sent = _button(placed.button, placed.position, of, menu.utm)
        found[placed.position] = sent
        if placed.is_sub:
            found[placed.position.rpartition("-")[0]].setdefault("sub_button", []).append(sent)
        elif placed.conditional is None:
            default.append(sent)
        else:
            conditional[placed.conditional]["button"].append(sent)
    return {"button": default, "conditional": conditional}


def _button(button: Button | SubButton, position: str, of: Attribution, utm: Utm | None) -> Json:
    sent: Json = button.model_dump(mode="json", exclude={"sub_button"})
    if "pagepath" in sent:
        sent["pagepath"] = filled_page(sent["pagepath"], position, of, utm)
    return sent
