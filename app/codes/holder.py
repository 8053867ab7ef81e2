"""Who gets a code, and by which door."""

from typing import NamedTuple


class Holder(NamedTuple):
    """A person at one account."""

    appid: str
    openid: str


class Door(NamedTuple):
    """What led a person to a campaign. kind, id: as the table of doors has them."""

    kind: str
    id: str
