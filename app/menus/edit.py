"""Changes of a menu, one button at a time. Pure: each returns a new menu.

which: the number of a conditional menu from 0; None: the default one. path: the numbers of a button
from 0, one for the first level and two for a sub-menu.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from app.menus.document import Button, ConditionalMenu, MatchRule, Menu, SubButton

T = TypeVar("T")
Path = tuple[int, ...]


class NoSuchPlace(Exception):
    """The menu has nothing at this place: it was changed meanwhile."""


def buttons_of(menu: Menu, which: int | None) -> tuple[Button, ...]:
    """Return the buttons of one menu. Raises NoSuchPlace."""
    return menu.button if which is None else _at(menu.conditional, which).button


def button_at(menu: Menu, which: int | None, path: Path) -> Button | SubButton:
    """Return a button. Raises NoSuchPlace."""
    top = _at(buttons_of(menu, which), path[0])
    return top if len(path) == 1 else _at(top.sub_button, path[1])


def with_button(menu: Menu, which: int | None, path: Path, members: dict[str, Any]) -> Menu:
    """Replace name and action of a button; a sub-menu stays. Raises NoSuchPlace."""
    present = button_at(menu, which, path)
    subs = {"sub_button": present.sub_button} if isinstance(present, Button) else {}
    changed = type(present).model_validate({**members, **subs})
    return _with_siblings(menu, which, path, lambda them: _replaced(them, path[-1], changed))


def with_new_button(menu: Menu, which: int | None, parent: Path, button: dict[str, Any]) -> Menu:
    """Add a button at the end of a level. parent: empty for the first level. Raises NoSuchPlace.

    A button with an action loses it with the first button of its sub-menu.
    """
    if not parent:
        new = Button.model_validate(button)
        return _with_buttons(menu, which, (*buttons_of(menu, which), new))
    top = _at(buttons_of(menu, which), parent[0])
    subs = (*top.sub_button, SubButton.model_validate(button))
    changed = Button(name=top.name, sub_button=subs)
    return _with_buttons(menu, which, _replaced(buttons_of(menu, which), parent[0], changed))


def without_button(menu: Menu, which: int | None, path: Path) -> Menu:
    """Remove a button, and what stands in it. Raises NoSuchPlace."""
    button_at(menu, which, path)
    return _with_siblings(menu, which, path, lambda them: _removed(them, path[-1]))


def with_moved_button(menu: Menu, which: int | None, path: Path, by: int) -> Menu:
    """Move a button among its siblings; beyond an end it stays. Raises NoSuchPlace.

    by: so many places, below zero to the front.
    """
    button_at(menu, which, path)
    return _with_siblings(menu, which, path, lambda them: _moved(them, path[-1], by))


def with_new_conditional(menu: Menu, rule: MatchRule) -> Menu:
    """Add a conditional menu at the end, with the buttons of the default one."""
    new = ConditionalMenu(matchrule=rule, button=menu.button)
    return _revalidated(menu.model_copy(update={"conditional": (*menu.conditional, new)}))


def without_conditional(menu: Menu, which: int) -> Menu:
    """Remove a conditional menu. Raises NoSuchPlace."""
    _at(menu.conditional, which)
    return menu.model_copy(update={"conditional": _removed(menu.conditional, which)})


def with_moved_conditional(menu: Menu, which: int, by: int) -> Menu:
    """Move a conditional menu. by: −1 or 1. Raises NoSuchPlace."""
    _at(menu.conditional, which)
    return menu.model_copy(update={"conditional": _moved(menu.conditional, which, by)})


def _with_siblings(menu: Menu, which: int | None, path: Path, change: Any) -> Menu:  # noqa: ANN401 - of buttons of either level
    buttons = buttons_of(menu, which)
    if len(path) == 1:
        return _with_buttons(menu, which, change(buttons))
    top = _at(buttons, path[0])
    changed = top.model_copy(update={"sub_button": change(top.sub_button)})
    return _with_buttons(menu, which, _replaced(buttons, path[0], changed))


def _with_buttons(menu: Menu, which: int | None, buttons: tuple[Button, ...]) -> Menu:
    if which is None:
        return _revalidated(menu.model_copy(update={"button": buttons}))
    changed = _at(menu.conditional, which).model_copy(update={"button": buttons})
    return _revalidated(
        menu.model_copy(update={"conditional": _replaced(menu.conditional, which, changed)})
    )


def _revalidated(menu: Menu) -> Menu:
    return Menu.model_validate(menu.model_dump(mode="json"))


def _at(items: Sequence[T], number: int) -> T:
    if not 0 <= number < len(items):
        raise NoSuchPlace
    return items[number]


def _replaced(items: tuple[T, ...], number: int, item: T) -> tuple[T, ...]:
    return (*items[:number], item, *items[number + 1 :])


def _removed(items: tuple[T, ...], number: int) -> tuple[T, ...]:
    return (*items[:number], *items[number + 1 :])


def _moved(items: tuple[T, ...], number: int, by: int) -> tuple[T, ...]:
    target = number + by
    if not 0 <= target < len(items):
        return items
    without = [*_removed(items, number)]
    without.insert(target, items[number])
    return tuple(without)
