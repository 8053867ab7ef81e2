"""Columns of enums, which also hold what only a newer release knows.

During a rolling upgrade a process of the newer release may store a value that an older one has
never heard of. It is read as a member that the class does not list: its `value` and its text are
what is stored, and it equals no other member.
"""

from enum import StrEnum
from typing import Final, TypeVar

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_MAX_CHARACTERS: Final = 32

_Member = TypeVar("_Member", bound=StrEnum)


class StoredEnum(TypeDecorator[StrEnum]):
    """The text of a member of an enum."""

    impl = String(_MAX_CHARACTERS)
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Return what is stored."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> StrEnum | None:
        """Return the member that is stored."""
        return None if value is None else member_of(self.members, value)


def member_of(members: type[_Member], value: str) -> _Member:
    """Return the member with a value, or one that the class does not list."""
    try:
        return members(value)
    except ValueError:
        member = str.__new__(members, value)
        member._name_ = member._value_ = value
        return member


def is_known(member: StrEnum) -> bool:
    """Return whether this release lists a member that was read."""
    return member.name in type(member).__members__
