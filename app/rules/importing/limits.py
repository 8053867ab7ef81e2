"""The limits of a document with rules, and what can be wrong with it as a whole."""

from collections.abc import Collection
from typing import Final

MAX_BYTES: Final = 96 * 1024 * 1024
"""Enough for as many rules as there may be, each with a card and a text of the usual length."""

MEMBER: Final = "rules"
"""The one member of a document."""

MAX_ITEM_BYTES: Final = 1024 * 1024
"""One rule of a document. No other request can bring a larger one."""

MAX_DEPTH: Final = 32
"""Lists and objects inside each other, the document itself counted. A rule needs about 8."""

MAX_MEMBERS: Final = 10

CHUNK_BYTES: Final = 1024 * 1024


class BadDocument(Exception):
    """The document can't be read; str() says why."""


class TooLargeItem(BadDocument):
    """A part of the document is larger than any rule may be."""

    def __init__(self) -> None:
        super().__init__(
            f"holds a rule, or another part, of more than {MAX_ITEM_BYTES // 1024} KiB: shorten it"
        )


class TooDeep(BadDocument):
    """Lists and objects stand too deep inside each other."""

    def __init__(self) -> None:
        super().__init__(
            f"is nested too deeply: put at most {MAX_DEPTH} lists and objects into each other"
        )


class NotAnObject(BadDocument):
    """The document is not an object."""


class NotAList(BadDocument):
    """The member `rules` is not a list."""


class WrongMembers(BadDocument):
    """The document lacks `rules`, or has other members. names: those that it has."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__("wrong members")
        self.names = names


def require_few(names: Collection[str]) -> None:
    """Raise WrongMembers if a document has so many members that they need not all be read."""
    if len(names) > MAX_MEMBERS:
        raise WrongMembers(names)


def require_members(names: Collection[str]) -> None:
    """Raise WrongMembers unless a document has the one member `rules`."""
    if [*names] != [MEMBER]:
        raise WrongMembers(names)
