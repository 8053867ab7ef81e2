"""The difference between two menus, button by button. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class ChangeKind(StrEnum):
    """What happens to a button."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One button, or whom a conditional menu is for, before and after.

    position: see `positions`. A button with a sub-menu stands here without it.
    """

    position: str
    kind: ChangeKind
    before: Json | None
    after: Json | None


def differences(before: Json, after: Json) -> list[Change]:
    """Return what differs between two documents of the shape of `as_sent`, by position."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return [
        Change(
            position,
            _kind(old.get(position), new.get(position)),
            old.get(position),
            new.get(position),
        )
        for position in dict.fromkeys([*new, *old])
        if old.get(position) != new.get(position)
    ]


def _kind(before: Json | None, after: Json | None) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    return ChangeKind.REMOVED if after is None else ChangeKind.CHANGED


def flat_buttons(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield each button of a document of the shape of `as_sent`, with its place."""
    yield from _buttons(document["button"], "")
    for number, conditional in enumerate(document["conditional"], 1):
        yield from _buttons(conditional["button"], f"c{number}-")


def _flat(document: Json) -> Iterator[tuple[str, Json]]:
    yield from _buttons(document["button"], "")
    for number, conditional in enumerate(document["conditional"], 1):
        yield f"c{number}", conditional["matchrule"]
        yield from _buttons(conditional["button"], f"c{number}-")


def _buttons(buttons: list[Json], prefix: str) -> Iterator[tuple[str, Json]]:
    for number, button in enumerate(buttons, 1):
        position = f"{prefix}{number}"
        yield position, {name: value for name, value in button.items() if name != "sub_button"}
        yield from _buttons(button.get("sub_button", []), f"{position}-")
