"""The roles of operators. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """What an operator may do. Each role may do all that the ones before it may.

    viewer: read, with message texts and OpenIDs masked. editor: change rules, menus and webhooks,
    send replies again. owner: manage operators and API tokens, erase people.
    """

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def allows(self, needed: "Role") -> bool:
        """Return whether this role may do what `needed` may; one of a newer release nothing."""
        order = list(Role)
        return self in order and order.index(self) >= order.index(needed)
