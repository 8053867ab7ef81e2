"""Names for the places of a menu: `2-1` is the first button in the sub-menu of the second. Pure.

Buttons of the first conditional menu begin with `c1-`; `c1` itself is whom that menu is for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.menus.document import Button, Menu, SubButton

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A button and its place. conditional: the number of its menu from 0; None: the default one.

    loc: its path in the document. is_sub: whether it stands in a sub-menu.
    """

    button: Button | SubButton
    position: str
    loc: Loc
    conditional: int | None
    is_sub: bool


def placed_buttons(menu: Menu) -> Iterator[Placed]:
    """Yield every button, those with a sub-menu before what stands in it."""
    yield from _of_one(menu.button, "", ("button",), None)
    for number, conditional in enumerate(menu.conditional):
        loc: Loc = ("conditional", number, "button")
        yield from _of_one(conditional.button, f"c{number + 1}-", loc, number)


def _of_one(
    buttons: tuple[Button, ...], prefix: str, loc: Loc, conditional: int | None
) -> Iterator[Placed]:
    for number, button in enumerate(buttons):
        position = f"{prefix}{number + 1}"
        here: Loc = (*loc, number)
        yield Placed(button, position, here, conditional, is_sub=False)
        for inner, sub in enumerate(button.sub_button):
            sub_loc: Loc = (*here, "sub_button", inner)
            yield Placed(sub, f"{position}-{inner + 1}", sub_loc, conditional, is_sub=True)
