"""The ranks of many keys, of which nearly every one has a single rank."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Ranks(Generic[Key]):
    """Ranks by key. A number takes half the memory of a tuple of one, and no look for garbage."""

    __slots__ = ("_first", "_others")

    def __init__(self) -> None:
        self._first: dict[Key, int] = {}
        self._others: dict[Key, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._first)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._first)

    def add(self, key: Key, rank: int) -> None:
        """Give a key one more rank."""
        if self._first.setdefault(key, rank) != rank:
            self._others.setdefault(key, []).append(rank)

    def of(self, key: Key) -> tuple[int, ...]:
        """Return the ranks of a key."""
        first = self._first.get(key)
        if first is None:
            return ()
        return (first, *self._others.get(key, ()))
