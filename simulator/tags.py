"""The tags of each account. Who has which tag stands with the followers. Source: protocol 8."""

from dataclasses import dataclass, field
from itertools import count

from simulator.errors import ApiError

MAX_TAGS = 100
MAX_NAME = 30
# Those of WeChat itself.
SYSTEM = {0: "", 1: "", 2: "星标组"}


@dataclass(slots=True)
class AccountTags:
    """names: by id; those of WeChat itself are there from the start."""

    names: dict[int, str] = field(default_factory=lambda: {2: SYSTEM[2]})
    ids: "count[int]" = field(default_factory=lambda: count(100))

    def add(self, name: object) -> int:
        """Add a tag. Raises ApiError 45056, 45157 or 45158."""
        text = self.checked(name)
        if sum(number not in SYSTEM for number in self.names) >= MAX_TAGS:
            raise ApiError(45056)
        number = next(self.ids)
        self.names[number] = text
        return number

    def rename(self, number: object, name: object) -> None:
        """Give a tag another name. Raises ApiError."""
        found = self.own(number)
        self.names[found] = self.checked(name, but=found)

    def own(self, number: object) -> int:
        """Return the id of a tag that may change. Raises ApiError 45058 or 45159."""
        if number in SYSTEM:
            raise ApiError(45058)
        return self.known(number)

    def known(self, number: object) -> int:
        """Return the id of a tag. Raises ApiError 45159."""
        if not isinstance(number, int) or number not in self.names:
            raise ApiError(45159)
        return number

    def checked(self, name: object, but: int | None = None) -> str:
        """Return a name that a tag may have. Raises ApiError."""
        if not isinstance(name, str) or not name:
            raise ApiError(47001)
        if len(name) > MAX_NAME:
            raise ApiError(45158)
        if any(known == name for number, known in self.names.items() if number != but):
            raise ApiError(45157)
        return name


@dataclass(slots=True)
class TagStore:
    """The tags of all accounts. members_method: with which `user/tag/get` is to be called."""

    of: dict[str, AccountTags] = field(default_factory=dict)
    page_size: int = 10_000
    most_to_delete: int = 100_000
    members_method: str = "POST"

    def account(self, appid: str) -> AccountTags:
        """Return the tags of an account."""
        return self.of.setdefault(appid, AccountTags())
